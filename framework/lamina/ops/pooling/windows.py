"""Windows that move over an image: what the settings of a user mean, and how many positions there are.

An image is (batch, axes..., channels); its axes are called spatial, whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.ops.shaping import expand_dims, squeeze, transpose
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, window_padding

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

FORMATS: Final = ("channels_last", "channels_first")
_ROUNDINGS: Final[dict[str, Callable[[float], int]]] = {
    "floor": math.floor, "ceil": math.ceil, "round": lambda x: math.floor(x + 0.5),
}  # fmt: skip


def per_axis(value: Any, count: int, name: str, minimum: int = 1) -> Sizes:
    """One integer for all axes, or one for each."""
    values = (value,) * count if hasattr(value, "__index__") else value
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != count:
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be an integer, or {count} of them.")
    return tuple(as_int(v, name, minimum=minimum) for v in values)


def pads_around(sizes: Sizes, window: Sizes, strides: Sizes, dilations: Sizes, padding: Any, rounding: Any) -> Pads:
    """How many elements a padding setting adds before and after each axis.

    A rounding mode other than 'floor' may add some more behind, so that the number of positions comes out rounded.
    """
    if rounding is not None and rounding not in _ROUNDINGS:
        raise ArgumentError(f"dim_rounding_mode is {rounding!r}.", expected="None, 'floor', 'ceil' or 'round'.")
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ArgumentError(f"padding is {padding!r}.", expected="'valid', 'same', an integer, or pairs of them.")
        if rounding is not None:
            raise ArgumentError(
                f"padding is {padding!r} and dim_rounding_mode is {rounding!r}.",
                expected="padding in numbers where a rounding mode is given.",
            )
        axes = zip(sizes, window, strides, dilations, strict=True)
        return tuple(window_padding(size, reach, stride, padding, spread) for size, reach, stride, spread in axes)
    given = _given_pads(padding, len(sizes))
    rounded = _ROUNDINGS[rounding or "floor"]
    pads = []
    for size, reach, stride, dilation, (before, after) in zip(sizes, window, strides, dilations, given, strict=True):
        free = size + before + after - (dilation * (reach - 1) + 1)
        missing = rounded(free / stride) * stride - free
        pads.append((before, after + max(0, missing)))
    return tuple(pads)


def _given_pads(padding: Any, count: int) -> Pads:
    if hasattr(padding, "__index__") or not isinstance(padding, Sequence):
        number = as_int(padding, "padding", minimum=0)
        return ((number, number),) * count
    if len(padding) != count or any(not isinstance(p, Sequence) or len(p) != 2 for p in padding):
        raise ArgumentTypeError(f"padding is {padding!r}.", expected=f"{count} pairs (before, after).")
    return tuple((as_int(a, "padding", minimum=0), as_int(b, "padding", minimum=0)) for a, b in padding)


def positions(sizes: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Sizes:
    """How many positions windows have along each axis."""
    return tuple(
        max(0, (size + sum(pad) - (dilation * (reach - 1) + 1)) // stride + 1)
        for size, reach, stride, pad, dilation in zip(sizes, window, strides, pads, dilations, strict=True)
    )


def pooled(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Spec:
    """Result rule: one element for each position of the window."""
    return Spec((x.shape[0], *positions(x.shape[1:-1], window, strides, pads, dilations), x.shape[-1]), x.dtype)


def pooling_settings(name: str, x: Any, count: int, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a public pooling op of ``count`` spatial axes in their one form, checked against x."""
    layout = settings.get("data_format", FORMATS[0])
    if layout not in FORMATS:
        raise ArgumentError(f"data_format is {layout!r}.", expected=" or ".join(map(repr, FORMATS)) + ".")
    if x.ndim not in (count + 1, count + 2):
        axes = ("batch", *("depth", "height", "width")[-count:], "channels")
        raise ShapeError(f"{name}(x): x is {x.shape}.", expected=f"x ({', '.join(axes)}), or that without the batch.")
    first = _first_axis(x.ndim, count, layout)
    window = per_axis(settings["window"], count, "window")
    strides = window if settings["strides"] is None else per_axis(settings["strides"], count, "strides")
    dilations = per_axis(settings.get("dilations", 1), count, "dilations")
    rounding = settings.get("dim_rounding_mode")
    pads = pads_around(x.shape[first : first + count], window, strides, dilations, settings["padding"], rounding)
    found = {"window": window, "strides": strides, "padding": pads, "dilations": dilations, "dim_rounding_mode": None}
    return {**settings, **{name: value for name, value in found.items() if name in settings}}


def _first_axis(ndim: int, count: int, data_format: str) -> int:
    """Where the spatial axes begin."""
    return ndim - count - 1 if data_format == FORMATS[0] else ndim - count


def pooled_as_given(
    x: Any, *, window: Sizes, strides: Sizes, padding: Pads, dilations: Sizes = (), data_format: str = FORMATS[0],
    **_: Any,
) -> Spec:  # fmt: skip
    """Result rule of the public pooling ops, with and without a batch, channels last or first."""
    count = len(window)
    first = _first_axis(x.ndim, count, data_format)
    stop = first + count
    sizes = positions(x.shape[first:stop], window, strides, padding, dilations or (1,) * count)
    return Spec((*x.shape[:first], *sizes, *x.shape[stop:]), x.dtype)


def as_images(x: Tensor, count: int, data_format: str) -> Tensor:
    """x as (batch, spatial axes, channels)."""
    x = x if x.ndim == count + 2 else expand_dims(x, 0)
    return x if data_format == FORMATS[0] else transpose(x, (0, *range(2, count + 2), 1))


def from_images(y: Tensor, ndim: int, data_format: str) -> Tensor:
    """The reverse of ``as_images``."""
    y = y if data_format == FORMATS[0] else transpose(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))
    return y if y.ndim == ndim else squeeze(y, 0)
