"""Configs of Keras 1 and 2, tf.keras included, in the words of Keras 3, which lamina's own reader takes.

Pure rules over plain values. A setting is dropped only where the value says that it does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.models.calls import is_place, tensor_config
from lamina_keras.paths import CLASSES as NAMES_IN_CODE

Config = dict[str, Any]

CLASSES: Final = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "UnifiedGRU": "GRU",
    "UnifiedLSTM": "LSTM",
    "GRUV2": "GRU",
    "LSTMV2": "LSTM",
    "Model": "Functional",
}
"""Classes that were renamed: theirs, and ours."""

IN_CODE: Final = {theirs: own for own, theirs in NAMES_IN_CODE.items()}
"""Classes of Keras 3 whose name in its code is not the one that it is known by."""

ACTIVATIONS: Final = {"hard_sigmoid": "hard_sigmoid_tfjs"}
"""Functions that compute something else in Keras 3: before, hard_sigmoid had the slope 0.2."""

KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "InputLayer": {"batch_input_shape": "batch_shape"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
"""Settings that were renamed, by class: theirs, and ours."""

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "GRU": {"reset_after": False},
    "GRUCell": {"reset_after": False},
}
"""What a setting was where a config lacks it, and Keras 3 takes something else."""

UNUSED: Final[Mapping[str, frozenset[str]]] = {
    "DepthwiseConv1D": frozenset({"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}),
    "DepthwiseConv2D": frozenset(
        {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "filters"}
    ),
    "SeparableConv1D": frozenset({"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}),
    "SeparableConv2D": frozenset({"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}),
    "BatchNormalization": frozenset({"fused"}),
}
"""Settings that classes inherited and did not use."""

_INITIALIZERS: Final = frozenset(
    {"Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal",
     "Identity", "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"}
)  # fmt: skip
_ACTIVATION_KEYS: Final = frozenset({"activation", "recurrent_activation"})
_NOTHING: Final[Mapping[str, tuple[Any, ...]]] = {
    "time_major": (False,),
    "ragged": (False,),
    "virtual_batch_size": (None,),
    "renorm": (False,),
    "renorm_clipping": (None, {}),
    "renorm_momentum": (0.99,),
    "adjustment": (None,),
    "implementation": (0, 1, 2),
    "input_dtype": (None, "float32"),
}
"""Settings that do nothing if they have one of these values."""


def from_keras_2(value: Any) -> Any:
    """A config, with all that are nested in it, as Keras 3 would have it.

    >>> from_keras_2({"class_name": "GRU", "config": {"units": 2, "dtype": "float32"}})["config"]["reset_after"]
    False
    """
    if isinstance(value, Mapping):
        if set(value) == {"type", "value"} and value["type"] == "ndarray":
            return value["value"]
        found = {key: from_keras_2(inner) for key, inner in value.items()}
        name, config = found.get("class_name"), found.get("config")
        return _object(found, name, config) if isinstance(name, str) else found
    return [from_keras_2(inner) for inner in value] if isinstance(value, list) else value


def from_keras_3(value: Any) -> Any:
    """A config as Keras 3 writes it into these files, in which classes have the names that they have in its code.

    >>> from_keras_3({"class_name": "GroupedQueryAttention"})
    {'class_name': 'GroupQueryAttention'}
    """
    if isinstance(value, Mapping):
        found = {key: from_keras_3(inner) for key, inner in value.items()}
        name = found.get("class_name")
        return {**found, "class_name": IN_CODE.get(name, name)} if isinstance(name, str) else found
    return [from_keras_3(inner) for inner in value] if isinstance(value, list) else value


def _object(found: Config, name: str, config: Any) -> Any:
    if name == "Policy" and isinstance(config, Mapping):
        return config.get("name")
    name = CLASSES.get(name, name)
    if isinstance(config, list):
        config = {"layers": config}
    changed = {**found, "class_name": name}
    if isinstance(config, Mapping):
        changed["config"] = _settings(name, dict(config))
    if isinstance(found.get("inbound_nodes"), list):
        changed["inbound_nodes"] = [_call(call) for call in found["inbound_nodes"]]
    return changed


def _settings(name: str, config: Config) -> Config:
    unused, renamed = UNUSED.get(name, frozenset()), KEYS.get(name, {})
    kept = {key: value for key, value in config.items() if key not in unused and not _does_nothing(key, value)}
    found = {**DEFAULTS.get(name, {}), **{renamed.get(key, key): value for key, value in kept.items()}}
    for key in _ACTIVATION_KEYS & found.keys():
        if isinstance(found[key], str):
            found[key] = ACTIVATIONS.get(found[key], found[key])
    if name in _INITIALIZERS:
        found.pop("dtype", None)
    return found


def _does_nothing(key: str, value: Any) -> bool:
    return any(type(value) is type(nothing) and value == nothing for nothing in _NOTHING.get(key, ()))


def _call(call: Any) -> Any:
    """A call of a layer; tensors among its settings are marked as such, settings that are None are left out."""
    if not isinstance(call, list):
        return call
    return [[*place[:3], _call_settings(place[3])] if _has_settings(place) else place for place in call]


def _has_settings(place: Any) -> bool:
    return isinstance(place, list) and len(place) == 4 and isinstance(place[3], Mapping)


def _call_settings(settings: Mapping[str, Any]) -> Config:
    kept = {key: _with_tensors(value) for key, value in settings.items() if value is not None}
    return {key: value for key, value in kept.items() if key != "training" or value}


def _with_tensors(value: Any) -> Any:
    if is_place(value):
        return tensor_config(value)
    return [_with_tensors(inner) for inner in value] if isinstance(value, list) else value


_LOSS_KEYS: Final = frozenset({"fn", "module"})
_REDUCTIONS: Final = {"auto": "sum_over_batch_size"}
_OPTIMIZER_KEYS: Final = {"lr": "learning_rate"}
_OPTIMIZER_UNUSED: Final = frozenset({"jit_compile", "is_legacy_optimizer"})


def training_from_keras_2(config: Mapping[str, Any]) -> Config:
    """How a model was compiled: the arguments of ``compile``, in the words of Keras 3."""
    found = from_keras_2(dict(config))
    return {
        "optimizer": optimizer_from_keras_2(found.get("optimizer_config")),
        "loss": _named(found.get("loss")),
        "metrics": _named(found.get("metrics")),
        "weighted_metrics": _named(found.get("weighted_metrics")),
        "loss_weights": found.get("loss_weights"),
    }


def optimizer_from_keras_2(config: Any) -> Any:
    """An optimizer. A rate that decays with the steps becomes the schedule that does the same."""
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        return config
    settings = {_OPTIMIZER_KEYS.get(k, k): v for k, v in config["config"].items() if k not in _OPTIMIZER_UNUSED}
    decay = settings.pop("decay", 0.0)
    if decay and isinstance(settings.get("learning_rate"), (int, float)):
        schedule = {"initial_learning_rate": settings["learning_rate"], "decay_steps": 1, "decay_rate": decay}
        settings["learning_rate"] = {"class_name": "InverseTimeDecay", "config": schedule}
    if settings.get("epsilon", 0) is None:
        del settings["epsilon"]
    return {**config, "class_name": str(config.get("class_name")).rpartition(">")[2], "config": settings}


def _named(value: Any) -> Any:
    """Losses and metrics, in whatever structure they are."""
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        config = value.get("config")
        if not isinstance(config, Mapping):
            return value
        if value["class_name"] == "MeanMetricWrapper":
            return {**value, "config": dict(config)}
        kept = {key: inner for key, inner in config.items() if key not in _LOSS_KEYS}
        if isinstance(kept.get("reduction"), str):
            kept["reduction"] = _REDUCTIONS.get(kept["reduction"], kept["reduction"])
        return {**value, "config": kept}
    if isinstance(value, Mapping):
        return {key: _named(inner) for key, inner in value.items()}
    return [_named(inner) for inner in value] if isinstance(value, list) else value
