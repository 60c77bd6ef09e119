"""Convolution along any number of axes, a matrix product for each position in the window."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.windows import Pads, Sizes, cropped, output_size, padded, taps
from lamina_arrayapi.writing import add, put


def by_group(xp: Any, x: Any, groups: int) -> Any:
    """An image as (groups, elements, channels of a group), or as it is for one group."""
    if groups == 1:
        return x
    return xp.permute_dims(xp.reshape(x, (-1, groups, x.shape[-1] // groups)), (1, 0, 2))


def together(xp: Any, y: Any, shape: Sizes, groups: int) -> Any:
    """The reverse of ``by_group``."""
    return y if groups == 1 else xp.reshape(xp.permute_dims(y, (1, 0, 2)), shape)


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("convolution")
    def convolution(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Any:
        image = padded(xp, x, pads)
        output = output_size(image.shape[1:-1], kernel.shape[:-2], strides, dilations)
        y = xp.zeros((x.shape[0], *output, kernel.shape[-1]), dtype=x.dtype)
        for at, place in taps(kernel.shape[:-2], output, strides, dilations):
            matrix = by_group(xp, kernel[(*at, ...)], groups)
            y += together(xp, xp.matmul(by_group(xp, image[place], groups), matrix), y.shape, groups)
        return y

    @kernels("convolution_input_gradient")
    def convolution_input_gradient(
        dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int
    ) -> Any:
        shape = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
        channels = kernel.shape[-2] * groups
        dx = xp.zeros((dy.shape[0], *shape, channels), dtype=dy.dtype)
        parts = by_group(xp, dy, groups)
        for at, place in taps(kernel.shape[:-2], dy.shape[1:-1], strides, dilations):
            matrix = xp.matrix_transpose(by_group(xp, kernel[(*at, ...)], groups))
            dx = add(xp, dx, place, together(xp, xp.matmul(parts, matrix), (*dy.shape[:-1], channels), groups))
        return cropped(dx, pads)

    @kernels("convolution_kernel_gradient")
    def convolution_kernel_gradient(
        x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int
    ) -> Any:
        image = padded(xp, x, pads)
        filters, channels = dy.shape[-1], x.shape[-1] // groups
        rows = by_group(xp, dy, groups) if groups > 1 else xp.reshape(dy, (-1, filters))
        dk = xp.zeros((*size, channels, filters), dtype=x.dtype)
        for at, place in taps(size, dy.shape[1:-1], strides, dilations):
            part = image[place]
            part = by_group(xp, part, groups) if groups > 1 else xp.reshape(part, (-1, channels))
            product = xp.matmul(xp.matrix_transpose(part), rows)
            if groups > 1:
                product = xp.reshape(xp.permute_dims(product, (1, 0, 2)), (channels, filters))
            dk = put(xp, dk, (*at, ...), product)
        return dk

    return kernels
