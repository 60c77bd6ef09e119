"""Windows that move over an image: what the settings of a user mean, and how many positions there are.

An image is (batch, axes..., channels); its axes are called spatial, whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.ops.shaping import expand_dims, squeeze, transpose
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int, window_padding

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

FORMATS: Final = ("channels_last", "channels_first")
AXES: Final = ("depth", "height", "width")
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


def checked_format(data_format: Any) -> str:
    """'channels_last' or 'channels_first'."""
    if data_format not in FORMATS:
        raise ArgumentError(f"data_format is {data_format!r}.", expected=" or ".join(map(repr, FORMATS)) + ".")
    return str(data_format)


def first_axis(ndim: int, count: int, data_format: str) -> int:
    """Where the ``count`` spatial axes begin."""
    return ndim - count - 1 if data_format == FORMATS[0] else ndim - count


def as_images(x: Tensor, count: int, data_format: str) -> Tensor:
    """x as (batch, spatial axes, channels)."""
    x = x if x.ndim == count + 2 else expand_dims(x, 0)
    return x if data_format == FORMATS[0] else transpose(x, (0, *range(2, count + 2), 1))


def from_images(y: Tensor, ndim: int, data_format: str) -> Tensor:
    """The reverse of ``as_images``."""
    y = y if data_format == FORMATS[0] else transpose(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))
    return y if y.ndim == ndim else squeeze(y, 0)
