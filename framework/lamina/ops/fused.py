"""Products and convolutions with what usually follows them, a bias and an activation, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina.errors import ArgumentError, ShapeError
from lamina.ops import conv
from lamina.ops.activation import elu as _elu
from lamina.ops.activation import leaky_relu as _leaky_relu
from lamina.ops.activation import prelu as _prelu
from lamina.ops.activation import relu as _relu
from lamina.ops.activation import relu6 as _relu6
from lamina.ops.activation import sigmoid as _sigmoid
from lamina.ops.elementwise import add as _add
from lamina.ops.elementwise import cast as _cast
from lamina.ops.matmul import matmul as _matmul
from lamina.ops.shaping import reshape as _reshape
from lamina.ops.windows import FORMATS
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.shapes import broadcast_shapes

__all__ = ["conv2d", "depthwise_conv2d", "matmul"]

_ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "linear": lambda y: y,
    "relu": _relu,
    "relu6": _relu6,
    "elu": _elu,
    "sigmoid": _sigmoid,
}


def _check_activation(activation: Any, prelu_weights: Any) -> None:
    """Raises ArgumentError for an activation that is not there, or 'prelu' without its weights."""
    names = (*_ACTIVATIONS, "leaky_relu", "prelu")
    if activation not in names:
        raise ArgumentError(f"activation is {activation!r}.", expected=f"one of {', '.join(names)}.")
    if activation == "prelu" and prelu_weights is None:
        raise ArgumentError("activation is 'prelu' and prelu_weights is None.", expected="weights for it.")


def _activated(y: Tensor, activation: str, prelu_weights: Any, alpha: float) -> Tensor:
    """y with an activation of ``_check_activation`` applied."""
    if activation == "prelu":
        return _prelu(y, prelu_weights)
    if activation == "leaky_relu":
        return _leaky_relu(y, alpha)
    return _ACTIVATIONS[activation](y)


def _biased(y: Tensor, bias: Any) -> Tensor:
    """y + bias, which is broadcast; None adds nothing."""
    if bias is None:
        return y
    bias = to_tensor(bias)
    if broadcast_shapes("fused", ("y", "bias"), (y.shape, bias.shape)) != y.shape:
        raise ShapeError(f"bias is {bias.shape} and the result is {y.shape}.", expected="bias to broadcast to it.")
    return _add(y, bias)


def _by_channel(values: Any, data_format: str, y: Tensor) -> Tensor | None:
    """What has an element for each channel, so that it broadcasts against an image; Python numbers in its dtype."""
    if values is None:
        return None
    tensor = to_tensor(values)
    if not hasattr(values, "dtype"):
        tensor = _cast(tensor, y.dtype)
    return _reshape(tensor, (-1, 1, 1)) if tensor.ndim == 1 and data_format != FORMATS[0] else tensor


def conv2d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    bias: Any = None,
    activation: str = "linear",
    prelu_weights: Any = None,
    alpha: float = 0.2,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Convolution, bias and activation: y = activation(conv2d(x, kernel) + bias).

    ``bias`` has an element for each filter, or any shape that broadcasts to the result. ``activation`` is 'linear',
    'relu', 'relu6', 'elu', 'sigmoid', 'leaky_relu' with the slope ``alpha`` below 0, or 'prelu' with the slopes
    ``prelu_weights``, one for each filter or any shape that broadcasts. The rest as for ``lamina.conv2d``. As
    TensorFlow.js. Raises ArgumentError for another activation, ShapeError if a shape does not fit.

    >>> conv2d([[[[1.0], [2.0]]]], [[[[3.0]]]], bias=[-4.0], activation="relu").tolist()
    [[[[0.0], [2.0]]]]
    """
    _check_activation(activation, prelu_weights)
    y = conv.conv2d(
        x, kernel, strides, padding, dilations, dim_rounding_mode=dim_rounding_mode, data_format=data_format
    )
    y = _biased(y, _by_channel(bias, data_format, y))
    return _activated(y, activation, _by_channel(prelu_weights, data_format, y), alpha)


def depthwise_conv2d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: Any = "valid",
    dilations: Any = 1,
    bias: Any = None,
    activation: str = "linear",
    prelu_weights: Any = None,
    alpha: float = 0.2,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Depthwise convolution, bias and activation: y = activation(depthwise_conv2d(x, kernel) + bias).

    Settings and errors as for ``fused.conv2d``, the kernel as for ``lamina.depthwise_conv2d``.

    >>> depthwise_conv2d([[[[1.0, 2.0]]]], [[[[3.0], [4.0]]]], bias=-5.0, activation="leaky_relu").tolist()
    [[[[-0.4000000059604645, 3.0]]]]
    """
    _check_activation(activation, prelu_weights)
    y = conv.depthwise_conv2d(x, kernel, strides, padding, dilations, dim_rounding_mode, data_format)
    y = _biased(y, _by_channel(bias, data_format, y))
    return _activated(y, activation, _by_channel(prelu_weights, data_format, y), alpha)


def matmul(
    a: TensorLike,
    b: TensorLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    bias: Any = None,
    activation: str = "linear",
    prelu_weights: Any = None,
    alpha: float = 0.2,
) -> Tensor:
    """Matrix product, bias and activation: y = activation(matmul(a, b) + bias).

    ``bias`` and ``prelu_weights`` broadcast to the product; activations and errors as for ``fused.conv2d``, the rest
    as for ``lamina.matmul``.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]], bias=[-12.0], activation="relu").tolist()
    [[0.0]]
    """
    _check_activation(activation, prelu_weights)
    y = _biased(_matmul(a, b, transpose_a, transpose_b), bias)
    return _activated(y, activation, prelu_weights, alpha)
