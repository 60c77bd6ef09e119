"""Convolution of each channel by itself, where a group is one channel."""

from __future__ import annotations

import math
from typing import Any, Final

import cupy
import numpy as np

from lamina_cupy.cuda.depthwise import kernels as cuda
from lamina_cupy.cuda.windows import Sizes

MOST_SHARES: Final = 1024
"""Of the windows, in each of which a thread adds the products for one element of the kernel."""


def forward(x: Any, kernel: Any, shape: Sizes, geometry: list[int]) -> Any:
    """The result of a shape; ``kernel`` is (window, 1, filters)."""
    y = cupy.empty(shape, x.dtype)
    cuda("depthwise", x.dtype.name, y.size, x, cupy.ascontiguousarray(kernel), y, shape[-1] // x.shape[-1], *geometry)
    return y


def input_gradient(dy: Any, kernel: Any, shape: Sizes, geometry: list[int]) -> Any:
    """The gradient of images of a shape."""
    dx = cupy.empty(shape, dy.dtype)
    filters = dy.shape[-1] // shape[-1]
    cuda("depthwise_input", dx.dtype.name, dx.size, dy, cupy.ascontiguousarray(kernel), dx, filters, *geometry)
    return dx


def kernel_gradient(x: Any, dy: Any, size: Sizes, geometry: list[int]) -> Any:
    """The gradient of a kernel (window, 1, filters)."""
    windows = math.prod(dy.shape[:-1])
    share = -(-windows // MOST_SHARES)
    shares = cupy.empty((-(-windows // share), *size, 1, dy.shape[-1]), x.dtype)
    cuda("depthwise_kernel", x.dtype.name, shares.size, x, dy, shares, dy.shape[-1] // x.shape[-1], np.int64(windows),
         np.int64(share), *geometry)  # fmt: skip
    return cupy.sum(shares, axis=0)
