"""``.h5`` and ``.hdf5``: whole models, or weights by layer, as Keras 2 writes them and Keras 3 still does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from lamina import losses, metrics
from lamina.contract.io import Bytes
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io.checks import shown
from lamina.io.strict_json import read_json, write_json
from lamina.layers.weights import weights_from
from lamina.models.saving.origins import origins_heeded
from lamina.models.saving.own import OWN_KEY, own_record, restore_own
from lamina.models.saving.sources import Budget, assign_all
from lamina.models.saving.training import compile_as
from lamina.serialization import serialize
from lamina_keras.compiling import compile_config
from lamina_keras.configs import from_keras_2, from_keras_3, training_from_keras_2
from lamina_keras.graphs import whole_config
from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5
from lamina_keras.hdf5.tree import SIGNATURE
from lamina_keras.layer_weights import LAYER_NAMES, arrays_in, matched, matched_by_name, weights_of
from lamina_keras.objects import keras_value
from lamina_keras.optimizer_weights import OPTIMIZER_WEIGHTS, optimizer_group, restore_optimizer
from lamina_keras.reading import read_model

KERAS_VERSION: Final = "3.15.1"
"""The version in whose words configs are written: the layout of the file is that of Keras 2."""

BACKEND: Final = "tensorflow"
"""By this Keras 2 knows that kernels of convolutions are not turned round, as those of Theano were."""

_NAMES_OF_KERAS: Final = ("accuracy", "acc", "crossentropy", "ce")
"""Names that mean one metric or another, as the labels are: Keras finds out by itself."""

MODEL_WEIGHTS: Final = "model_weights"


class LegacyFile:
    """The format: a whole model, or weights alone, whose layers are told apart by their order and their names."""

    title: ClassVar[str] = "an HDF5 file of a Keras model"
    magic: ClassVar[tuple[bytes, ...]] = (SIGNATURE,)

    def save_model(self, model: Any, where: str, *, include_optimizer: bool, fingerprint: bool) -> Iterable[Bytes]:
        """The file. Raises SerializationError for a model that is no graph of layers, or holds what has no config."""
        trains = include_optimizer and model.optimizer is not None
        texts = {
            "model_config": whole_config(model),
            OWN_KEY: own_record(model, trains, fingerprint),
            **({"training_config": _training(model)} if trains else {}),
        }
        root = Group({"keras_version": KERAS_VERSION, "backend": BACKEND})
        root.attributes.update({key: write_json(value, f"{where}: {key}").decode() for key, value in texts.items()})
        root.children[MODEL_WEIGHTS] = _weights(model)
        state = optimizer_group(model.optimizer) if trains else None
        if state is not None:
            root.children[OPTIMIZER_WEIGHTS] = state
        return write_hdf5(root)

    def load_model(self, data: memoryview, where: str, *, compile: bool, fingerprint: bool) -> Any:
        """The model. Raises UnsafeModelError, ModelFileError, SerializationError or UnknownNameError."""
        root = read_hdf5(data, where)
        weights = root.children.get(MODEL_WEIGHTS)
        config = _json(root, "model_config", where)
        if not isinstance(weights, Group) or config is None:
            raise ModelFileError(
                f"{where} holds no whole model.",
                expected=f"the attribute model_config and the group {MODEL_WEIGHTS}.",
                fix="build the model in code, and load its weights with load_weights.",
            )
        own = _json(root, OWN_KEY, where)
        with origins_heeded(own, where):
            return _model(root, weights, config, own, where, compile, fingerprint)

    def save_weights(self, model: Any, where: str) -> Iterable[Bytes]:
        """The file of a model's weights alone. Raises NotBuiltError before there are any."""
        return write_hdf5(_weights(model))

    def load_weights(self, model: Any, data: memoryview, where: str, *, strict: bool) -> None:
        """Gives a model the weights of a file, of a whole model or of weights alone; all, or none if one does not fit.

        They go by the order of the layers; without ``strict`` by their names, and layers without a match stay as they
        are.
        """
        root = read_hdf5(data, where)
        inner = root.children.get(MODEL_WEIGHTS)
        named = any(key.startswith(LAYER_NAMES) for key in root.attributes)
        group = root if named or not isinstance(inner, Group) else inner
        assign_all(matched(model, group, where, same_names=False) if strict else matched_by_name(model, group, where))


def _model(root: Group, weights: Group, config: Any, own: Any, where: str, compile: bool, fingerprint: bool) -> Any:
    old = _is_old(root)
    with weights_from(Budget(sum(array.nbytes for array in arrays_in(weights)), where)):
        model = read_model((from_keras_2 if old else from_keras_3)(config), f"{where}: model_config")
    assign_all(matched(model, weights, where, same_names=True), owned=OPTIMIZER_WEIGHTS not in root.children)
    restore_own(model, own, where, fingerprint, None if own else f"keras v{root.attributes.get('keras_version', '1')}")
    if compile:
        _compile(model, root, own if isinstance(own, Mapping) else {}, where, old)
    return model


def _weights(model: Any) -> Group:
    group = weights_of(model)
    group.attributes.update({"backend": BACKEND, "keras_version": KERAS_VERSION})
    return group


def _training(model: Any) -> dict[str, Any]:
    """How a model was compiled, as these files have it: the optimizer is under another key than in ``.keras``."""
    config = compile_config(model)
    found = {"optimizer_config": config.pop("optimizer"), **config}
    found["loss"] = _spelled(config["loss"], "loss", losses.get)
    found.update({key: _spelled(config[key], "metrics", metrics.get) for key in ("metrics", "weighted_metrics")})
    return found


def _spelled(value: Any, key: str, get: Callable[[str], Any]) -> Any:
    """Losses or metrics with configs in the place of names, of which Keras knows only some in these files."""
    if isinstance(value, str) and value not in _NAMES_OF_KERAS:
        found = serialize(get(value))
        return keras_value({**found, "config": {**found["config"], "name": value}}, key)
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _spelled(inner, key, get) for name, inner in value.items()}
    return [_spelled(inner, key, get) for inner in value] if isinstance(value, list) else value


def _is_old(root: Group) -> bool:
    """Whether a file was written before Keras 3, and in its words."""
    version = str(root.attributes.get("keras_version", "1"))
    number = version.partition(".")[0]
    return not number.isdecimal() or int(number) < 3


def _json(root: Group, key: str, where: str) -> Any:
    """The value of an attribute with JSON; None if there is none."""
    text = root.attributes.get(key)
    if text is None:
        return None
    if not isinstance(text, str):
        raise UnsafeModelError(f"{where}: the attribute {key} is {shown(text)}.", expected="text.")
    return read_json(text.encode(), f"{where}: {key}")


def _compile(model: Any, root: Group, own: Mapping[str, Any], where: str, old: bool) -> None:
    training = own.get("training")
    if training is None:
        config = _json(root, "training_config", where)
        if not isinstance(config, Mapping):
            return
        training = training_from_keras_2(config) if old else {**config, "optimizer": config.get("optimizer_config")}
    compile_as(model, training)
    state = root.children.get(OPTIMIZER_WEIGHTS)
    if isinstance(state, Group):
        restore_optimizer(model, state, f"{where}: {OPTIMIZER_WEIGHTS}", old)
