"""Pooling axis by axis, in blocks of images that stay in cache.

The largest of a window is that of its columns' largest, and so for sums: along the first axis the elements to combine
lie in long runs, which is where NumPy is fast. A gradient looks for the first winner of each window by comparisons,
whose results are bytes, and adds dy at its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.pooling import elements_counted
from lamina_arrayapi.kernels.windows import Pads, Sizes, cropped, output_size, taps
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()
BLOCK_BYTES = 512 * 1024


def _lowest(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def _blocks(x: Any, pads: Pads, value: Any) -> Iterator[tuple[slice, Any]]:
    """Some images at a time, with their border; the memory of a border is used again."""
    sizes = tuple(s + sum(pad) for s, pad in zip(x.shape[1:-1], pads, strict=True))
    count = max(1, BLOCK_BYTES // max(1, x.itemsize * math.prod(sizes) * x.shape[-1]))
    framed = any(map(any, pads))
    frame = np.full((min(count, x.shape[0]), *sizes, x.shape[-1]), value, x.dtype) if framed else None
    for start in range(0, x.shape[0], count):
        block = slice(start, min(start + count, x.shape[0]))
        if frame is None:
            yield block, x[block]
        else:
            inside = frame[: block.stop - start]
            np.copyto(cropped(inside, pads), x[block])
            yield block, inside


def _along(image: Any, axis: int, window: int, stride: int, dilation: int, count: int) -> list[Any]:
    """For each place in the window the elements along one axis that meet it."""
    before = (slice(None),) * axis
    starts = (a * dilation for a in range(window))
    return [image[(*before, slice(start, start + stride * (count - 1) + 1, stride))] for start in starts]


def _combined(combine: Callable[..., Any], image: Any, window: Sizes, strides: Sizes, dilations: Sizes, y: Any) -> None:
    """Combines the elements of each window into y, one axis after the other."""
    axes = [i for i, size in enumerate(window) if size > 1 or strides[i] > 1] or [0]
    for i in axes:
        first, *others = _along(image, i + 1, window[i], strides[i], dilations[i], y.shape[i + 1])
        out = y if i == axes[-1] else np.empty(first.shape, first.dtype)
        if others:
            combine(first, others[0], out=out)
        else:
            np.copyto(out, first)
        for other in others[1:]:
            combine(out, other, out=out)
        image = out


@kernels("window_max", out=True)
@quiet
def window_max(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None) -> Any:
    around = tuple(s + sum(pad) for s, pad in zip(x.shape[1:-1], pads, strict=True))
    output = output_size(around, window, strides, dilations)
    y = np.empty((x.shape[0], *output, x.shape[-1]), x.dtype) if out is None else out
    if y.size:
        for block, image in _blocks(x, pads, _lowest(x.dtype)):
            _combined(np.maximum, image, window, strides, dilations, y[block])
    return y


@kernels("window_max_gradient", out=True)
@quiet
def window_max_gradient(
    dy: Any, x: Any, y: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None
) -> Any:
    framed = any(map(any, pads))
    whole = not framed and _tiles(x.shape[1:-1], window, strides, dilations)
    dx = np.empty(x.shape, dy.dtype) if out is None else out
    if not whole or not y.size:
        dx[...] = 0
    for block, image in _blocks(x, pads, _lowest(x.dtype)) if y.size else ():
        target = np.zeros(image.shape, dy.dtype) if framed else dx[block]
        _give_to_winners(dy[block], image, y[block], target, window, strides, dilations, whole)
        if framed:
            dx[block] = cropped(target, pads)
    return dx


def _tiles(sizes: Sizes, window: Sizes, strides: Sizes, dilations: Sizes) -> bool:
    """Whether every element is in just one window."""
    axes = zip(sizes, window, strides, dilations, strict=True)
    return all(w == s and d == 1 and n % w == 0 for n, w, s, d in axes)


def _give_to_winners(
    dy: Any, image: Any, y: Any, dx: Any, window: Sizes, strides: Sizes, dilations: Sizes, whole: bool
) -> None:
    """Adds dy to dx at the first largest element of each window."""
    wins, free = np.empty(y.shape, np.bool_), np.ones(y.shape, np.bool_)
    share = np.empty(y.shape, dy.dtype)
    broken = bool((y != y).any())
    places = [place for _, place in taps(window, y.shape[1:-1], strides, dilations)]
    for place in places[:-1]:
        value = image[place]
        np.equal(value, y, wins)
        if broken:
            wins |= value != value  # a NaN wins its window
        np.logical_and(wins, free, wins)
        np.not_equal(free, wins, free)
        _give(dy, wins, share, dx[place], whole)
    _give(dy, free, share, dx[places[-1]], whole)


def _give(dy: Any, wins: Any, share: Any, target: Any, whole: bool) -> None:
    if whole:
        np.multiply(dy, wins, target)
    else:
        np.multiply(dy, wins, share)
        np.add(target, share, target)


@kernels("window_mean", out=True)
@quiet
def window_mean(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None) -> Any:
    around = tuple(s + sum(pad) for s, pad in zip(x.shape[1:-1], pads, strict=True))
    output = output_size(around, window, strides, dilations)
    y = np.empty((x.shape[0], *output, x.shape[-1]), x.dtype) if out is None else out
    if not y.size:
        return y
    count = elements_counted(np, x.dtype, x.shape[1:-1], window, strides, pads, dilations)
    factor = np.asarray(1.0 / np.asarray(count, np.float64), x.dtype)
    for block, image in _blocks(x, pads, 0):
        _combined(np.add, image, window, strides, dilations, y[block])
        np.multiply(y[block], factor, out=y[block])
    return y


@kernels("window_mean_gradient", out=True)
@quiet
def window_mean_gradient(
    dy: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None
) -> Any:
    count = elements_counted(np, dy.dtype, size, window, strides, pads, dilations)
    factor = np.asarray(1.0 / np.maximum(np.asarray(count, np.float64), 1.0), dy.dtype)
    around = tuple(s + sum(pad) for s, pad in zip(size, pads, strict=True))
    dx = np.empty((dy.shape[0], *size, dy.shape[-1]), dy.dtype) if out is None else out
    if not dy.size:
        dx[...] = 0
        return dx
    images = max(1, BLOCK_BYTES // max(1, dy.itemsize * math.prod(around) * dy.shape[-1]))
    for start in range(0, dy.shape[0], images):
        block = slice(start, start + images)
        share = np.multiply(dy[block], factor)
        dx[block] = cropped(_spread(share, around, window, strides, dilations), pads)
    return dx


def _spread(share: Any, sizes: Sizes, window: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    """Adds each share to all elements of its window in zeros, one axis after the other, the last axis first."""
    for i in reversed(range(len(window))):
        shape = (*share.shape[: i + 1], sizes[i], *share.shape[i + 2 :])
        alone = _tiles(sizes[i : i + 1], window[i : i + 1], strides[i : i + 1], dilations[i : i + 1])
        target = np.empty(shape, share.dtype) if alone else np.zeros(shape, share.dtype)
        for place in _along(target, i + 1, window[i], strides[i], dilations[i], share.shape[i + 1]):
            if alone:
                np.copyto(place, share)
            else:
                np.add(place, share, place)
        share = target
    return share
