"""Morphology of images in grey."""

from __future__ import annotations

import itertools
from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.elementwise import add
from lamina.ops.indexing import getitem
from lamina.ops.pooling.primitives import window_max
from lamina.ops.shaping import pad, reshape, stack
from lamina.ops.windows import Pads, Sizes, as_images, from_images, pads_around, per_axis, positions
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


def _dilated(x: Any, kernel: Any, strides: Sizes, padding: Pads, dilations: Sizes) -> Spec:
    sizes = positions(x.shape[-3:-1], kernel.shape[:2], strides, padding, dilations)
    return Spec((*x.shape[:-3], *sizes, x.shape[-1]), x.dtype)


@composite_op(result=_dilated, dtypes=FLOATING)
def dilation2d(
    x: TensorLike, kernel: TensorLike, strides: Any = 1, padding: Any = "valid", dilations: Any = 1
) -> Tensor:
    """Morphological dilation: y[n, i, j, c] = max over a, b of x[n, i*s+a*d, j*s+b*d, c] + kernel[a, b, c].

    ``x`` has shape (batch, height, width, channels) or (height, width, channels), ``kernel`` (height, width,
    channels). ``strides``, ``padding`` and ``dilations`` as for ``pool``; padding never wins. As TensorFlow; the first
    of equal sums takes the gradient. Raises ShapeError if the axes or the channels do not fit, ArgumentError.

    >>> dilation2d([[[1.0], [5.0], [2.0]]], [[[0.0], [0.5]]]).tolist()
    [[[5.5], [5.0]]]
    """
    images = as_images(x, 2, "channels_last")
    window = kernel.shape[:2]
    n, *sizes, channels = _dilated(images, kernel, strides, padding, dilations).shape
    if any(map(any, padding)):
        images = pad(images, ((0, 0), *padding, (0, 0)), float("-inf"))
    patches = []
    for a, b in itertools.product(*map(range, window)):
        starts = (a * dilations[0], b * dilations[1])
        key = tuple(
            slice(start, start + max(0, count - 1) * stride + 1 if count else start, stride)
            for start, count, stride in zip(starts, sizes, strides, strict=True)
        )
        patches.append(add(getitem(images, (slice(None), *key)), getitem(kernel, (a, b))))
    count = len(patches)
    rows = reshape(stack(patches, 3), (n * sizes[0] * sizes[1], count, channels))
    largest = window_max(rows, (count,), (count,), ((0, 0),), (1,))
    return from_images(reshape(largest, (n, *sizes, channels)), x.ndim, "channels_last")


@dilation2d.settings
def _(x: Tensor, kernel: Tensor, strides: Any, padding: Any, dilations: Any) -> dict[str, Any]:
    if x.ndim not in (3, 4) or kernel.ndim != 3 or x.shape[-1] != kernel.shape[2] or 0 in kernel.shape[:2]:
        raise ShapeError(
            f"dilation2d(x, kernel): x is {x.shape} and kernel is {kernel.shape}.",
            expected="x (batch, height, width, channels) or without the batch, and kernel (height, width, channels).",
        )
    steps, spread = per_axis(strides, 2, "strides"), per_axis(dilations, 2, "dilations")
    pads = pads_around(x.shape[-3:-1], kernel.shape[:2], steps, spread, padding, None)
    return {"strides": steps, "padding": pads, "dilations": spread}
