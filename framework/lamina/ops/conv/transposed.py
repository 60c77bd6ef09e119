"""Transposed convolution: the gradient of a convolution with respect to its input, run forward."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.ops.conv.primitives import convolution_input_gradient
from lamina.ops.conv.settings import transposed, transposed_settings
from lamina.ops.windows import as_images, from_images
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor


def _transposed(
    x: Tensor, kernel: Tensor, size: Any, strides: Any, pads: Any, dilations: Any, groups: int, data_format: str
) -> Tensor:
    images = as_images(x, len(strides), data_format)
    y = convolution_input_gradient(images, kernel, size, strides, pads, dilations, groups)
    return from_images(y, x.ndim, data_format)


@composite_op(result=transposed, dtypes=FLOATING)
def conv1d_transpose(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    output_shape: Any = None,
    dilations: Any = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Transposed one-dimensional convolution: y[n, i*s+a*d, o] = sum over i, a, c of x[n, i, c] * kernel[a, o, c].

    ``x`` has shape (batch, steps, channels) or (steps, channels), ``kernel`` (steps, filters / groups, channels).
    Settings and errors as for ``conv2d_transpose``.

    >>> conv1d_transpose([[1.0], [2.0]], [[[1.0]], [[10.0]]], strides=2).tolist()
    [[1.0], [10.0], [2.0], [20.0]]
    """
    return _transposed(x, kernel, output_shape, strides, padding, dilations, groups, data_format)


@conv1d_transpose.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return transposed_settings("conv1d_transpose", 1, x, kernel, settings)


@composite_op(result=transposed, dtypes=FLOATING)
def conv2d_transpose(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    output_shape: Any = None,
    dilations: Any = 1,
    groups: int = 1,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Transposed two-dimensional convolution, that is the gradient of ``conv2d`` with respect to its input.

    y[n, i*s+a*d, j*s+b*d, o] = sum over i, j, a, b, c of x[n, i, j, c] * kernel[a, b, o, c], without the padding.

    ``x`` has shape (batch, height, width, channels), or that without the batch, ``kernel`` (height, width, filters /
    groups, channels), and the settings are those of the ``conv2d`` that leads back from the result to x.
    ``output_shape`` is the (height, width) of the result or its whole shape, any that such a ``conv2d`` brings to x's
    sizes; None means size * strides for 'same' padding, (size - 1) * strides + the larger of window and stride for
    'valid', and (size - 1) * strides + window - padding for padding in numbers. As TensorFlow.

    Raises ShapeError if axes, channels or ``output_shape`` do not fit.

    >>> conv2d_transpose([[[[1.0], [2.0]]]], [[[[1.0]], [[10.0]]]], strides=(1, 2)).tolist()
    [[[[1.0], [10.0], [2.0], [20.0]]]]
    """
    return _transposed(x, kernel, output_shape, strides, padding, dilations, groups, data_format)


@conv2d_transpose.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return transposed_settings("conv2d_transpose", 2, x, kernel, settings)


@composite_op(result=transposed, dtypes=FLOATING)
def conv3d_transpose(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    output_shape: Any = None,
    dilations: Any = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Transposed three-dimensional convolution: as ``conv2d_transpose``, with one axis more.

    ``x`` has shape (batch, depth, height, width, channels), or that without the batch, ``kernel`` (depth, height,
    width, filters / groups, channels). Settings and errors as for ``conv2d_transpose``. As TensorFlow.

    >>> conv3d_transpose([[[[1.0], [2.0]]]], [[[[[1.0]], [[10.0]]]]], strides=(1, 1, 2)).tolist()
    [[[[1.0], [10.0], [2.0], [20.0]]]]
    """
    return _transposed(x, kernel, output_shape, strides, padding, dilations, groups, data_format)


@conv3d_transpose.settings
def _(x: Tensor, kernel: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError if axes or channels do not fit, ArgumentTypeError or ArgumentError for a wrong setting."""
    return transposed_settings("conv3d_transpose", 3, x, kernel, settings)
