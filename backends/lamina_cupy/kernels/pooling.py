"""Pooling in one pass over the windows; gradients gather what the windows of each element give, in a fixed order."""

from __future__ import annotations

import math
from typing import Any

import cupy

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import pooling as shared
from lamina_arrayapi.kernels.windows import output_size
from lamina_cupy.cuda.windows import Sizes, can, geometry
from lamina_cupy.cuda.windows import kernels as cuda
from lamina_cupy.namespace import namespace

kernels = KernelTable()
general = shared.make(namespace)


def _output(x: Any, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> tuple[int, ...]:
    around = tuple(s + sum(pad) for s, pad in zip(x.shape[1:-1], pads, strict=True))
    return (x.shape[0], *output_size(around, window, strides, dilations), x.shape[-1])


def _suits(x: Any, shape: Sizes) -> bool:
    return bool(x.size and math.prod(shape)) and can(x.dtype.name, x.shape, shape)


def _largest(
    x: Any, shape: Sizes, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes
) -> tuple[Any, Any, list[int]]:
    """The largest elements, where they lie in their windows, and the arguments of more kernels on these windows."""
    arguments = geometry(x.shape[1:-1], x.shape[-1], shape[1:-1], window, strides, pads, dilations)
    y, place = cupy.empty(shape, x.dtype), cupy.empty(shape, cupy.int32)
    cuda("largest", x.dtype.name, y.size, cupy.ascontiguousarray(x), y, place, *arguments)
    return y, place, arguments


@kernels("window_max")
def window_max(x: Any, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> Any:
    shape = _output(x, window, strides, pads, dilations)
    if not _suits(x, shape):
        return general["window_max"](x, window, strides, pads, dilations)
    return _largest(x, shape, window, strides, pads, dilations)[0]


@kernels("window_max_gradient")
def window_max_gradient(dy: Any, x: Any, y: Any, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> Any:
    if not _suits(x, y.shape) or dy.dtype != x.dtype:
        return general["window_max_gradient"](dy, x, y, window, strides, pads, dilations)
    _, place, arguments = _largest(x, y.shape, window, strides, pads, dilations)
    dx = cupy.empty(x.shape, dy.dtype)
    cuda("to_largest", dx.dtype.name, dx.size, cupy.ascontiguousarray(dy), place, dx, *arguments)
    return dx


@kernels("window_max_pick")
def window_max_pick(v: Any, x: Any, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> Any:
    shape = _output(x, window, strides, pads, dilations)
    if not _suits(x, shape) or v.dtype != x.dtype:
        return general["window_max_pick"](v, x, window, strides, pads, dilations)
    _, place, arguments = _largest(x, shape, window, strides, pads, dilations)
    picked = cupy.empty(shape, v.dtype)
    cuda("from_largest", v.dtype.name, picked.size, cupy.ascontiguousarray(v), place, picked, *arguments)
    return picked


@kernels("window_mean")
def window_mean(x: Any, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> Any:
    shape = _output(x, window, strides, pads, dilations)
    if not _suits(x, shape):
        return general["window_mean"](x, window, strides, pads, dilations)
    arguments = geometry(x.shape[1:-1], x.shape[-1], shape[1:-1], window, strides, pads, dilations)
    y = cupy.empty(shape, x.dtype)
    cuda("mean", x.dtype.name, y.size, cupy.ascontiguousarray(x), y, *arguments)
    return y


@kernels("window_mean_gradient")
def window_mean_gradient(dy: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes) -> Any:
    shape = (dy.shape[0], *size, dy.shape[-1])
    if not _suits(dy, shape):
        return general["window_mean_gradient"](dy, size, window, strides, pads, dilations)
    arguments = geometry(size, dy.shape[-1], dy.shape[1:-1], window, strides, pads, dilations)
    dx = cupy.empty(shape, dy.dtype)
    cuda("mean_gradient", dx.dtype.name, dx.size, cupy.ascontiguousarray(dy), dx, *arguments)
    return dx
