"""Convolution as one matrix product over the columns of all windows; many images go block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import cupy

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import conv as shared
from lamina_arrayapi.kernels.windows import output_size
from lamina_cupy.cuda.windows import Sizes, can, geometry
from lamina_cupy.cuda.windows import kernels as cuda
from lamina_cupy.kernels import depthwise
from lamina_cupy.namespace import namespace

BLOCK_BYTES: Final = 2**27
"""The columns of a block of images; a product this large fills every device."""

kernels = KernelTable()
general = shared.make(namespace)


class Windows:
    """How the windows of a convolution lie, and the columns of images in them."""

    def __init__(
        self, batch: int, size: Sizes, channels: int, output: Sizes, window: Sizes,
        strides: Sizes, pads: Any, dilations: Sizes, groups: int,
    ) -> None:  # fmt: skip
        self.groups = groups
        self.rows, self.depth = math.prod(output), math.prod(window) * (channels // groups)
        self.batch, self.image = batch, math.prod(size) * channels
        self.arguments = geometry(size, channels, output, window, strides, pads, dilations)
        self.is_matrix = (
            groups == 1 and math.prod(window) == 1 and all(s == 1 for s in strides) and not any(map(any, pads))
        )

    def blocks(self, itemsize: int) -> Iterator[slice]:
        """The images that are done at once."""
        images = self.batch
        if not self.is_matrix:
            images = max(1, BLOCK_BYTES // max(1, itemsize * self.groups * self.rows * self.depth))
        for first in range(0, self.batch, images):
            yield slice(first, min(self.batch, first + images))

    def columns(self, x: Any, block: slice) -> Any:
        """(groups, windows, places and channels), without groups if there is one."""
        rows = (block.stop - block.start) * self.rows
        if self.is_matrix:
            return x[block].reshape(rows, self.depth)
        made = cupy.empty((self.groups, rows, self.depth), x.dtype)
        cuda("im2col", x.dtype.name, made.size, x, made, block.start, rows, self.groups, *self.arguments)
        return made if self.groups > 1 else made[0]

    def images(self, columns: Any, dx: Any, block: slice) -> None:
        """The reverse: adds what lies on the same place, into a block of images."""
        if self.is_matrix:
            dx[block] = columns.reshape(dx[block].shape)
            return
        count = block.stop - block.start
        columns = cupy.ascontiguousarray(columns)
        cuda("col2im", dx.dtype.name, count * self.image, columns, dx, block.start, count * self.rows, self.groups,
             *self.arguments)  # fmt: skip

    def filters(self, y: Any, block: slice) -> Any:
        """A block of results as a matrix for each group."""
        flat = y[block].reshape(-1, y.shape[-1])
        return shared.by_group(cupy, flat, self.groups)

    def matrices(self, kernel: Any) -> Any:
        """The kernel as a matrix for each group."""
        flat = cupy.ascontiguousarray(kernel).reshape(self.depth, kernel.shape[-1])
        return shared.by_group(cupy, flat, self.groups)


@kernels("convolution")
def convolution(x: Any, kernel: Any, strides: Sizes, pads: Any, dilations: Sizes, groups: int) -> Any:
    window = kernel.shape[:-2]
    output = output_size(_around(x.shape[1:-1], pads), window, strides, dilations)
    shape = (x.shape[0], *output, kernel.shape[-1])
    if not _suits(x, kernel, shape):
        return general["convolution"](x, kernel, strides, pads, dilations, groups)
    x = cupy.ascontiguousarray(x)
    windows = Windows(x.shape[0], x.shape[1:-1], x.shape[-1], output, window, strides, pads, dilations, groups)
    if 1 < groups == x.shape[-1]:
        return depthwise.forward(x, kernel, shape, windows.arguments)
    y, matrices = cupy.empty(shape, x.dtype), windows.matrices(kernel)
    for block in windows.blocks(x.itemsize):
        columns, part = windows.columns(x, block), y[block]
        if groups == 1:
            cupy.matmul(columns, matrices, out=part.reshape(-1, shape[-1]))
        else:
            part[...] = shared.together(cupy, cupy.matmul(columns, matrices), part.shape, groups)
    return y


@kernels("convolution_input_gradient")
def convolution_input_gradient(
    dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Any, dilations: Sizes, groups: int
) -> Any:
    window, channels = kernel.shape[:-2], kernel.shape[-2] * groups
    shape = (dy.shape[0], *size, channels)
    if not _suits(dy, kernel, shape):
        return general["convolution_input_gradient"](dy, kernel, size, strides, pads, dilations, groups)
    dy = cupy.ascontiguousarray(dy)
    windows = Windows(dy.shape[0], size, channels, dy.shape[1:-1], window, strides, pads, dilations, groups)
    if 1 < groups == channels:
        return depthwise.input_gradient(dy, kernel, shape, windows.arguments)
    dx, turned = cupy.empty(shape, dy.dtype), cupy.matrix_transpose(windows.matrices(kernel))
    for block in windows.blocks(dy.itemsize):
        windows.images(cupy.matmul(windows.filters(dy, block), turned), dx, block)
    return dx


@kernels("convolution_kernel_gradient")
def convolution_kernel_gradient(
    x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Any, dilations: Sizes, groups: int
) -> Any:
    if not _suits(x, dy, x.shape):
        return general["convolution_kernel_gradient"](x, dy, size, strides, pads, dilations, groups)
    x, dy = cupy.ascontiguousarray(x), cupy.ascontiguousarray(dy)
    windows = Windows(x.shape[0], x.shape[1:-1], x.shape[-1], dy.shape[1:-1], size, strides, pads, dilations, groups)
    if 1 < groups == x.shape[-1]:
        return depthwise.kernel_gradient(x, dy, size, windows.arguments)
    total = None
    for block in windows.blocks(x.itemsize):
        columns = cupy.matrix_transpose(windows.columns(x, block))
        part = cupy.matmul(columns, windows.filters(dy, block))
        total = part if total is None else total + part
    shape = (*size, x.shape[-1] // groups, dy.shape[-1])
    return shared.together(cupy, total, shape, groups).reshape(shape)


def _around(size: Sizes, pads: Any) -> tuple[int, ...]:
    return tuple(s + sum(pad) for s, pad in zip(size, pads, strict=True))


def _suits(x: Any, other: Any, shape: Sizes) -> bool:
    return bool(x.size and other.size and math.prod(shape)) and can(x.dtype.name, x.shape, other.shape, shape)
