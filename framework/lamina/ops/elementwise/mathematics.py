"""Powers, extrema, rounding and functions of analysis, element by element."""

from __future__ import annotations

from lamina.dtypes import FLOATING, INEXACT, NUMERIC, REAL
from lamina.ops.elementwise.arithmetic import add, cast, conjugate, divide, multiply, negative, subtract
from lamina.ops.elementwise.logic import equal, greater, greater_equal, less, less_equal, logical_and, not_equal, where
from lamina.ops.elementwise.rules import broadcast
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


@op(result=broadcast("floor_divide"), dtypes=REAL[1:])
def floor_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Quotient rounded down: y = floor(a / b), broadcast. As NumPy.

    >>> floor_divide([7, -7], 2).tolist()
    [3, -4]
    """


@floor_divide.gradient("a", "b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return multiply(a, 0.0), multiply(b, 0.0)


@op(result=broadcast("mod"), dtypes=REAL[1:])
def mod(a: TensorLike, b: TensorLike) -> Tensor:
    """Remainder with the sign of the divisor: y = a - b * floor(a / b), broadcast. As NumPy.

    >>> mod([7, -7], 3).tolist()
    [1, 2]
    """


@mod.gradient("a")
def _(dy: Tensor) -> Tensor:
    return dy


@mod.gradient("b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return negative(multiply(dy, floor(divide(a, b))))


@composite_op(result=broadcast("divide_no_nan"), dtypes=INEXACT, integers="float32")
def divide_no_nan(a: TensorLike, b: TensorLike) -> Tensor:
    """Quotient that is 0 where the divisor is: y = a / b, broadcast. As TensorFlow. The gradient there is 0, too.

    >>> divide_no_nan([1.0, 1.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    nothing = equal(b, 0.0)
    return where(nothing, 0.0, divide(a, where(nothing, 1.0, b)))


@op(result=broadcast("power"), dtypes=NUMERIC)
def power(a: TensorLike, b: TensorLike) -> Tensor:
    """Power: y = a ** b, broadcast. As NumPy.

    >>> power([1.0, 2.0, 3.0], 2.0).tolist()
    [1.0, 4.0, 9.0]
    """


@power.gradient("a")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    nonzero = where(equal(b, 0.0), 1.0, b)
    return multiply(dy, where(equal(b, 0.0), 0.0, multiply(b, power(a, subtract(nonzero, 1.0)))))


@power.gradient("b")
def _(dy: Tensor, *, a: Tensor, y: Tensor) -> Tensor:
    positive = greater(a, 0.0)
    return multiply(dy, multiply(y, where(positive, log(where(positive, a, 1.0)), 0.0)))


@op(result=broadcast("maximum"), dtypes=REAL)
def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of two: y = max(a, b), broadcast. As NumPy: NaN wins. Equal values share the gradient evenly.

    >>> maximum([1.0, 5.0], 3.0).tolist()
    [3.0, 5.0]
    """


@maximum.gradient("a")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return multiply(dy, _share(greater(a, b), equal(a, b), dy))


@maximum.gradient("b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return multiply(dy, _share(less(a, b), equal(a, b), dy))


@op(result=broadcast("minimum"), dtypes=REAL)
def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of two: y = min(a, b), broadcast. As NumPy: NaN wins. Equal values share the gradient evenly.

    >>> minimum([1.0, 5.0], 3.0).tolist()
    [1.0, 3.0]
    """


@minimum.gradient("a")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return multiply(dy, _share(less(a, b), equal(a, b), dy))


@minimum.gradient("b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> Tensor:
    return multiply(dy, _share(greater(a, b), equal(a, b), dy))


def _share(wins: Tensor, ties: Tensor, like: Tensor) -> Tensor:
    """1 where an argument wins, one half where it ties, else 0."""
    return add(cast(wins, like.dtype), multiply(cast(ties, like.dtype), 0.5))


@op(
    result=lambda x: Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)),
    dtypes=NUMERIC,
)
def abs(x: TensorLike) -> Tensor:
    """Absolute value: y = |x|; of a complex number its modulus, as a float. As NumPy. The gradient at 0 is 0.

    >>> abs([-1.5, 2.0]).tolist()
    [1.5, 2.0]
    """


@abs.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    if x.dtype in FLOATING:
        return multiply(dy, sign(x))
    modulus = abs(x)
    safe = where(equal(modulus, 0.0), 1.0, modulus)
    return multiply(cast(divide(dy, safe), x.dtype), x)


@op(result=same_as(), dtypes=REAL[1:])
def sign(x: TensorLike) -> Tensor:
    """Sign: -1, 0 or 1. As NumPy: NaN stays NaN. The gradient is 0.

    >>> sign([-3.0, 0.0, 2.0]).tolist()
    [-1.0, 0.0, 1.0]
    """


@op(result=same_as(), dtypes=FLOATING)
def floor(x: TensorLike) -> Tensor:
    """The largest integer not above x. As NumPy. The gradient is 0.

    >>> floor([1.7, -1.2]).tolist()
    [1.0, -2.0]
    """


@op(result=same_as(), dtypes=FLOATING)
def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below x. As NumPy. The gradient is 0.

    >>> ceil([1.2, -1.7]).tolist()
    [2.0, -1.0]
    """


@op(result=same_as(), dtypes=FLOATING)
def round(x: TensorLike) -> Tensor:
    """The nearest integer, halves to the even one. As NumPy. The gradient is 0.

    >>> round([0.5, 1.5, 2.4]).tolist()
    [0.0, 2.0, 2.0]
    """


@composite_op(result=lambda x, alpha: Spec(x.shape, x.dtype), dtypes=REAL[1:])
def step(x: TensorLike, alpha: float = 0.0) -> Tensor:
    """1 where x is positive, alpha elsewhere, in the dtype of x; NaN stays NaN. As TensorFlow.js. The gradient is 0.

    >>> step([-2.0, 0.0, 3.0], 0.5).tolist()
    [0.5, 0.5, 1.0]
    """
    y = cast(where(greater(x, 0), 1.0, float(alpha)), x.dtype)
    return where(not_equal(x, x), x, y) if x.dtype in FLOATING else y


def _zero_gradient(dy: Tensor) -> Tensor:
    return multiply(dy, 0.0)


for _flat in (sign, floor, ceil, round, step):
    _flat.gradient(_zero_gradient)


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def exp(x: TensorLike) -> Tensor:
    """Exponential: y = e^x. As NumPy.

    >>> exp([0.0]).tolist()
    [1.0]
    """


@exp.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, conjugate(y))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def expm1(x: TensorLike) -> Tensor:
    """y = e^x - 1, exact near 0. As NumPy.

    >>> expm1([0.0]).tolist()
    [0.0]
    """


@expm1.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, conjugate(exp(x)))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def log(x: TensorLike) -> Tensor:
    """Natural logarithm: y = ln x; -inf at 0 and NaN below. As NumPy, without its warnings.

    >>> log([1.0]).tolist()
    [0.0]
    """


@log.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, conjugate(x))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def log1p(x: TensorLike) -> Tensor:
    """y = ln(1 + x), exact near 0. As NumPy.

    >>> log1p([0.0]).tolist()
    [0.0]
    """


@log1p.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, conjugate(add(x, 1.0)))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def sqrt(x: TensorLike) -> Tensor:
    """Square root; NaN below 0. As NumPy, without its warnings.

    >>> sqrt([4.0]).tolist()
    [2.0]
    """


@sqrt.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return divide(multiply(dy, 0.5), conjugate(y))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def rsqrt(x: TensorLike) -> Tensor:
    """Reciprocal square root: y = 1 / sqrt(x). As TensorFlow.

    >>> rsqrt([4.0]).tolist()
    [0.5]
    """


@rsqrt.gradient
def _(dy: Tensor, *, x: Tensor, y: Tensor) -> Tensor:
    return multiply(dy, divide(multiply(y, -0.5), x))


@op(result=same_as(), dtypes=NUMERIC)
def square(x: TensorLike) -> Tensor:
    """Square: y = x * x. As NumPy.

    >>> square([3.0]).tolist()
    [9.0]
    """


@square.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, multiply(conjugate(x), 2.0))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def reciprocal(x: TensorLike) -> Tensor:
    """Reciprocal: y = 1 / x. As NumPy; integers become float32.

    >>> reciprocal([4.0]).tolist()
    [0.25]
    """


@reciprocal.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return negative(multiply(dy, conjugate(square(y))))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def sin(x: TensorLike) -> Tensor:
    """Sine of x in radians. As NumPy.

    >>> sin([0.0]).tolist()
    [0.0]
    """


@sin.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, conjugate(cos(x)))


@op(result=same_as(), dtypes=INEXACT, integers="float32")
def cos(x: TensorLike) -> Tensor:
    """Cosine of x in radians. As NumPy.

    >>> cos([0.0]).tolist()
    [1.0]
    """


@cos.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return negative(multiply(dy, conjugate(sin(x))))


@op(result=same_as(), dtypes=FLOATING, integers="float32")
def erf(x: TensorLike) -> Tensor:
    """Error function: y = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> erf([0.0]).tolist()
    [0.0]
    """


@erf.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, multiply(exp(negative(square(x))), 1.1283791670955126))


@composite_op(result=lambda x, low, high: Spec(x.shape, x.dtype), dtypes=REAL[1:])
def clip(x: TensorLike, low: TensorLike, high: TensorLike) -> Tensor:
    """x limited to [low, high]: y = min(max(x, low), high). As NumPy. The gradient passes inside and at the bounds.

    >>> clip([-1.0, 0.5, 2.0], 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    return minimum(maximum(x, low), high)


@clip.gradient("x", "low", "high")
def _(dy: Tensor, *, x: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    below, above = less(x, low), greater(x, high)
    inside = logical_and(greater_equal(x, low), less_equal(x, high))
    return tuple(multiply(dy, cast(mask, dy.dtype)) for mask in (inside, below, above))  # type: ignore[return-value]
