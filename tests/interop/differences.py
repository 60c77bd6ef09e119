"""Layers that TensorFlow.js 4.22 computes otherwise, or not at all, though it knows their classes.

Each is a class, a condition on the settings, and what happens there; the tests see it happen. A model with such a layer
cannot be handed over as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

Settings = Mapping[str, Any]


class Difference(NamedTuple):
    """What TensorFlow.js does for layers of a class with some settings; the settings are in Keras's spelling."""

    classes: str
    holds: Callable[[Settings], bool]
    what: str


def _has(key: str, *values: Any) -> Callable[[Settings], bool]:
    return lambda settings: key in settings and settings[key] in values


def _not(key: str, *usual: Any) -> Callable[[Settings], bool]:
    return lambda settings: settings.get(key) not in (None, *usual)


_FIRST = _has("data_format", "channels_first")
_ALWAYS: Callable[[Settings], bool] = lambda settings: True  # noqa: E731


def _resets_after(value: Any) -> bool:
    """Whether some GRU in a config has Keras 3's bias."""
    if isinstance(value, Mapping):
        own = value.get("class_name") in ("GRU", "GRUCell") and value["config"].get("reset_after", True)
        return own or any(map(_resets_after, value.values()))
    return isinstance(value, list) and any(map(_resets_after, value))


def _is_stack(settings: Settings) -> bool:
    return isinstance(settings.get("cell"), Mapping) and settings["cell"]["class_name"] == "StackedRNNCells"


def _strides_over(window: str) -> Callable[[Settings], bool]:
    """Whether padding is the same and a stride longer than the window."""

    def holds(settings: Settings) -> bool:
        sizes, steps = (np.broadcast_to(settings.get(key, 1), 3) for key in (window, "strides"))
        return settings.get("padding") == "same" and bool(np.any(steps > sizes))

    return holds


DIFFERENCES: Final = [
    Difference("Activation", _has("activation", "gelu_new"), "reads the name that it wrote itself as geluNew"),
    Difference("BatchNormalization", _not("axis", -1), "its CPU backend does not stretch the statistics along axes"),
    Difference("BatchNormalization", _has("renorm", True), "knows no renormalization, and refuses its weights"),
    Difference("CategoryEncoding", _ALWAYS, "changes the shape of its input, which then refuses the data"),
    Difference("CenterCrop", _ALWAYS, "changes the shape of its input, which then refuses the data"),
    Difference("Concatenate", _has("axis", 3), "takes the axis of its first call for the shape, if it is out of range"),
    Difference("Conv1D", _has("padding", "causal"), "raises: not implemented"),
    Difference("Conv1D Conv2D", _not("groups", 1), "knows no groups, and refuses the kernel"),
    Difference("Conv3D Conv3DTranspose", _strides_over("kernel_size"), "begins behind the first element"),
    Difference("AveragePooling3D MaxPooling3D", _strides_over("pool_size"), "begins behind the first element"),
    Difference("Conv2DTranspose", _not("output_padding"), "overlooks it"),
    Difference("DepthwiseConv2D", _not("dilation_rate", 1, [1, 1], (1, 1)), "overlooks it"),
    Difference("Dot", _has("axes", (2, -1)), "raises for more than three axes"),
    Difference("ELU", _not("alpha", 1.0, 1), "raises: not supported"),
    Difference("GRU GRUCell", lambda settings: settings.get("reset_after", True), "refuses reset_after"),
    Difference("RNN StackedRNNCells", _resets_after, "refuses reset_after"),
    Difference("RNN", lambda s: bool(s.get("return_state") and _is_stack(s)), "gives states in another order"),
    Difference("SimpleRNN GRU LSTM", lambda s: bool(s.get("return_state") and s.get("stateful")), "goes on twice"),
    Difference("GlobalAveragePooling1D GlobalMaxPooling1D", _FIRST, "overlooks it"),
    Difference("GlobalAveragePooling2D GlobalMaxPooling2D", _has("keepdims", True), "overlooks it"),
    Difference("GRUCell LSTMCell SimpleRNNCell StackedRNNCells ConvLSTM2DCell", _ALWAYS, "is no layer of a model"),
    Difference("Identity", _ALWAYS, "its class of that name is an initializer"),
    Difference("LayerNormalization", _has("axis", [2, 1], [1, 2]), "sorts the axes"),
    Difference("LayerNormalization", _has("rms_scaling", True), "does not know it, and misses a weight"),
    Difference("AveragePooling1D MaxPooling1D", _FIRST, "overlooks it"),
    Difference("RandomWidth", _ALWAYS, "takes the list of inputs for one"),
    Difference("ReLU", lambda s: bool(s.get("negative_slope") or s.get("threshold")), "overlooks slope and threshold"),
    Difference("Resizing", _ALWAYS, "takes the list of inputs for one"),
    Difference("SeparableConv2D", _FIRST, "adds the bias along another axis"),
    Difference("UpSampling2D", _has("interpolation", "bilinear"), "has another function of that name"),
]  # fmt: skip


def difference(class_name: str, settings: Settings) -> str | None:
    """What TensorFlow.js does otherwise; None if it computes the same."""
    found = (d.what for d in DIFFERENCES if class_name in d.classes.split() and d.holds(settings))
    return next(found, None)
