"""Trigonometric and hyperbolic functions beyond sine, cosine and tanh, element by element."""

from __future__ import annotations

from lamina.dtypes import FLOATING
from lamina.ops.elementwise.arithmetic import add, divide, multiply, negative, subtract
from lamina.ops.elementwise.mathematics import rsqrt, square
from lamina.ops.elementwise.rules import broadcast
from lamina.runtime.op import TensorLike, op, same_as
from lamina.runtime.tensor import Tensor


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def tan(x: TensorLike) -> Tensor:
    """Tangent of x in radians: y = sin(x) / cos(x). As NumPy.

    >>> tan([0.0]).tolist()
    [0.0]
    """


@tan.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, add(1.0, square(y)))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arcsin(x: TensorLike) -> Tensor:
    """Inverse sine in radians, between -pi/2 and pi/2; NaN outside [-1, 1]. As NumPy.

    >>> arcsin([0.0]).tolist()
    [0.0]
    """


@arcsin.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, rsqrt(subtract(1.0, square(x))))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arccos(x: TensorLike) -> Tensor:
    """Inverse cosine in radians, between 0 and pi; NaN outside [-1, 1]. As NumPy.

    >>> arccos([1.0]).tolist()
    [0.0]
    """


@arccos.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return negative(multiply(dy, rsqrt(subtract(1.0, square(x)))))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arctan(x: TensorLike) -> Tensor:
    """Inverse tangent in radians, between -pi/2 and pi/2. As NumPy.

    >>> arctan([0.0]).tolist()
    [0.0]
    """


@arctan.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, add(1.0, square(x)))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine: y = (e^x - e^-x) / 2. As NumPy.

    >>> sinh([0.0]).tolist()
    [0.0]
    """


@sinh.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, cosh(x))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine: y = (e^x + e^-x) / 2. As NumPy.

    >>> cosh([0.0]).tolist()
    [1.0]
    """


@cosh.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, sinh(x))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arcsinh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1)). As NumPy.

    >>> arcsinh([0.0]).tolist()
    [0.0]
    """


@arcsinh.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, rsqrt(add(square(x), 1.0)))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arccosh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); NaN below 1. As NumPy.

    >>> arccosh([1.0]).tolist()
    [0.0]
    """


@arccosh.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, rsqrt(subtract(square(x), 1.0)))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def arctanh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; NaN outside [-1, 1]. As NumPy.

    >>> arctanh([0.0]).tolist()
    [0.0]
    """


@arctanh.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, subtract(1.0, square(x)))


@op(result=broadcast("arctan2"), dtypes=FLOATING, integers="float32")
def arctan2(a: TensorLike, b: TensorLike) -> Tensor:
    """Angle of the point (b, a) in radians, between -pi and pi, broadcast: arctan(a / b) in the right quadrant.

    As NumPy. Raises ShapeError if the shapes do not broadcast.

    >>> arctan2([0.0], [1.0]).tolist()
    [0.0]
    """


@arctan2.gradient("a")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return multiply(dy, divide(b, add(square(a), square(b))))


@arctan2.gradient("b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return negative(multiply(dy, divide(a, add(square(a), square(b)))))
