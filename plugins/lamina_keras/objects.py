"""Layers and other named objects as Keras 3 writes them: with the module where it finds the class.

Modules and registered names are keys in Keras's registry and in lamina's; neither side imports what they name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.errors import SerializationError, UnknownNameError
from lamina.io.checks import check_name, shown
from lamina.layers import Lambda, Layer
from lamina.models import Model, Sequential
from lamina.serialization import KINDS, get_registered_object, lookup
from lamina_keras import applications
from lamina_keras.functions import KerasFunction
from lamina_keras.operations import function_config

Config = dict[str, Any]

MODULES: Final = {
    "layers": "keras.layers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
    "schedules": "keras.optimizers.schedules",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "activations": "keras.activations",
}
"""Where Keras has the objects of a kind."""

UNKNOWN_THERE: Final[dict[str, tuple[str, ...]]] = {
    "layers": ("ConvLSTM2DCell", "PositionEmbedding", "RandomWidth", "ThresholdedReLU"),
    "optimizers": ("Momentum",),
    "activations": ("gelu_new", "hard_sigmoid_tfjs"),
}
"""What lamina has and Keras 3 has not; files name it as lamina's, and lamina reads it back."""

_SPELLED: Final = {"LeCunNormal": "LecunNormal", "LeCunUniform": "LecunUniform"}
"""Classes that TensorFlow.js, and configs that it reads, spell in another way."""

_NOT_TAKEN: Final = {
    "Discretization": ("trainable",),
    "Embedding": ("input_length",),
    "SpatialDropout1D": ("trainable",),
    "SpatialDropout2D": ("trainable",),
    "SpatialDropout3D": ("trainable",),
}
"""Settings that Keras's class does not take, and that say nothing that the rest of the model does not."""

_KINDS_BY_KEY: Final = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "learning_rate": "schedules",
    "optimizer": "optimizers",
    "cell": "layers",
    "cells": "layers",
    "layer": "layers",
    "loss": "losses",
    "metrics": "metrics",
    "activation": "activations",
}
"""What kind of object a setting holds, by the last part of its name."""


def layer_config(layer: Any, shared: Mapping[int, int]) -> Config:
    """A layer, or a model inside another one, as Keras writes it.

    ``shared`` numbers the layers that several models have, by their ``id``: Keras makes such a layer once.
    """
    from lamina_keras.graphs import model_config

    if "/" in check_name(layer.name, "the model"):
        raise SerializationError(
            f"the layer {shown(layer.name)} has a slash in its name, which Keras refuses.",
            fix="give it another name, for example with clone_model.",
        )
    if isinstance(layer, Model) and (layer.graph is not None or isinstance(layer, Sequential)):
        return model_config(layer, shared)
    if isinstance(layer, KerasFunction):
        return function_config(layer)
    config = {key: _setting(layer, key, value, shared) for key, value in layer.get_config().items()}
    if isinstance(layer, Lambda) and isinstance(config["function"], str):
        name = config["function"]
        config["function"] = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
    for key in ("batch_input_shape", *_NOT_TAKEN.get(layer.class_name, ())):
        config.pop(key, None)
    return {**named("layers", layer.class_name, config), **number_of(layer, shared)}


def number_of(layer: Any, shared: Mapping[int, int]) -> Config:
    """The entry that marks a layer that several models have."""
    return {"shared_object_id": shared[id(layer)]} if id(layer) in shared else {}


def _setting(layer: Any, key: str, value: Any, shared: Mapping[int, int]) -> Any:
    """One setting of a layer. Layers in it are asked themselves, for their configs are in TensorFlow.js's form."""
    held = getattr(layer, layer.kept_as.get(key, key), None)
    if isinstance(held, Layer) and value is not None:
        found = layer_config(held, shared)
        # A wrapper renames what it wraps; its config has the name from before.
        return {**found, "config": {**found["config"], "name": value["config"].get("name", held.name)}}
    if isinstance(held, (list, tuple)) and held and all(isinstance(part, Layer) for part in held):
        return [layer_config(part, shared) for part in held]
    return keras_value(value, key)


def keras_value(value: Any, key: str = "") -> Any:
    """A plain value in which configs are those of Keras. ``key`` is the setting that it is the value of."""
    if isinstance(value, Mapping):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), Mapping):
            kind = _kind(key, value["class_name"])
            return named(kind, value["class_name"], {k: keras_value(v, k) for k, v in value["config"].items()})
        return {name: keras_value(v, key or name) for name, v in value.items()}
    return [keras_value(v, key) for v in value] if isinstance(value, (list, tuple)) else value


def _kind(key: str, name: str) -> str:
    kind = _KINDS_BY_KEY.get(key) or _KINDS_BY_KEY.get(key.rpartition("_")[2])
    return kind or next((kind for kind in KINDS if _is_known(kind, name)), "layers")


def _is_known(kind: str, name: str) -> bool:
    try:
        lookup(kind, name)
    except UnknownNameError:
        return False
    return True


def named(kind: str, name: str, config: Config) -> Config:
    """A config with where its class is found: in Keras, in lamina, or among what the user registered."""
    name = _SPELLED.get(name, name)
    if get_registered_object(name) is not None:
        # The module is not said: Keras, and lamina, look for what was registered under the name.
        plain = name.rpartition(">")[2]
        return {"module": None, "class_name": plain, "config": config, "registered_name": name}
    if not _is_known(kind, name):
        raise SerializationError(
            f"the class {name!r} cannot be saved: no name leads to it.",
            fix="decorate it with lamina.serialization.register(), or pass it in custom_objects when loading.",
        )
    if name in applications.MODULES and kind == "layers":
        return {"module": applications.MODULES[name], "class_name": name, "config": config, "registered_name": name}
    module = f"lamina.{kind}" if name in UNKNOWN_THERE.get(kind, ()) else MODULES[kind]
    return {"module": module, "class_name": name, "config": config, "registered_name": None}
