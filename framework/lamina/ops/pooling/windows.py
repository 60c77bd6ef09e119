"""Settings and result rules of pooling."""

from __future__ import annotations

from typing import Any

from lamina.errors import ShapeError
from lamina.ops.windows import AXES, FORMATS, Pads, Sizes, checked_format, first_axis, pads_around, per_axis, positions
from lamina.shapes import Spec


def pooled(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Spec:
    """Result rule: one element for each position of the window."""
    return Spec((x.shape[0], *positions(x.shape[1:-1], window, strides, pads, dilations), x.shape[-1]), x.dtype)


def pooling_settings(name: str, x: Any, count: int, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a public pooling op of ``count`` spatial axes in their one form, checked against x."""
    layout = checked_format(settings.get("data_format", FORMATS[0]))
    if x.ndim not in (count + 1, count + 2):
        axes = ("batch", *AXES[-count:], "channels")
        raise ShapeError(f"{name}(x): x is {x.shape}.", expected=f"x ({', '.join(axes)}), or that without the batch.")
    first = first_axis(x.ndim, count, layout)
    window = per_axis(settings["window"], count, "window")
    strides = window if settings["strides"] is None else per_axis(settings["strides"], count, "strides")
    dilations = per_axis(settings.get("dilations", 1), count, "dilations")
    rounding = settings.get("dim_rounding_mode")
    pads = pads_around(x.shape[first : first + count], window, strides, dilations, settings["padding"], rounding)
    found = {"window": window, "strides": strides, "padding": pads, "dilations": dilations, "dim_rounding_mode": None}
    return {**settings, **{name: value for name, value in found.items() if name in settings}}


def pooled_as_given(
    x: Any, *, window: Sizes, strides: Sizes, padding: Pads, dilations: Sizes = (), data_format: str = FORMATS[0],
    **_: Any,
) -> Spec:  # fmt: skip
    """Result rule of the public pooling ops, with and without a batch, channels last or first."""
    count = len(window)
    first = first_axis(x.ndim, count, data_format)
    stop = first + count
    sizes = positions(x.shape[first:stop], window, strides, padding, dilations or (1,) * count)
    return Spec((*x.shape[:first], *sizes, *x.shape[stop:]), x.dtype)
