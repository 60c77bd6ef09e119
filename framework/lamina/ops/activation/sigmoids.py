"""Smooth non-linearities: the logistic function, the hyperbolic tangent, and what is made of them."""

from __future__ import annotations

from typing import Final

from lamina.dtypes import FLOATING, LARGEST
from lamina.ops.activation.rectifiers import relu, relu6
from lamina.ops.elementwise import (
    abs,
    add,
    clip,
    divide,
    erf,
    exp,
    log1p,
    maximum,
    multiply,
    negative,
    square,
    subtract,
)
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor

SQRT_HALF: Final = 0.7071067811865476
SQRT_2_PI: Final = 0.7978845608028654

_VANISHED: Final = -1000.0
"""Below it x * sigmoid(x) and its like are 0 in every dtype, and above its opposite x; a bound keeps inf * 0 away."""


def _bounded(x: Tensor) -> Tensor:
    """x for a product with what vanishes at both ends."""
    return clip(x, _VANISHED, -_VANISHED)


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent of each element: y = (e^x - e^-x) / (e^x + e^-x). As NumPy.

    >>> tanh([0.0]).tolist()
    [0.0]
    """


@tanh.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, subtract(1.0, multiply(y, y)))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def sigmoid(x: TensorLike) -> Tensor:
    """Logistic function: y = 1 / (1 + e^-x), without overflow.

    >>> sigmoid([0.0]).tolist()
    [0.5]
    """


@sigmoid.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, multiply(y, subtract(1.0, y)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def softplus(x: TensorLike) -> Tensor:
    """Smooth rectifier: y = ln(1 + e^x), without overflow.

    >>> softplus([0.0]).tolist()
    [0.6931471824645996]
    """
    return add(relu(x), log1p(exp(negative(abs(x)))))


@softplus.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, sigmoid(x))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def log_sigmoid(x: TensorLike) -> Tensor:
    """Logarithm of the logistic function: y = -ln(1 + e^-x), without overflow.

    >>> log_sigmoid([0.0, -1000.0]).tolist()
    [-0.6931471824645996, -1000.0]
    """
    return negative(softplus(negative(x)))


@log_sigmoid.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, sigmoid(negative(x)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def gelu(x: TensorLike) -> Tensor:
    """Gaussian error linear unit: y = x * Phi(x), exact form (Hendrycks and Gimpel 2016, arXiv:1606.08415).

    >>> gelu([0.0, 1.0]).tolist()
    [0.0, 0.8413447141647339]
    """
    x = maximum(x, _VANISHED)
    return multiply(multiply(x, 0.5), add(1.0, erf(multiply(x, SQRT_HALF))))


@gelu.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    below = multiply(add(1.0, erf(multiply(x, SQRT_HALF))), 0.5)
    x = _bounded(x)
    density = multiply(exp(multiply(square(x), -0.5)), 0.5 * SQRT_2_PI)
    return multiply(dy, add(below, multiply(x, density)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def gelu_new(x: TensorLike) -> Tensor:
    """Gaussian error linear unit by tanh: y = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).

    Computed as x * sigmoid(2 * ...), which is the same and keeps small values.

    >>> gelu_new([0.0, 1.0]).tolist()
    [0.0, 0.8411920070648193]
    """
    x = maximum(x, _VANISHED)
    inner = multiply(x, add(multiply(square(x), 0.044715 * 2.0 * SQRT_2_PI), 2.0 * SQRT_2_PI))
    return multiply(x, sigmoid(inner))


@gelu_new.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    x = _bounded(x)
    squares = square(x)
    gate = sigmoid(multiply(x, add(multiply(squares, 0.044715 * 2.0 * SQRT_2_PI), 2.0 * SQRT_2_PI)))
    slope = add(multiply(squares, 3.0 * 0.044715 * 2.0 * SQRT_2_PI), 2.0 * SQRT_2_PI)
    return multiply(dy, multiply(gate, add(multiply(multiply(x, subtract(1.0, gate)), slope), 1.0)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def silu(x: TensorLike) -> Tensor:
    """Sigmoid linear unit, also called swish: y = x * sigmoid(x) (Elfwing et al. 2017, arXiv:1702.03118).

    >>> silu([0.0]).tolist()
    [0.0]
    """
    return multiply(maximum(x, _VANISHED), sigmoid(x))


@silu.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    gate = sigmoid(x)
    return multiply(dy, multiply(gate, add(multiply(_bounded(x), subtract(1.0, gate)), 1.0)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def mish(x: TensorLike) -> Tensor:
    """y = x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681).

    >>> mish([0.0]).tolist()
    [0.0]
    """
    return multiply(maximum(x, _VANISHED), tanh(softplus(x)))


@mish.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    gate = tanh(softplus(x))
    slope = multiply(subtract(1.0, square(gate)), sigmoid(x))
    return multiply(dy, add(gate, multiply(_bounded(x), slope)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def softsign(x: TensorLike) -> Tensor:
    """y = x / (1 + |x|), which is 1 at infinity.

    >>> softsign([1.0, float("inf")]).tolist()
    [0.5, 1.0]
    """
    finite = clip(x, -LARGEST[x.dtype], LARGEST[x.dtype])
    return divide(finite, add(abs(finite), 1.0))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def hard_sigmoid(x: TensorLike) -> Tensor:
    """Piecewise linear sigmoid: y = min(max(x + 3, 0), 6) / 6. As Keras 3 and PyTorch.

    >>> hard_sigmoid([0.0, 5.0]).tolist()
    [0.5, 1.0]
    """
    return divide(relu6(add(x, 3.0)), 6.0)
