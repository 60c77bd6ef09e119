"""Models to and from addresses: topology, weights, how to train, optimizer state, random streams."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np

from lamina import losses, metrics
from lamina.contract import SaveResult
from lamina.data import as_array
from lamina.errors import (
    ArgumentError,
    LaminaError,
    ModelFileError,
    ModelNotFoundError,
    NotBuiltError,
    SerializationError,
    UnsafeModelError,
)
from lamina.io import ModelArtifacts, decode_weights, encode_weights, load_artifacts, save_artifacts
from lamina.layers.config import plain
from lamina.layers.weights import weights_from
from lamina.models.tfjs import tfjs_training_config
from lamina.models.tfjs_layers import from_tfjs, to_tfjs
from lamina.models.topology import graph_config, model_from_config, without_keys
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.tensor import Tensor
from lamina.serialization import custom_object_scope, serialize

KERAS_VERSION: Final = "tfjs-layers 4.22.0"
"""What TensorFlow.js 4.22 writes itself; the topology is of this kind."""

OPTIMIZER_GROUP: Final = "optimizer"
OWN_METADATA: Final = "lamina"
"""The key of the user's metadata under which lamina keeps what TensorFlow.js has no place for."""


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    *,
    include_optimizer: bool = True,
    trainable_only: bool = False,
) -> SaveResult:
    """Saves a model whole: the old one at the address stays until the new one is complete.

    ``filepath`` is a path, ``file://...``, ``localstorage://name``, ``memory://name``, or an object with ``save``.
    ``overwrite`` False refuses an address where a model is. ``include_optimizer`` False leaves out how the model was
    compiled and the state of its optimizer, ``trainable_only`` the weights that training leaves alone: such a file is
    for ``load_weights(..., strict=False)``. ``zipped`` may only be None or False: a model is a folder.

    Raises ArgumentError for an address that is taken or cannot be saved to, SerializationError for a model that is no
    graph of layers or holds what has no config.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> save_model(model, "memory://saved").weight_bytes
    12
    """
    if zipped:
        raise ArgumentError("zipped is True.", expected="None or False: a model is saved as a folder.")
    if not overwrite and _is_there(filepath):
        raise ArgumentError(f"there is a model at {filepath!s} already.", fix="pass overwrite=True, or choose another.")
    training = _training_config(model) if include_optimizer and model.optimizer is not None else None
    whole = include_optimizer or model.graph is not None
    weights = model.trainable_weights if trainable_only else model.weights
    return _save(model, filepath, weights, training, model_topology(model) if whole else _no_topology(model))


def save_weights(model: Any, filepath: Any) -> SaveResult:
    """Saves a model's weights; also where some layer has no config, so that the model itself could not be saved."""
    topology = _no_topology(model)
    if model.graph is not None:
        with suppress(SerializationError):
            topology = model_topology(model)
    return _save(model, filepath, model.weights, None, topology)


def _save(model: Any, filepath: Any, weights: Any, training: Any, topology: dict[str, Any]) -> SaveResult:
    named: list[tuple[str, Any, str | None]] = [(v.name, v.numpy(), None) for v in weights]
    names = [name for name, _, _ in named]
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise SerializationError(
            f"two weights of the model {model.name!r} are named {repeated!r}.", fix="give the layers unique names."
        )
    if training is not None:
        named += [(name, array, OPTIMIZER_GROUP) for name, array in _optimizer_weights(model.optimizer)]
    specs, data = encode_weights(named)
    artifacts = ModelArtifacts(
        topology=topology,
        weight_specs=specs,
        weight_data=data,
        training_config=tfjs_training_config(model) if training is not None else None,
        user_defined_metadata={
            **model.get_user_defined_metadata(),
            OWN_METADATA: {"training": training, "seeds": _seeds(model), **_forms(model)},
        },
    )
    return save_artifacts(filepath, artifacts)


