"""Convolution, a matrix product for each position in the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lamina.contract import KernelTable

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


def taps(
    window: tuple[int, ...], output: tuple[int, ...], strides: Pair, dilations: Pair
) -> Iterator[tuple[int, int, Any]]:
    """For each position of the window the slice of the padded image that meets it."""
    for a in range(window[0]):
        for b in range(window[1]):
            top, left = a * dilations[0], b * dilations[1]
            rows = slice(top, top + strides[0] * (output[0] - 1) + 1, strides[0]) if output[0] else slice(0, 0)
            columns = slice(left, left + strides[1] * (output[1] - 1) + 1, strides[1]) if output[1] else slice(0, 0)
            yield a, b, (slice(None), rows, columns, slice(None))


def padded(xp: Any, x: Any, pads: Pads, value: float = 0.0) -> Any:
    """An image with a border of a constant value."""
    (top, bottom), (left, right) = pads
    if not (top or bottom or left or right):
        return x
    n, h, w, c = x.shape
    result = xp.full((n, h + top + bottom, w + left + right, c), value, dtype=x.dtype)
    result[:, top : top + h, left : left + w, :] = x
    return result


def cropped(x: Any, pads: Pads) -> Any:
    """A padded image without its border."""
    (top, bottom), (left, right) = pads
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right, :]


def output_size(size: tuple[int, ...], window: tuple[int, ...], strides: Pair, dilations: Pair) -> Pair:
    """How many positions a window has in a padded image."""
    rows, columns = (max(0, (size[i] - (dilations[i] * (window[i] - 1) + 1)) // strides[i] + 1) for i in range(2))
    return (rows, columns)


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("conv2d")
    def conv2d(x: Any, kernel: Any, strides: Pair, pads: Pads, dilations: Pair) -> Any:
        image = padded(xp, x, pads)
        output = output_size(image.shape[1:3], kernel.shape[:2], strides, dilations)
        y = xp.zeros((x.shape[0], *output, kernel.shape[3]), dtype=x.dtype)
        for a, b, place in taps(kernel.shape[:2], output, strides, dilations):
            y += xp.matmul(image[place], kernel[a, b, :, :])
        return y

    @kernels("conv2d_input_gradient")
    def conv2d_input_gradient(dy: Any, kernel: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Any:
        shape = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
        dx = xp.zeros((dy.shape[0], *shape, kernel.shape[2]), dtype=dy.dtype)
        for a, b, place in taps(kernel.shape[:2], dy.shape[1:3], strides, dilations):
            dx[place] += xp.matmul(dy, xp.matrix_transpose(kernel[a, b, :, :]))
        return cropped(dx, pads)

    @kernels("conv2d_kernel_gradient")
    def conv2d_kernel_gradient(x: Any, dy: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Any:
        image = padded(xp, x, pads)
        filters = dy.shape[3]
        rows = xp.reshape(dy, (-1, filters))
        dk = xp.zeros((*size, x.shape[3], filters), dtype=x.dtype)
        for a, b, place in taps(size, dy.shape[1:3], strides, dilations):
            dk[a, b, :, :] = xp.matmul(xp.matrix_transpose(xp.reshape(image[place], (-1, x.shape[3]))), rows)
        return dk

    return kernels
