"""A model as artifacts in the layout of TensorFlow.js, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import numpy as np

from lamina.errors import ModelFileError, NotBuiltError, SerializationError
from lamina.io import ModelArtifacts, decode_weights, encode_weights
from lamina.io.checks import first_repeated
from lamina.io.model_json import this_program
from lamina.layers.weights import weights_from
from lamina.models.saving.origins import PLUGINS_KEY, origins_heeded
from lamina.models.saving.own import OWN_KEY, own_record, restore_own
from lamina.models.saving.sources import FileWeights
from lamina.models.saving.training import (
    compile_as,
    compile_as_tfjs,
    optimizer_weights,
    restore_optimizer,
)
from lamina.models.tfjs import tfjs_training_config
from lamina.models.tfjs_layers import from_tfjs, to_tfjs
from lamina.models.topology import graph_config, model_from_config, without_keys
from lamina.runtime.convert import host_view

NamedArray = tuple[str, np.ndarray[Any, Any], str | None]
"""A weight's name and value, and the group it belongs to: None, or that of the optimizer."""

KERAS_VERSION: Final = "tfjs-layers 4.22.0"
"""What TensorFlow.js 4.22 writes itself; the topology is of this kind."""

OPTIMIZER_GROUP: Final = "optimizer"


def model_artifacts(
    model: Any, include_optimizer: bool = True, trainable_only: bool = False, with_fingerprint: bool = True
) -> ModelArtifacts:
    """A whole model. Raises SerializationError if it is no graph of layers, or holds what has no config."""
    return _encoded(*described_model(model, include_optimizer, trainable_only, with_fingerprint))


def weights_artifacts(model: Any) -> ModelArtifacts:
    """A model's weights; also where some layer has no config, so that the model itself could not be saved."""
    return _encoded(*described_weights(model))


def _encoded(described: ModelArtifacts, named: list[NamedArray]) -> ModelArtifacts:
    specs, data = encode_weights(named)
    return replace(described, weight_specs=specs, weight_data=data)


def described_model(
    model: Any, include_optimizer: bool = True, trainable_only: bool = False, with_fingerprint: bool = True
) -> tuple[ModelArtifacts, list[NamedArray]]:
    """A whole model as artifacts without weights, and the arrays of these, to be read and not kept.

    Raises SerializationError if it is no graph of layers, or holds what has no config.
    """
    trains = include_optimizer and model.optimizer is not None
    weights = model.trainable_weights if trainable_only else model.weights
    whole = include_optimizer or model.graph is not None
    own = own_record(model, trains, with_fingerprint, metadata=False)
    named = _named(model, weights)
    if trains:
        named += [(name, array, OPTIMIZER_GROUP) for name, array in optimizer_weights(model.optimizer)]
    training = tfjs_training_config(model) if trains else None
    return _described(model, model_topology(model) if whole else _no_topology(model), own, training), named


def described_weights(model: Any) -> tuple[ModelArtifacts, list[NamedArray]]:
    """A model's weights, as ``described_model`` gives a model; also where some layer has no config."""
    topology = _no_topology(model)
    if model.graph is not None:
        with suppress(SerializationError):
            topology = model_topology(model)
    own = own_record(model, False, False, metadata=False)
    return _described(model, topology, own, None), _named(model, model.weights)


def _named(model: Any, weights: Iterable[Any]) -> list[NamedArray]:
    named: list[NamedArray] = [(v.name, host_view(v.value), None) for v in weights]
    twice = first_repeated(name for name, _, _ in named)
    if twice is not None:
        raise SerializationError(
            f"two weights of the model {model.name!r} are named {twice!r}.", fix="give the layers unique names."
        )
    return named


def _described(model: Any, topology: dict[str, Any], own: Mapping[str, Any], training: Any) -> ModelArtifacts:
    return ModelArtifacts(
        topology=topology,
        training_config=training,
        generated_by=model._made_by,
        converted_by=this_program() if model._made_by else None,
        user_defined_metadata={**model.get_user_defined_metadata(), OWN_KEY: own},
    )


def _no_topology(model: Any) -> dict[str, Any]:
    """What stands for the layers of a model whose own ``call`` joins them: its weights can be loaded, not itself."""
    if not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )
    return {"class_name": type(model).__name__, "config": {"name": model.name}}


def model_topology(model: Any) -> dict[str, Any]:
    """The layers of a model and how they are joined, as a ``model.json`` has them."""
    return {
        "class_name": model.class_name,
        "config": to_tfjs(without_keys(graph_config(model))),
        "keras_version": KERAS_VERSION,
        "backend": "tensor_flow.js",
    }


