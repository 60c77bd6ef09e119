"""Max pooling whose winners are found by comparisons as the maximum is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.conv import Pads, Pair, cropped, output_size, padded, taps
from lamina_arrayapi.kernels.pooling import LOWEST
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()


@kernels("max_pool2d", out=True)
@quiet
def max_pool2d(x: Any, window: Pair, strides: Pair, pads: Pads, out: Any = None) -> Any:
    image = padded(np, x, pads, LOWEST)
    output = output_size(image.shape[1:3], window, strides, (1, 1))
    y = np.empty((x.shape[0], *output, x.shape[3]), x.dtype) if out is None else out
    for i, (_, _, place) in enumerate(taps(window, output, strides, (1, 1))):
        if i:
            np.maximum(y, image[place], out=y)
        else:
            np.copyto(y, image[place])
    return y


@kernels("max_pool2d_gradient")
def max_pool2d_gradient(dy: Any, x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
    image = padded(np, x, pads, LOWEST)
    y = max_pool2d(x, window, strides, pads)
    apart = strides[0] >= window[0] and strides[1] >= window[1]
    dx = np.zeros(image.shape, dy.dtype)
    free = np.ones(y.shape, np.bool_)
    wins = np.empty(y.shape, np.bool_)
    share = np.empty(y.shape, dy.dtype)
    for _, _, place in taps(window, y.shape[1:3], strides, (1, 1)):
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
