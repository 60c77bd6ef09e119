"""Normalization by given statistics, and among neighbouring channels."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.elementwise import add, divide, multiply, negative, power, rsqrt, square
from lamina.ops.pooling.primitives import window_mean
from lamina.ops.shaping import pad, reshape
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_float, as_int, broadcast_shapes


def batch_norm(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike = None,
    scale: TensorLike = None,
    variance_epsilon: float = 1e-3,
) -> Tensor:
    """Normalizes by a mean and a variance: y = (x - mean) / sqrt(variance + variance_epsilon) * scale + offset.

    (Ioffe and Szegedy 2015, arXiv:1502.03167.) ``mean``, ``variance`` and, where given, ``offset`` and ``scale`` have
    the shape of x, or one that broadcasts to it, such as (channels,). As TensorFlow.js. Raises ShapeError if they do
    not broadcast to x, or mean and variance have different numbers of axes.

    Raises DTypeError for strings.

    >>> batch_norm([[1.0], [3.0]], [2.0], [1.0], variance_epsilon=0.0).tolist()
    [[-1.0], [1.0]]
    """
    x = to_tensor(x)
    given = {"mean": mean, "variance": variance, "offset": offset, "scale": scale}
    tensors = {name: to_tensor(value) for name, value in given.items() if value is not None}
    _check_statistics(x, tensors)
    factor = rsqrt(add(tensors["variance"], as_float(variance_epsilon, "variance_epsilon")))
    if "scale" in tensors:
        factor = multiply(factor, tensors["scale"])
    shift = negative(multiply(tensors["mean"], factor))
    if "offset" in tensors:
        shift = add(shift, tensors["offset"])
    return add(multiply(x, factor), shift)


def _check_statistics(x: Tensor, tensors: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if broadcast_shapes("batch_norm", ("x", name), (x.shape, tensor.shape)) != x.shape:
            raise ShapeError(f"batch_norm: x is {x.shape} and {name} is {tensor.shape}.", expected="no more axes.")
    mean, variance = tensors["mean"], tensors["variance"]
    if mean.ndim != variance.ndim:
        raise ShapeError(
            f"batch_norm: mean is {mean.shape} and variance is {variance.shape}.", expected="as many axes in both."
        )


@composite_op(
    result=lambda x, depth_radius, bias, alpha, beta: Spec(x.shape, x.dtype), dtypes=FLOATING, integers="float32"
)
def local_response_normalization(
    x: TensorLike, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Tensor:
    """Divides by the neighbouring channels: y[c] = x[c] / (bias + alpha * sum of x[c-r]^2 ... x[c+r]^2) ** beta.

    (Krizhevsky et al. 2012.) ``x`` has shape (batch, height, width, channels) or (height, width, channels);
    ``depth_radius`` is r, an integer. As TensorFlow. Raises ShapeError for other numbers of axes.

    Raises ArgumentError for a negative depth_radius.

    >>> local_response_normalization([[[1.0, 1.0, 2.0]]], 1, beta=1.0).tolist()
    [[[0.3333333432674408, 0.1428571492433548, 0.3333333432674408]]]
    """
    width = 2 * depth_radius + 1
    around = [(0, 0), (depth_radius, depth_radius), (0, 0)]
    rows = pad(reshape(square(x), (x.size // max(1, x.shape[-1]), x.shape[-1], 1)), around)
    total = multiply(window_mean(rows, (width,), (1,), ((0, 0),), (1,)), float(width))
    return divide(x, power(add(multiply(reshape(total, x.shape), alpha), bias), beta))


@local_response_normalization.settings
def _(x: Tensor, depth_radius: Any, bias: Any, alpha: Any, beta: Any) -> dict[str, Any]:
    if x.ndim not in (3, 4):
        raise ShapeError(
            f"local_response_normalization(x): x is {x.shape}.",
            expected="x (batch, height, width, channels), or that without the batch.",
        )
    numbers = {name: as_float(value, name) for name, value in (("bias", bias), ("alpha", alpha), ("beta", beta))}
    return {"depth_radius": as_int(depth_radius, "depth_radius", minimum=0), **numbers}
