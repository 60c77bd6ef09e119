"""Convolution as one matrix product over gathered windows.

One strided copy gathers runs of k * channels contiguous numbers (an im2col whose inner run is a whole window row), in
blocks of images that stay in cache; the gradient for the input is a product per window position added into place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import conv as shared
from lamina_arrayapi.kernels.windows import Pads, Sizes, cropped, output_size, padded, taps

kernels = KernelTable()
BLOCK_BYTES = 512 * 1024
_MIN_ROWS = 128
_plain = shared.make(np)


def _windows(image: Any, window: Sizes, output: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    """A view (n, positions..., window..., channels) of a padded image."""
    n, c, s = image.shape[0], image.shape[-1], image.strides
    steps = [a * b for a, b in zip(s[1:-1], strides, strict=True)]
    inside = [a * b for a, b in zip(s[1:-1], dilations, strict=True)]
    return as_strided(image, (n, *output, *window, c), (s[0], *steps, *inside, s[-1]), writeable=False)


def _block(n: int, row_bytes: int, rows: int) -> int:
    """How many images to gather at a time: as many as fit the cache, but enough rows to fill a matrix product."""
    fitting = max(1, BLOCK_BYTES // max(1, row_bytes * rows))
    return min(n, max(fitting, -(-_MIN_ROWS // max(1, rows)))) or 1


def _gathered(image: Any, window: Sizes, output: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    """Yields (first image, last image, matrix of windows) block by block; the matrix is reused."""
    n, channels = image.shape[0], image.shape[-1]
    width, rows = math.prod(window) * channels, math.prod(output)
    view = _windows(image, window, output, strides, dilations)
    count = _block(n, width * image.itemsize, rows)
    columns = np.empty((count, *output, *window, channels), image.dtype)
    for start in range(0, n, count):
        stop = min(n, start + count)
        part = columns[: stop - start]
        np.copyto(part, view[start:stop])
        yield start, stop, part.reshape(-1, width)


@kernels("convolution", out=True)
def convolution(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilations: Sizes, groups: int, out: Any = None) -> Any:
    if groups > 1:
        y = _plain["convolution"](x, kernel, strides, pads, dilations, groups)
        return y if out is None else np.copyto(out, y)
    image = np.ascontiguousarray(padded(np, x, pads))
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    output = output_size(image.shape[1:-1], window, strides, dilations)
    y = np.empty((x.shape[0], *output, filters), x.dtype) if out is None else out
    matrix = kernel.reshape(-1, filters)
    if set(window) == {1} and set(strides) == {1}:
        np.matmul(image.reshape(-1, image.shape[-1]), matrix, out=y.reshape(-1, filters))
        return y
    for start, stop, columns in _gathered(image, window, output, strides, dilations):
        np.matmul(columns, matrix, out=y[start:stop].reshape(-1, filters))
    return y


@kernels("convolution_kernel_gradient", out=True)
def convolution_kernel_gradient(
    x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int, out: Any = None
) -> Any:
    if groups > 1:
        y = _plain["convolution_kernel_gradient"](x, dy, size, strides, pads, dilations, groups)
        return y if out is None else np.copyto(out, y)
    image = np.ascontiguousarray(padded(np, x, pads))
    filters = dy.shape[-1]
    result = np.empty((*size, x.shape[-1], filters), x.dtype) if out is None else out
    dk = result.reshape(-1, filters)
    dk[...] = 0
    dy = np.ascontiguousarray(dy)
    for start, stop, columns in _gathered(image, size, dy.shape[1:-1], strides, dilations):
        dk += np.matmul(columns.T, dy[start:stop].reshape(-1, filters))
    return result


@kernels("convolution_input_gradient")
def convolution_input_gradient(
    dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int
) -> Any:
    if groups > 1:
        return _plain["convolution_input_gradient"](dy, kernel, size, strides, pads, dilations, groups)
    if set(strides) == {1}:
        return _correlated(dy, kernel, size, pads, dilations)
    shape = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
    dx = np.zeros((dy.shape[0], *shape, kernel.shape[-2]), dy.dtype)
    for at, place in taps(kernel.shape[:-2], dy.shape[1:-1], strides, dilations):
        dx[place] += np.matmul(dy, kernel[at].T)
    return cropped(dx, pads)


def _correlated(dy: Any, kernel: Any, size: Sizes, pads: Pads, dilations: Sizes) -> Any:
    """For strides of 1: dy, padded, convolved with the flipped and transposed kernel."""
    around, inner = [], []
    for k, d, s, (before, _), given in zip(kernel.shape, dilations, size, pads, dy.shape[1:-1], strict=False):
        ahead, behind = d * (k - 1) - before, s + before - given
        # more padding than the kernel reaches: cut what no input element meets
        inner.append(slice(max(0, -ahead), given - max(0, -behind)))
        around.append((max(0, ahead), max(0, behind)))
    spatial = tuple(range(len(size)))
    flipped = np.ascontiguousarray(np.flip(kernel, spatial).swapaxes(-1, -2))
    part = dy[(slice(None), *inner)]
    return convolution(part, flipped, (1,) * len(size), tuple(around), dilations, 1)
