"""Convolution as one matrix product over gathered windows.

One strided copy gathers runs of k * channels contiguous numbers (an im2col whose inner run is a whole window row), in
blocks of images that stay in cache; the gradient for the input is a product per window position added into place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.conv import Pads, Pair, cropped, output_size, padded, taps

kernels = KernelTable()
BLOCK_BYTES = 512 * 1024
_MIN_ROWS = 128


def _windows(image: Any, window: tuple[int, ...], output: Pair, strides: Pair, dilations: Pair) -> Any:
    """A view (n, out rows, out columns, window rows, window columns, channels) of a padded image."""
    n, _, _, c = image.shape
    s = image.strides
    return as_strided(
        image,
        (n, *output, *window, c),
        (s[0], s[1] * strides[0], s[2] * strides[1], s[1] * dilations[0], s[2] * dilations[1], s[3]),
        writeable=False,
    )


def _block(n: int, row_bytes: int, rows: int) -> int:
    """How many images to gather at a time: as many as fit the cache, but enough rows to fill a matrix product."""
    fitting = max(1, BLOCK_BYTES // max(1, row_bytes * rows))
    return min(n, max(fitting, -(-_MIN_ROWS // max(1, rows)))) or 1


def _gathered(image: Any, window: tuple[int, ...], output: Pair, strides: Pair, dilations: Pair) -> Any:
    """Yields (first image, last image, matrix of windows) block by block; the matrix is reused."""
    n, channels = image.shape[0], image.shape[3]
    width, rows = window[0] * window[1] * channels, output[0] * output[1]
    view = _windows(image, window, output, strides, dilations)
    count = _block(n, width * image.itemsize, rows)
    columns = np.empty((count, *output, *window, channels), image.dtype)
    for start in range(0, n, count):
        stop = min(n, start + count)
        part = columns[: stop - start]
        np.copyto(part, view[start:stop])
        yield start, stop, part.reshape(-1, width)


@kernels("conv2d", out=True)
def conv2d(x: Any, kernel: Any, strides: Pair, pads: Pads, dilations: Pair, out: Any = None) -> Any:
    image = np.ascontiguousarray(padded(np, x, pads))
    window, filters = kernel.shape[:2], kernel.shape[3]
    output = output_size(image.shape[1:3], window, strides, dilations)
    y = np.empty((x.shape[0], *output, filters), x.dtype) if out is None else out
    matrix = kernel.reshape(-1, filters)
    if window == (1, 1) and strides == (1, 1):
        np.matmul(image.reshape(-1, image.shape[3]), matrix, out=y.reshape(-1, filters))
        return y
    for start, stop, columns in _gathered(image, window, output, strides, dilations):
        np.matmul(columns, matrix, out=y[start:stop].reshape(-1, filters))
    return y


@kernels("conv2d_kernel_gradient", out=True)
def conv2d_kernel_gradient(
    x: Any, dy: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair, out: Any = None
) -> Any:
    image = np.ascontiguousarray(padded(np, x, pads))
    filters = dy.shape[3]
    result = np.empty((*size, x.shape[3], filters), x.dtype) if out is None else out
    dk = result.reshape(-1, filters)
    dk[...] = 0
    dy = np.ascontiguousarray(dy)
    for start, stop, columns in _gathered(image, size, dy.shape[1:3], strides, dilations):
        dk += np.matmul(columns.T, dy[start:stop].reshape(-1, filters))
    return result


@kernels("conv2d_input_gradient")
def conv2d_input_gradient(dy: Any, kernel: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Any:
    if strides == (1, 1):
        return _correlated(dy, kernel, size, pads, dilations)
    shape = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
    dx = np.zeros((dy.shape[0], *shape, kernel.shape[2]), dy.dtype)
    for a, b, place in taps(kernel.shape[:2], dy.shape[1:3], strides, dilations):
        dx[place] += np.matmul(dy, kernel[a, b].T)
    return cropped(dx, pads)


def _correlated(dy: Any, kernel: Any, size: Pair, pads: Pads, dilations: Pair) -> Any:
    """For strides of 1: dy, padded, convolved with the flipped and transposed kernel."""
    reach = tuple(d * (k - 1) for d, k in zip(dilations, kernel.shape[:2], strict=True))
    rows, columns = ((reach[i] - pads[i][0], size[i] + pads[i][0] - dy.shape[1 + i]) for i in range(2))
    if min(*rows, *columns) < 0:  # more padding than the kernel reaches: cut what no input element meets
        dy = dy[
            :,
            max(0, -rows[0]) : dy.shape[1] - max(0, -rows[1]),
            max(0, -columns[0]) : dy.shape[2] - max(0, -columns[1]),
        ]
        rows, columns = ((max(0, a), max(0, b)) for a, b in (rows, columns))
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    return conv2d(dy, np.ascontiguousarray(flipped), (1, 1), (rows, columns), dilations)