def _is_there(address: Any) -> bool:
    try:
        load_artifacts(address)
    except ModelNotFoundError:
        return False
    except ModelFileError:
        pass
    return True


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


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model saved at an address, compiled as it was, with its optimizer state, on the active backend.

    ``filepath`` is what ``save`` takes: a path, an address, or an object with ``load``. Class names are looked up among
    ``custom_objects`` and the built-in, registered and plugin classes; nothing else is imported or run, whatever
    ``safe_mode`` says. ``compile`` False leaves the training configuration out.

    Raises ModelNotFoundError, ModelFileError or UnsafeModelError for a missing or damaged model, UnknownNameError for
    a class that is not known.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> _ = model.save("memory://doctest")
    >>> lamina.load_model("memory://doctest").count_params()
    3
    """
    with custom_object_scope(custom_objects or {}):
        return _load(filepath, compile)


def _load(address: Any, compile: bool) -> Any:
    artifacts = load_artifacts(address)
    weights = _decoded(artifacts)
    source = _FileWeights({spec.name: array for spec, array in weights if spec.group != OPTIMIZER_GROUP})
    try:
        with weights_from(source):
            model = model_from_config(from_tfjs(layers_config(artifacts)))
    except (TypeError, AttributeError, KeyError) as error:
        raise ModelFileError(f"the topology at {address!s} is malformed: {error!r}.") from error
    source.check_all_used(model)
    own = _own_metadata(artifacts)
    model._metadata = {k: v for k, v in (artifacts.user_defined_metadata or {}).items() if k != OWN_METADATA}
    _restore_forms(model, own)
    if compile and (own.get("training") or artifacts.training_config):
        _compile(model, own.get("training"), artifacts.training_config)
        _restore_optimizer(model, [array for spec, array in weights if spec.group == OPTIMIZER_GROUP])
    _restore_seeds(model, own.get("seeds"))
    return model


def load_weights(model: Any, weights: Any, *, strict: bool = True) -> None:
    """Gives a model's weights the values of those of the same names, of a saved model or of a mapping; all or none.

    Where a saved model has other names, as one that was made later has, its weights go by their order, if shapes and
    the last parts of the names agree.
    """
    if isinstance(weights, Mapping):
        found = _by_own_names(weights, model)
    else:
        decoded = _decoded(load_artifacts(weights))
        found = {spec.name: array for spec, array in decoded if spec.group != OPTIMIZER_GROUP}
        found = _by_order(found, model)
    source = _FileWeights(found, "the mapping" if isinstance(weights, Mapping) else "the file")
    chosen = [v for v in model.weights if strict or v.name in found]
    values = [source(v.name, v.shape, v.dtype) for v in chosen]
    if strict:
        source.check_all_used(model)
    for variable, value in zip(chosen, values, strict=True):
        variable.assign(value)


def _by_order(found: dict[str, np.ndarray[Any, Any]], model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The same arrays under the model's names, if these are others and everything else agrees."""
    variables = model.weights
    if found and not variables and not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )
    there = [(name.rpartition("/")[2], tuple(array.shape)) for name, array in found.items()]
    here = [(v.name.rpartition("/")[2], v.shape) for v in variables]
    if there != here or all(v.name in found for v in variables):
        return found
    return dict(zip((v.name for v in variables), found.values(), strict=True))


