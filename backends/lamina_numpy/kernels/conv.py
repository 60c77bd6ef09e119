"""Convolution as matrix products over gathered windows, in tiles that stay in cache, on all threads.

The gradient for the input is a convolution too, of dy with the kernel turned round; for strides above 1 one for each
residue, with every so manieth element of the kernel.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import conv as shared
from lamina_arrayapi.kernels.windows import Pads, Sizes, cropped, padded, taps
from lamina_numpy.gathering import Geometry, by_columns, each, tiles
from lamina_numpy.kernels import depthwise, pairs, shifting
from lamina_numpy.kernels.elementwise import quiet
from lamina_numpy.parallel import in_parallel, parts, workers

kernels = KernelTable()
_plain = shared.make(np)
_COLUMNS_AT_ONCE = 8


@kernels("convolution", out=True)
@quiet
def convolution(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilations: Sizes, groups: int, out: Any = None) -> Any:
    g = Geometry.of(x, kernel.shape[:-2], strides, pads, dilations)
    y = np.empty((x.shape[0], *g.output, kernel.shape[-1]), x.dtype) if out is None else out
    if groups > 1:
        _convolve_groups(x, kernel, g, groups, y)
    elif not y.size or not kernel.size:
        y[...] = 0
    elif math.prod(g.window) == 1:
        image = padded(np, x, pads)[(slice(None), *(slice(None, None, s) for s in strides))]
        np.matmul(image.reshape(-1, g.channels), kernel.reshape(g.channels, -1), out=y.reshape(-1, y.shape[-1]))
    else:
        _convolve(x, kernel, g, y)
    return y


def _convolve(x: Any, kernel: Any, g: Geometry, y: Any) -> None:
    if pairs.pays(len(x), g, y.shape[-1], x.dtype) and pairs.convolve(x, kernel, g, y):
        return
    columns = by_columns(x.shape[0], g)
    matrix = _matrix(kernel, columns)
    made, threads = _tiles(x, g, y.shape[-1], columns)

    def work(some: Any) -> None:
        for tile, gathered in each(x, g, some, columns):
            part = y[tile.place]
            if columns:
                np.matmul(gathered, matrix, out=_columns_of(part))
            else:
                np.matmul(gathered, matrix, out=part.reshape(-1, part.shape[-1]))

    in_parallel(work, parts(made, threads))


def _matrix(kernel: Any, columns: bool) -> Any:
    """The kernel as a matrix whose rows are in the order of what is gathered."""
    return (np.moveaxis(kernel, -3, 0) if columns else kernel).reshape(-1, kernel.shape[-1])


def _columns_of(part: Any) -> Any:
    """A part of a result as (column, row, channels)."""
    return part.reshape(-1, *part.shape[-2:]).transpose(1, 0, 2)


def _tiles(x: Any, g: Geometry, filters: int, columns: bool) -> tuple[Any, int]:
    threads = workers(x.shape[0] * math.prod(g.output) * g.depth * filters)
    line = g.width * math.prod(g.window[:-1]) * g.channels if columns else g.output[-1] * g.depth
    row_bytes = x.itemsize * math.prod(g.output[1:-1]) * (line if len(g.output) > 1 else g.depth)
    return tiles(x.shape[0], g, row_bytes, threads, columns), threads


def _convolve_groups(x: Any, kernel: Any, g: Geometry, groups: int, y: Any) -> None:
    channels, filters = kernel.shape[-2:]
    if channels == 1:
        depthwise.convolve(x, kernel, g, y)
        return
    if filters == groups:  # what a depthwise convolution with several filters for each channel has for its gradient
        y[...] = 0
        for i in range(channels):
            part, one = x[..., i::channels], kernel[..., i : i + 1, :]
            y += convolution(part, one, g.strides, g.pads, g.dilations, groups)
        return
    for c, f in _each_group(x.shape[-1], kernel.shape[-1], groups):
        y[..., f] = convolution(x[..., c], np.ascontiguousarray(kernel[..., f]), g.strides, g.pads, g.dilations, 1)


def _each_group(channels: int, filters: int, groups: int) -> Any:
    for i in range(groups):
        c, f = channels // groups, filters // groups
        yield slice(i * c, (i + 1) * c), slice(i * f, (i + 1) * f)


@kernels("convolution_kernel_gradient", out=True)
@quiet
def convolution_kernel_gradient(
    x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int, out: Any = None
) -> Any:
    g = Geometry.of(x, size, strides, pads, dilations)._replace(output=dy.shape[1:-1])
    filters = dy.shape[-1]
    dk = np.empty((*size, g.channels // groups, filters), x.dtype) if out is None else out
    if not x.size or not dy.size:
        dk[...] = 0
    elif groups > 1 and g.channels == groups:
        depthwise.kernel_gradient(x, dy, g, dk)
    elif groups > 1:
        for c, f in _each_group(g.channels, filters, groups):
            dk[..., f] = convolution_kernel_gradient(x[..., c], dy[..., f], size, strides, pads, dilations, 1)
    elif math.prod(size) == 1:
        image = padded(np, x, pads)[
            (slice(None), *(slice(0, n * s, s) for n, s in zip(g.output, strides, strict=True)))
        ]
        np.matmul(image.reshape(-1, g.channels).T, dy.reshape(-1, filters), out=dk.reshape(-1, filters))
    else:
        _correlate_kernel(x, np.ascontiguousarray(dy), g, dk)
    return dk


def _correlate_kernel(x: Any, dy: Any, g: Geometry, dk: Any) -> None:
    filters = dy.shape[-1]
    if pairs.pays(len(x), g, filters, x.dtype, of_kernel=True) and pairs.kernel_gradient(x, dy, g, dk):
        return
    columns = by_columns(x.shape[0], g)
    made, threads = _tiles(x, g, filters, columns)

    def work(some: Any) -> Any:
        total, part = np.zeros((2, g.depth, filters), x.dtype)
        many = np.empty((_COLUMNS_AT_ONCE if columns else 0, g.depth, filters), x.dtype)
        for tile, gathered in each(x, g, some, columns):
            if columns:
                _add_columns(total, gathered, _columns_of(dy[tile.place]), many, part)
            else:
                np.matmul(gathered.T, dy[tile.place].reshape(-1, filters), out=part)
                total += part
        return total

    total = sum(in_parallel(work, parts(made, threads)))
    if columns:
        total = np.moveaxis(total.reshape(g.window[-1], *g.window[:-1], g.channels, filters), 0, -3)
    dk[...] = total.reshape(dk.shape)


def _add_columns(total: Any, gathered: Any, dy: Any, many: Any, part: Any) -> None:
    """Adds the products of each column, some at a time, so that those fit the cache before they are added up."""
    for start in range(0, len(gathered), len(many)):
        some = many[: len(gathered) - start]
        stop = start + len(some)
        np.matmul(gathered[start:stop].transpose(0, 2, 1), dy[start:stop], out=some)
        np.add.reduce(some, 0, out=part)
        total += part


@kernels("convolution_input_gradient", out=True)
@quiet
def convolution_input_gradient(
    dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int, out: Any = None
) -> Any:
    starts = tuple(before for before, _ in pads)
    dx = np.empty((dy.shape[0], *size, kernel.shape[-2] * groups), dy.dtype) if out is None else out
    if set(strides) == {1} and groups == 1 and _shifts(dy, kernel, size, strides, dilations):
        shifting.input_gradient(dy, kernel, size, starts, dilations, dx)
    elif set(strides) == {1}:
        _correlated(dy, kernel, size, starts, dilations, groups, dx)
    elif set(dilations) != {1}:
        dx[...] = _by_taps(dy, kernel, size, strides, pads, dilations, groups)
    else:
        _by_residues(dy, kernel, strides, starts, groups, dx)
    return dx


def _shifts(dy: Any, kernel: Any, size: Sizes, strides: Sizes, dilations: Sizes) -> bool:
    """Whether products at each place in the window are faster than a convolution of dy, which may go by pairs."""
    g = Geometry(dy.shape[1:-1], dy.shape[-1], kernel.shape[:-2], strides, ((0, 0),) * len(size), dilations, size)
    return shifting.pays(dy, kernel, size, pairs.pays(len(dy), g, kernel.shape[-2], dy.dtype))


def _by_residues(dy: Any, kernel: Any, strides: Sizes, starts: Sizes, groups: int, dx: Any) -> None:
    """For strides: every so manieth element of dx meets every so manieth of the kernel, as for strides of 1."""
    one = (1,) * len(strides)
    for residue in itertools.product(*map(range, strides)):
        places = tuple(slice(r, None, s) for r, s in zip(residue, strides, strict=True))
        firsts = [divmod(r + before, s) for r, s, before in zip(residue, strides, starts, strict=True)]
        some = kernel[tuple(slice(first, None, s) for (_, first), s in zip(firsts, strides, strict=True))]
        part = dx[(slice(None), *places)]
        if some.size and part.size:
            ahead = tuple(skipped for skipped, _ in firsts)
            part[...] = _correlated(dy, some, part.shape[1:-1], ahead, one, groups)
        else:
            part[...] = 0


def _by_taps(dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Any:
    """For strides and gaps at once: a product per place in the window, added into place."""
    if groups > 1:
        return _plain["convolution_input_gradient"](dy, kernel, size, strides, pads, dilations, groups)
    shape = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
    dx = np.zeros((dy.shape[0], *shape, kernel.shape[-2]), dy.dtype)
    for at, place in taps(kernel.shape[:-2], dy.shape[1:-1], strides, dilations):
        dx[place] += np.matmul(dy, kernel[at].T)
    return cropped(dx, pads)


def _correlated(
    dy: Any, kernel: Any, size: Sizes, starts: Sizes, dilations: Sizes, groups: int, out: Any = None
) -> Any:
    """For strides of 1: dy, padded, convolved with the kernel turned round."""
    around, inner = [], []
    for k, d, s, before, given in zip(kernel.shape, dilations, size, starts, dy.shape[1:-1], strict=False):
        ahead, behind = d * (k - 1) - before, s + before - given
        # more padding than the kernel reaches: cut what no input element meets
        inner.append(slice(max(0, -ahead), given - max(0, -behind)))
        around.append((max(0, ahead), max(0, behind)))
    turned = _turned(kernel, groups)
    return convolution(dy[(slice(None), *inner)], turned, (1,) * len(size), tuple(around), dilations, groups, out=out)


def _turned(kernel: Any, groups: int) -> Any:
    """The kernel backwards along its axes, with channels and filters of each group exchanged."""
    flipped = np.flip(kernel, tuple(range(kernel.ndim - 2)))
    window, (channels, filters) = kernel.shape[:-2], kernel.shape[-2:]
    parted = flipped.reshape(*window, channels, groups, filters // groups)
    return np.ascontiguousarray(parted.swapaxes(-1, -3)).reshape(*window, filters // groups, groups * channels)
