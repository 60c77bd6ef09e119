"""Max pooling whose winners are found by comparisons as the maximum is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.pooling import elements_counted, lowest
from lamina_arrayapi.kernels.windows import Pads, Sizes, cropped, output_size, padded, taps
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()


@kernels("window_max", out=True)
@quiet
def window_max(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None) -> Any:
    image = padded(np, x, pads, lowest(np, x.dtype))
    output = output_size(image.shape[1:-1], window, strides, dilations)
    y = np.empty((x.shape[0], *output, x.shape[-1]), x.dtype) if out is None else out
    for i, (_, place) in enumerate(taps(window, output, strides, dilations)):
        if i:
            np.maximum(y, image[place], out=y)
        else:
            np.copyto(y, image[place])
    return y


@kernels("window_max_gradient")
def window_max_gradient(dy: Any, x: Any, y: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    image = padded(np, x, pads, lowest(np, x.dtype))
    apart = all(s >= d * (w - 1) + 1 for s, w, d in zip(strides, window, dilations, strict=True))
    dx = np.zeros(image.shape, dy.dtype)
    free = np.ones(y.shape, np.bool_)
    wins = np.empty(y.shape, np.bool_)
    share = np.empty(y.shape, dy.dtype)
    for _, place in taps(window, y.shape[1:-1], strides, dilations):
        value = image[place]
        np.equal(value, y, out=wins)
        wins |= value != value  # a NaN wins its window
        wins &= free
        free ^= wins
        if apart:
            np.multiply(dy, wins, out=dx[place])
        else:
            np.multiply(dy, wins, out=share)
            dx[place] += share
    return cropped(dx, pads)


@kernels("window_mean", out=True)
@quiet
def window_mean(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, out: Any = None) -> Any:
    image = padded(np, x, pads)
    output = output_size(image.shape[1:-1], window, strides, dilations)
    y = np.empty((x.shape[0], *output, x.shape[-1]), x.dtype) if out is None else out
    for i, (_, place) in enumerate(taps(window, output, strides, dilations)):
        if i:
            np.add(y, image[place], out=y)
        else:
            np.copyto(y, image[place])
    count = elements_counted(np, x.dtype, x.shape[1:-1], window, strides, pads, dilations)
    return np.divide(y, x.dtype.type(count) if isinstance(count, int) else count, out=y)
