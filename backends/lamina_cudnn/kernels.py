"""Convolution and its gradients by cuDNN; where it has nothing that will do, by the CuPy backend's own kernels."""

from __future__ import annotations

from typing import Any

import cupy

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.windows import output_size
from lamina_cudnn import geometry
from lamina_cudnn.geometry import Sizes, channels_last
from lamina_cudnn.graphs import DTYPES, run
from lamina_cupy.kernels.conv import kernels as own

kernels = KernelTable()


def _suits(a: Any, b: Any, pads: Any, *shapes: Sizes) -> bool:
    return a.dtype.name in DTYPES and a.dtype == b.dtype and geometry.suits(pads, a.shape, b.shape, *shapes)


def _turned(kernel: Any) -> Any:
    """(filters, *window, channels), dense."""
    return cupy.ascontiguousarray(cupy.permute_dims(kernel, (kernel.ndim - 1, *range(kernel.ndim - 1))))


@kernels("convolution")
def convolution(x: Any, kernel: Any, strides: Sizes, pads: Any, dilations: Sizes, groups: int) -> Any:
    around = tuple(size + sum(pad) for size, pad in zip(x.shape[1:-1], pads, strict=True))
    shape = (x.shape[0], *output_size(around, kernel.shape[:-2], strides, dilations), kernel.shape[-1])
    if _suits(x, kernel, pads, shape):
        y, turned = cupy.empty(shape, x.dtype), _turned(kernel)
        tensors = channels_last(x.shape), channels_last(turned.shape), channels_last(shape)
        windows = geometry.windows(strides, pads, dilations)
        if run("forward", cupy.ascontiguousarray(x), turned, y, tensors, windows):
            return y
    return own["convolution"](x, kernel, strides, pads, dilations, groups)


@kernels("convolution_input_gradient")
def convolution_input_gradient(
    dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Any, dilations: Sizes, groups: int
) -> Any:
    shape = (dy.shape[0], *size, kernel.shape[-2] * groups)
    if _suits(dy, kernel, pads, shape):
        dx, turned = cupy.empty(shape, dy.dtype), _turned(kernel)
        tensors = channels_last(dy.shape), channels_last(turned.shape), channels_last(shape)
        windows = geometry.windows(strides, pads, dilations)
        if run("input_gradient", cupy.ascontiguousarray(dy), turned, dx, tensors, windows):
            return dx
    return own["convolution_input_gradient"](dy, kernel, size, strides, pads, dilations, groups)


@kernels("convolution_kernel_gradient")
def convolution_kernel_gradient(
    x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Any, dilations: Sizes, groups: int
) -> Any:
    shape = (dy.shape[-1], *size, x.shape[-1] // groups)
    if _suits(x, dy, pads, shape):
        turned = cupy.empty(shape, x.dtype)
        tensors = channels_last(x.shape), channels_last(dy.shape), channels_last(shape)
        windows = geometry.windows(strides, pads, dilations)
        if run("kernel_gradient", cupy.ascontiguousarray(x), cupy.ascontiguousarray(dy), turned, tensors, windows):
            return cupy.ascontiguousarray(cupy.permute_dims(turned, (*range(1, turned.ndim), 0)))
    return own["convolution_kernel_gradient"](x, dy, size, strides, pads, dilations, groups)
