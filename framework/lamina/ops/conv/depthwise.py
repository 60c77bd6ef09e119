"""Convolution of each channel by itself, and the separable one that mixes the channels afterwards."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.conv.primitives import convolution
from lamina.ops.conv.settings import convolved_by_depth, depthwise_settings
from lamina.ops.shaping import reshape
from lamina.ops.windows import as_images, from_images
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor


def _by_depth(images: Tensor, kernel: Tensor, strides: Any, pads: Any, dilations: Any) -> Tensor:
    height, width, channels, multiplier = kernel.shape
    grouped = reshape(kernel, (height, width, 1, channels * multiplier))
    return convolution(images, grouped, strides, pads, dilations, max(1, channels))


@composite_op(result=convolved_by_depth, dtypes=FLOATING)
def depthwise_conv2d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Convolution of each channel by itself.

    y[n, i, j, c*m+q] = sum over a, b of x[n, i*s+a*d, j*s+b*d, c] * kernel[a, b, c, q].

    ``x`` has shape (batch, height, width, channels), or that without the batch, ``kernel`` (height, width, channels,
    m); the result has channels * m channels. Settings and errors as for ``conv2d``. As TensorFlow.

    >>> depthwise_conv2d([[[[1.0, 2.0]]]], [[[[3.0], [4.0]]]]).tolist()
    [[[[3.0, 8.0]]]]
    """
    images = as_images(x, 2, data_format)
    return from_images(_by_depth(images, kernel, strides, padding, dilations), x.ndim, data_format)


@depthwise_conv2d.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return depthwise_settings("depthwise_conv2d", x, kernel, settings)


@composite_op(result=convolved_by_depth, dtypes=FLOATING)
def separable_conv2d(
    x: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """A depthwise convolution, and one of 1 x 1 behind it that mixes the channels: conv2d(depthwise_conv2d(x)).

    ``depthwise_kernel`` has shape (height, width, channels, m), ``pointwise_kernel`` (1, 1, channels * m, filters).
    x, settings and errors as for ``conv2d``; strides, padding and dilations are those of the first step. As
    TensorFlow.

    >>> separable_conv2d([[[[1.0, 2.0]]]], [[[[3.0], [4.0]]]], [[[[1.0], [10.0]]]]).tolist()
    [[[[83.0]]]]
    """
    images = as_images(x, 2, data_format)
    y = _by_depth(images, depthwise_kernel, strides, padding, dilations)
    return from_images(convolution(y, pointwise_kernel, (1, 1), ((0, 0), (0, 0)), (1, 1)), x.ndim, data_format)


@separable_conv2d.settings
def _(x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    found = depthwise_settings("separable_conv2d", x, depthwise_kernel, settings)
    wanted = (1, 1, depthwise_kernel.shape[2] * depthwise_kernel.shape[3])
    if pointwise_kernel.ndim != 4 or pointwise_kernel.shape[:3] != wanted:
        raise ShapeError(
            f"separable_conv2d(x, depthwise_kernel, pointwise_kernel): pointwise_kernel is {pointwise_kernel.shape}.",
            expected=f"(1, 1, {wanted[2]}, filters), for depthwise_kernel is {depthwise_kernel.shape}.",
        )
    return found