def model_from_artifacts(
    artifacts: ModelArtifacts, where: str, compile: bool, fingerprint: bool = True, *, owned: bool = False
) -> Any:
    """The model of artifacts, compiled as it was, with its optimizer state, and checked against its fingerprint.

    ``owned`` says that nobody else keeps the artifacts: the memory of their weights may become the model's.
    """
    # Beside a state of an optimizer, the memory of that would stay as well.
    whole = owned and not any(spec.group == OPTIMIZER_GROUP for spec in artifacts.weight_specs)
    decoded = decode_weights(artifacts.weight_specs, artifacts.weight_data, owned=whole)
    named = [(spec.name, array, spec.group) for spec, array in decoded]
    return model_from_parts(artifacts, named, where, compile, fingerprint, owned=True)


def model_from_parts(
    artifacts: ModelArtifacts,
    weights: list[NamedArray],
    where: str,
    compile: bool,
    fingerprint: bool,
    *,
    owned: bool = False,
) -> Any:
    """The same with weights that are arrays already, instead of those of the artifacts.

    ``owned`` says that nobody else keeps them: the memory of the model's own weights may become the model's.
    """
    own = _own_metadata(artifacts)
    with origins_heeded(own, where):
        model = _graph(artifacts, weights, where, owned)
        model._metadata = {k: v for k, v in (artifacts.user_defined_metadata or {}).items() if k != OWN_KEY}
        made_by = None if _is_ours(artifacts.generated_by) else artifacts.generated_by
        restore_own(model, own, where, fingerprint, made_by)
        if compile and (own.get("training") or artifacts.training_config):
            if own.get("training"):
                compile_as(model, own["training"])
            else:
                compile_as_tfjs(model, artifacts.training_config)
            restore_optimizer(model, [array for _, array, group in weights if group == OPTIMIZER_GROUP])
    return model


def _graph(artifacts: ModelArtifacts, weights: list[NamedArray], where: str, owned: bool) -> Any:
    """The layers of artifacts, joined, with their weights."""
    source = FileWeights({name: array for name, array, group in weights if group != OPTIMIZER_GROUP}, owned=owned)
    try:
        with weights_from(source):
            model = model_from_config(
                from_tfjs(layers_config(artifacts), {name: array.shape for name, array, _ in weights})
            )
    except (TypeError, AttributeError, KeyError) as error:
        raise ModelFileError(f"the topology at {where} is malformed: {error!r}.") from error
    source.check_all_used(model)
    return model


def weights_by_name(artifacts: ModelArtifacts) -> dict[str, Any]:
    """The arrays of the model's own weights."""
    decoded = decode_weights(artifacts.weight_specs, artifacts.weight_data)
    return {spec.name: array for spec, array in decoded if spec.group != OPTIMIZER_GROUP}


def layers_config(artifacts: ModelArtifacts) -> Mapping[str, Any]:
    """The config of the model itself; files converted from Keras wrap it once more."""
    if artifacts.format not in (None, "layers-model"):
        raise ModelFileError(
            f"the file holds a model of the format {artifacts.format!r}.", expected="a layers model, which has layers."
        )
    topology = artifacts.topology
    inner = topology.get("model_config", topology)
    config = inner.get("config") if isinstance(inner, Mapping) else None
    if isinstance(config, list):
        config = {"layers": config}
    if not isinstance(config, Mapping) or inner.get("class_name") not in ("Sequential", "Model", "Functional"):
        raise ModelFileError("the topology is not that of a layers model.", expected="a Sequential or a Model.")
    return config


def _own_metadata(artifacts: ModelArtifacts) -> Mapping[str, Any]:
    """What lamina keeps in the metadata. Another program that changed the model hands the metadata on as it was.

    Then only what it cannot have changed is heeded: how inputs and outputs are given, and whose the classes are.
    """
    metadata = artifacts.user_defined_metadata or {}
    own = metadata.get(OWN_KEY) if isinstance(metadata, Mapping) else None
    if not isinstance(own, Mapping):
        return {}
    if _is_ours(artifacts.generated_by) or (artifacts.converted_by and _is_ours(artifacts.converted_by)):
        return own
    return {key: own[key] for key in ("inputs", "outputs", PLUGINS_KEY) if key in own}


def _is_ours(program: str | None) -> bool:
    """Whether a file says that lamina wrote it, or says nothing."""
    return (program or "lamina").startswith("lamina")
