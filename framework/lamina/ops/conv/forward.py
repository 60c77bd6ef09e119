"""Convolution of sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.ops.conv.primitives import convolution
from lamina.ops.conv.settings import convolution_settings, convolved
from lamina.ops.windows import as_images, from_images
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor


def _convolution(
    x: Tensor, kernel: Tensor, strides: Any, pads: Any, dilations: Any, groups: int, data_format: str
) -> Tensor:
    images = as_images(x, len(strides), data_format)
    return from_images(convolution(images, kernel, strides, pads, dilations, groups), x.ndim, data_format)


@composite_op(result=convolved, dtypes=FLOATING)
def conv1d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    groups: int = 1,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """One-dimensional convolution: y[n, i, o] = sum over a, c of x[n, i*s+a*d, c] * kernel[a, c, o].

    ``x`` has shape (batch, steps, channels) or (steps, channels), ``kernel`` (steps, channels / groups, filters).
    Settings and errors as for ``conv2d``, with one number or pair where that has two. As TensorFlow.

    >>> conv1d([[1.0], [2.0], [4.0]], [[[1.0]], [[-1.0]]]).tolist()
    [[-1.0], [-2.0]]
    """
    return _convolution(x, kernel, strides, padding, dilations, groups, data_format)


@conv1d.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return convolution_settings("conv1d", 1, x, kernel, settings)


@composite_op(result=convolved, dtypes=FLOATING)
def conv2d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    groups: int = 1,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Two-dimensional convolution: y[n, i, j, o] = sum over a, b, c of x[n, i*s+a*d, j*s+b*d, c] * kernel[a, b, c, o].

    ``x`` has shape (batch, height, width, channels), or (height, width, channels); with ``data_format``
    'channels_first' the channels come before the height. ``kernel`` has shape (height, width, channels / groups,
    filters): each group of filters sees its own group of channels. ``strides`` and ``dilations`` are one integer or
    one for each axis. ``padding`` is 'valid' (none), 'same' (zeros so that the size divides by the strides only), a
    number of zeros on all sides, or ((top, bottom), (left, right)). ``dim_rounding_mode`` 'ceil' or 'round' adds
    zeros behind where the strides do not divide the size, for padding in numbers; else the rest is not read.
    As TensorFlow; strides and dilations may both be above 1. Raises ShapeError if axes or channels do not fit.

    >>> conv2d([[[[1.0], [2.0]]]], [[[[3.0]]]]).tolist()
    [[[[3.0], [6.0]]]]
    """
    return _convolution(x, kernel, strides, padding, dilations, groups, data_format)


@conv2d.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return convolution_settings("conv2d", 2, x, kernel, settings)


@composite_op(result=convolved, dtypes=FLOATING)
def conv3d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Three-dimensional convolution: as ``conv2d``, with one axis more.

    ``x`` has shape (batch, depth, height, width, channels), or that without the batch, ``kernel`` (depth, height,
    width, channels / groups, filters). Settings and errors as for ``conv2d``. As TensorFlow.

    >>> conv3d([[[[1.0], [2.0]]]], [[[[[3.0]]]]]).tolist()
    [[[[3.0], [6.0]]]]
    """
    return _convolution(x, kernel, strides, padding, dilations, groups, data_format)


@conv3d.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return convolution_settings("conv3d", 3, x, kernel, settings)
