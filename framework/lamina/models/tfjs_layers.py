"""Layers' configs in TensorFlow.js's words: where a key is missing, or a word means something else there.

A topology in a ``model.json`` is read and written in its words; every other config is in Keras's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.layers import Layer, deserialize

_GLOROT: Final = {"kernel_initializer": "glorot_normal"}
_GATES: Final = {**_GLOROT, "recurrent_activation": "hard_sigmoid"}

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    **dict.fromkeys(("Dense", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose"), _GLOROT),
    **dict.fromkeys(("SimpleRNN", "SimpleRNNCell"), _GLOROT),
    **{key: {**_GATES, "reset_after": False} for key in ("GRU", "GRUCell")},
    **{key: {**_GATES, "unit_forget_bias": False} for key in ("LSTM", "LSTMCell", "ConvLSTM2D", "ConvLSTM2DCell")},
    "DepthwiseConv2D": {"depthwise_initializer": "glorot_normal"},
    "Softmax": {"axis": 1},
    "L1L2": {"l1": 0.01, "l2": 0.01},
}
"""What TensorFlow.js takes for a key that a config lacks, where Keras takes something else."""

KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "InputLayer": {"batch_input_shape": "batch_shape"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
"""Keys of configs that Keras spells otherwise: theirs, and ours."""

ACTIVATIONS: Final[Mapping[str, str]] = {"hard_sigmoid": "hard_sigmoid_tfjs", "swish": "silu"}
"""Activation functions that Keras has under another name, or not: theirs, and ours."""

UNKNOWN_THERE: Final[Mapping[str, str]] = {"hard_sigmoid": "hard_sigmoid_keras3"}
"""What stands in a topology for functions that TensorFlow.js knows only under a name with another meaning."""

VALUES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "UpSampling2D": {"interpolation": {"bilinear_corners": "bilinear", "bilinear": "bilinear_centers"}},
    "VarianceScaling": {"distribution": {"truncated_normal": "normal"}},
}
"""Words in configs, by class and key, that TensorFlow.js spells otherwise: ours, and theirs.

``bilinear_centers`` is none of its words: it refuses the layer instead of computing something else.
"""

_ACTIVATION_KEYS: Final = ("activation", "recurrent_activation")


def from_tfjs(config: Any, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Any:
    """A config, with all that are nested in it, from TensorFlow.js's words to Keras's.

    ``shapes`` are those of the weights by name: where TensorFlow.js leaves a setting out, they say what it was.
    """
    return _each(config, lambda name, inner: _layer_from_tfjs(name, _completed(name, inner, shapes or {})))


def to_tfjs(config: Any) -> Any:
    """A config, with all that are nested in it, from Keras's words to TensorFlow.js's."""
    return _each(config, _layer_to_tfjs)


def layer_from_tfjs(config: Mapping[str, Any]) -> Layer:
    """The layer of a config as TensorFlow.js writes it.

    >>> layer_from_tfjs({"class_name": "LSTM", "config": {"units": 2}}).unit_forget_bias
    False
    """
    return deserialize(from_tfjs(config))


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"type", "value"} and value["type"] == "ndarray":
            return value["value"]  # a number of NumPy, as Keras 2.2 wrote it
        found = {key: _each(v, change) for key, v in value.items()}
        name, config = found.get("class_name"), found.get("config")
        if isinstance(name, str) and isinstance(config, dict):
            found["config"] = change(name, config)
        return found
    return [_each(v, change) for v in value] if isinstance(value, list) else value


def _completed(name: str, config: dict[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """A config with the setting that TensorFlow.js does not write for this layer."""
    kernel = shapes.get(f"{config.get('name')}/depthwise_kernel", ())
    if name != "SeparableConv2D" or "depth_multiplier" in config or len(kernel) != 4:
        return config
    return {**config, "depth_multiplier": kernel[-1]}


def _layer_from_tfjs(name: str, config: dict[str, Any]) -> dict[str, Any]:
    renamed = KEYS.get(name, {})
    found = {renamed.get(key, key): value for key, value in config.items()}
    found = _with_words(found, {key: _turned(words) for key, words in VALUES.get(name, {}).items()})
    found = {key: None if _is_penalty(key, value) else value for key, value in found.items()}
    return _with_activations({**DEFAULTS.get(name, {}), **found}, {**ACTIVATIONS, **_turned(UNKNOWN_THERE)})


def _layer_to_tfjs(name: str, config: dict[str, Any]) -> dict[str, Any]:
    renamed = _turned(KEYS.get(name, {}))
    found = _with_words(config, VALUES.get(name, {}))
    found = {renamed.get(key, key): value for key, value in found.items()}
    return _with_activations(found, {**_turned(ACTIVATIONS), **UNKNOWN_THERE})


def _is_penalty(key: str, value: Any) -> bool:
    """Whether a regularizer stands where a constraint should: so TensorFlow.js writes those of DepthwiseConv2D."""
    return key.endswith("_constraint") and isinstance(value, Mapping) and value.get("class_name") == "L1L2"


def _turned(words: Mapping[str, str]) -> dict[str, str]:
    return {value: key for key, value in words.items()}


def _with_words(config: dict[str, Any], words: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """A config with the values of some keys replaced."""
    given = {key: config[key] for key in words if isinstance(config.get(key), str)}
    return {**config, **{key: words[key].get(value, value) for key, value in given.items()}}


def _with_activations(config: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return _with_words(config, dict.fromkeys(_ACTIVATION_KEYS, names))
