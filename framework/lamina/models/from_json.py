"""Models to JSON text and back: the layers and how they are joined, without weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.errors import ModelFileError
from lamina.io import ModelArtifacts
from lamina.io.strict_json import read_json, write_json
from lamina.models.saving import layers_config, model_topology
from lamina.models.tfjs_layers import from_tfjs
from lamina.models.topology import model_from_config
from lamina.serialization import custom_object_scope


def model_to_json(model: Any) -> str:
    """The topology of a model as JSON text, as TensorFlow.js and Keras 2 write it.

    Raises SerializationError for a model that is no graph of layers.

    >>> import lamina
    >>> text = model_to_json(lamina.Sequential([lamina.layers.Flatten(input_shape=(2, 2))]))
    >>> model_from_json(text).output_shape
    (None, 4)
    """
    return write_json(model_topology(model), f"the topology of {model.name!r}").decode()


def model_from_json(json_string: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of a topology as JSON text, or as what the text stands for; weights are as their initializers give.

    Takes what ``model_to_json`` gives, a topology of TensorFlow.js or of Keras 2, a whole ``model.json``, of which the
    topology is read, or what ``to_json`` of Keras 3 gives. ``custom_objects`` maps class names to classes of yours.
    Raises ModelFileError for something else, UnknownNameError for a class that no registry knows.

    >>> dense = {"class_name": "Dense", "config": {"units": 3, "batch_input_shape": [None, 2]}}
    >>> model_from_json({"class_name": "Sequential", "config": [dense]}).count_params()
    9
    """
    topology = read_json(json_string.encode(), "the topology") if isinstance(json_string, str) else json_string
    if isinstance(topology, Mapping):
        topology = topology.get("modelTopology", topology)
    if not isinstance(topology, Mapping):
        raise ModelFileError(f"{str(json_string)[:100]!r} is no topology.", expected="an object with class_name.")
    config = layers_config(ModelArtifacts(topology))
    with custom_object_scope(custom_objects or {}):
        return model_from_config(config if "module" in topology else from_tfjs(config))
