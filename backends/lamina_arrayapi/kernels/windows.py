"""Windows over images (batch, spatial axes, channels) of any number of spatial axes, as shifted slices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from lamina_arrayapi.writing import put

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def taps(window: Sizes, output: Sizes, strides: Sizes, dilations: Sizes) -> Iterator[tuple[Sizes, Any]]:
    """For each place in the window, in order, the slice of the padded image that meets it."""
    for place in itertools.product(*map(range, window)):
        starts = (a * d for a, d in zip(place, dilations, strict=True))
        slices = (
            slice(start, start + stride * (count - 1) + 1, stride) if count else slice(0, 0)
            for start, stride, count in zip(starts, strides, output, strict=True)
        )
        yield place, (slice(None), *slices, slice(None))


def padded(xp: Any, x: Any, pads: Pads, value: Any = 0) -> Any:
    """An image with a border of a constant value."""
    if not any(map(any, pads)):
        return x
    sizes = (size + sum(pad) for size, pad in zip(x.shape[1:-1], pads, strict=True))
    result = xp.full((x.shape[0], *sizes, x.shape[-1]), value, dtype=x.dtype)
    return put(xp, result, _inner(result.shape, pads), x)


def cropped(x: Any, pads: Pads) -> Any:
    """A padded image without its border."""
    return x[_inner(x.shape, pads)]


def _inner(shape: Sizes, pads: Pads) -> Any:
    inner = (slice(a, size - b) for size, (a, b) in zip(shape[1:-1], pads, strict=True))
    return (slice(None), *inner, slice(None))


def output_size(size: Sizes, window: Sizes, strides: Sizes, dilations: Sizes) -> Sizes:
    """How many positions a window has in a padded image."""
    return tuple(
        max(0, (s - (d * (w - 1) + 1)) // stride + 1)
        for s, w, stride, d in zip(size, window, strides, dilations, strict=True)
    )


def counts(size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> list[list[int]]:
    """For each axis and position of the window how many of its elements are not padding."""
    found = []
    for s, w, stride, (before, after), d in zip(size, window, strides, pads, dilations, strict=True):
        positions = max(0, (s + before + after - (d * (w - 1) + 1)) // stride + 1)
        starts = (i * stride - before for i in range(positions))
        found.append([sum(0 <= start + a * d < s for a in range(w)) for start in starts])
    return found


def count_of_all(found: list[list[int]]) -> int | None:
    """The one number of elements of every window, None if they differ."""
    if any(len(set(axis)) > 1 for axis in found):
        return None
    return math.prod(axis[0] if axis else 1 for axis in found)