def _by_own_names(weights: Mapping[str, Any], model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays by the model's names: ``a/b/kernel`` also stands for ``a/kernel``, as in TensorFlow.js."""
    known = {v.name for v in model.weights}
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, value in weights.items():
        parts = str(name).split("/")
        shorter = "/".join([*parts[:-2], parts[-1]])
        key = shorter if name not in known and shorter in known else str(name)
        if key in found:
            raise ArgumentError(f"two values for the weight {key!r}.", expected="one for each.")
        found[key] = as_array(value, f"the weight {name!r}")
    return found


def _decoded(artifacts: ModelArtifacts) -> list[Any]:
    return decode_weights(artifacts.weight_specs, artifacts.weight_data)


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


class _FileWeights:
    """Gives layers their weights out of a file, so that nothing is allocated that the file does not back."""

    def __init__(self, arrays: Mapping[str, np.ndarray[Any, Any]], where: str = "the file") -> None:
        self._arrays = dict(arrays)
        self._where = where
        self._used: set[str] = set()

    def __call__(self, name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
        array = self._arrays.get(name)
        if array is None:
            raise ModelFileError(f"{self._where} has no weight {name!r}.", expected=f"one of shape {shape}.")
        if tuple(array.shape) != tuple(shape):
            raise ModelFileError(
                f"the weight {name!r} has shape {array.shape} in {self._where}, and {shape} in the model."
            )
        self._used.add(name)
        return from_numpy(array.astype(dtype, copy=False), get_backend())

    def check_all_used(self, model: Any) -> None:
        unused = sorted(set(self._arrays) - self._used)
        if unused:
            raise ModelFileError(
                f"{self._where} has the weight {unused[0]!r}, which the model {model.name!r} does not have.",
                expected="weights for the layers of the topology only.",
            )


# -- how inputs and outputs are given ------------------------------------------------------------------------------


def _forms(model: Any) -> dict[str, Any]:
    """The keys of inputs and outputs that are dicts, and whether one tensor is in a list: the topology does not say."""
    if model.graph is None:
        return {}
    parts = {"inputs": model.graph.input_structure, "outputs": model.graph.output_structure}
    forms = {
        name: list(part) if isinstance(part, dict) else isinstance(part, (list, tuple)) for name, part in parts.items()
    }
    return {name: form for name, form in forms.items() if isinstance(form, list) or (form and len(parts[name]) == 1)}


def _restore_forms(model: Any, own: Mapping[str, Any]) -> None:
    for name, tensors in (("inputs", model.graph.inputs), ("outputs", model.graph.outputs)) if model.graph else ():
        form = own.get(name)
        if form is True and len(tensors) == 1:
            structure: Any = list(tensors)
        elif isinstance(form, list) and len(form) == len(tensors) and all(isinstance(key, str) for key in form):
            structure = dict(zip(form, tensors, strict=True))
        else:
            continue
        setattr(model.graph, f"{name.removesuffix('s')}_structure", structure)


# -- training configuration ----------------------------------------------------------------------------------------


def _training_config(model: Any) -> dict[str, Any]:
    """How the model was compiled, in full."""
    return {
        "optimizer": serialize(model.optimizer),
        "loss": plain(_objects(model._loss_given, losses.get)),
        "metrics": plain(_objects(model._metrics_given, metrics.get)),
        "weighted_metrics": plain(_objects(model._weighted_metrics_given, metrics.get)),
        "loss_weights": plain(model._loss_weights_given),
    }


def _objects(given: Any, get: Any) -> Any:
    """What compile was given, with functions and classes made objects that have a config; names stay names."""
    if isinstance(given, Mapping):
        return {key: _objects(value, get) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_objects(value, get) for value in given]
    return given if given is None or isinstance(given, str) else get(given)


def _own_metadata(artifacts: ModelArtifacts) -> Mapping[str, Any]:
    metadata = artifacts.user_defined_metadata or {}
    own = metadata.get(OWN_METADATA) if isinstance(metadata, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def _compile(model: Any, training: Any, tfjs: Any) -> None:
    if isinstance(training, Mapping):
        model.compile(
            optimizer=training.get("optimizer"),
            loss=training.get("loss"),
            metrics=training.get("metrics"),
            weighted_metrics=training.get("weighted_metrics"),
            loss_weights=training.get("loss_weights"),
        )
    elif isinstance(tfjs, Mapping):
        model.compile(optimizer=tfjs.get("optimizer_config"), loss=tfjs.get("loss"), metrics=tfjs.get("metrics"))


# -- optimizer and random state ------------------------------------------------------------------------------------


def _optimizer_weights(optimizer: Any) -> list[tuple[str, np.ndarray[Any, Any]]]:
    return list(zip(optimizer.save_names, optimizer.get_weights(), strict=True))


def _restore_optimizer(model: Any, arrays: list[np.ndarray[Any, Any]]) -> None:
    if not arrays:
        return
    try:
        model.optimizer.build(model.trainable_weights)
        model.optimizer.set_weights(arrays if len(arrays) > 1 else [arrays[0], *model.optimizer.get_weights()[1:]])
    except LaminaError as error:
        raise ModelFileError(f"the optimizer state in the file does not fit the model: {error}") from error


def _seeds(model: Any) -> list[list[int]]:
    return [g.state.numpy().tolist() for g in model.seed_generators]


def _restore_seeds(model: Any, seeds: Any) -> None:
    generators = model.seed_generators
    if seeds is None or not generators:
        return
    pairs = np.asarray(seeds, np.int64) if isinstance(seeds, list) else np.empty(0)
    if pairs.shape != (len(generators), 2) or (np.abs(pairs) > 2**31).any():
        raise UnsafeModelError("the random state in the file does not fit the model.", expected="two int32 per layer.")
    for generator, pair in zip(generators, pairs, strict=True):
        generator.state.assign(pair.astype(np.int32))
