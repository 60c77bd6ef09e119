"""Arithmetic, mathematics, comparisons and logic, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import ALL, ARITHMETIC, BOOL, FLOATING, INEXACT, NUMERIC, REAL, canonical_dtype
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, broadcast_shapes


def _broadcast(name: str, arguments: tuple[str, ...] = ("a", "b"), dtype: str | None = None) -> Any:
    """Result rule: the broadcast shape, and the common dtype unless another is given."""

    def rule(*inputs: Any, **_: Any) -> Spec:
        shape = broadcast_shapes(name, arguments, [x.shape for x in inputs])
        return Spec(shape, dtype or inputs[-1].dtype)

    return rule


@op(result=_broadcast("add"), dtypes=ARITHMETIC)
def add(a: TensorLike, b: TensorLike) -> Tensor:
    """Sum: y = a + b, broadcast. As NumPy; bool with bool is logical or.

    >>> add([1.0, 2.0], 3.0).tolist()
    [4.0, 5.0]
    """


@add.gradient("a")
def _(dy: Tensor) -> Tensor:
    return dy


@add.gradient("b")
def _(dy: Tensor) -> Tensor:
    return dy


@op(result=_broadcast("subtract"), dtypes=NUMERIC)
def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """Difference: y = a - b, broadcast. As NumPy.

    >>> subtract([1.0, 2.0], 3.0).tolist()
    [-2.0, -1.0]
    """


@subtract.gradient("a")
def _(dy: Tensor) -> Tensor:
    return dy


@subtract.gradient("b")
def _(dy: Tensor) -> Tensor:
    return negative(dy)


@op(result=_broadcast("multiply"), dtypes=ARITHMETIC)
def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """Product: y = a * b, broadcast. As NumPy; bool with bool is logical and.

    >>> multiply([1.0, 2.0], 3.0).tolist()
    [3.0, 6.0]
    """


@multiply.gradient("a")
def _(dy: Tensor, *, b: Tensor) -> Tensor:
    return multiply(dy, conjugate(b))


@multiply.gradient("b")
def _(dy: Tensor, *, a: Tensor) -> Tensor:
    return multiply(dy, conjugate(a))


@op(result=_broadcast("divide"), dtypes=INEXACT, integers="float32")
def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Quotient: y = a / b, broadcast. As NumPy: never rounds; integers are divided as float32.

    >>> divide([1, 2], 4).tolist()
    [0.25, 0.5]
    """


@divide.gradient("a")
def _(dy: Tensor, *, b: Tensor) -> Tensor:
    return divide(dy, conjugate(b))


@divide.gradient("b")
def _(dy: Tensor, *, b: Tensor, y: Tensor) -> Tensor:
    return negative(multiply(dy, conjugate(divide(y, b))))


@op(result=_broadcast("floor_divide"), dtypes=REAL[1:])
def floor_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Quotient rounded down: y = floor(a / b), broadcast. As NumPy.

    >>> floor_divide([7, -7], 2).tolist()
    [3, -4]
    """


@floor_divide.gradient("a", "b")
def _(dy: Tensor, *, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return multiply(a, 0.0), multiply(b, 0.0)


@op(result=_broadcast("mod"), dtypes=REAL[1:])
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


@op(result=_broadcast("power"), dtypes=NUMERIC)
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
    return multiply(dy, where(positive, multiply(y, log(where(positive, a, 1.0))), 0.0))


@op(result=_broadcast("maximum"), dtypes=REAL)
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


@op(result=_broadcast("minimum"), dtypes=REAL)
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


@op(result=same_as(), dtypes=NUMERIC)
def negative(x: TensorLike) -> Tensor:
    """Negation: y = -x. As NumPy.

    >>> negative([1.0, -2.0]).tolist()
    [-1.0, 2.0]
    """


@negative.gradient
def _(dy: Tensor) -> Tensor:
    return negative(dy)


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


def _zero_gradient(dy: Tensor) -> Tensor:
    return multiply(dy, 0.0)


for _flat in (sign, floor, ceil, round):
    _flat.gradient(_zero_gradient)


@op(result=same_as(), dtypes=INEXACT)
def exp(x: TensorLike) -> Tensor:
    """Exponential: y = e^x. As NumPy.

    >>> exp([0.0]).tolist()
    [1.0]
    """


@exp.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, conjugate(y))


@op(result=same_as(), dtypes=INEXACT)
def expm1(x: TensorLike) -> Tensor:
    """y = e^x - 1, exact near 0. As NumPy.

    >>> expm1([0.0]).tolist()
    [0.0]
    """


@expm1.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, conjugate(exp(x)))


@op(result=same_as(), dtypes=INEXACT)
def log(x: TensorLike) -> Tensor:
    """Natural logarithm: y = ln x; -inf at 0 and NaN below. As NumPy, without its warnings.

    >>> log([1.0]).tolist()
    [0.0]
    """


@log.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, conjugate(x))


@op(result=same_as(), dtypes=INEXACT)
def log1p(x: TensorLike) -> Tensor:
    """y = ln(1 + x), exact near 0. As NumPy.

    >>> log1p([0.0]).tolist()
    [0.0]
    """


@log1p.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return divide(dy, conjugate(add(x, 1.0)))


@op(result=same_as(), dtypes=INEXACT)
def sqrt(x: TensorLike) -> Tensor:
    """Square root; NaN below 0. As NumPy, without its warnings.

    >>> sqrt([4.0]).tolist()
    [2.0]
    """


@sqrt.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return divide(multiply(dy, 0.5), conjugate(y))


@op(result=same_as(), dtypes=FLOATING)
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


@op(result=same_as(), dtypes=INEXACT)
def sin(x: TensorLike) -> Tensor:
    """Sine of x in radians. As NumPy.

    >>> sin([0.0]).tolist()
    [0.0]
    """


@sin.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, conjugate(cos(x)))


@op(result=same_as(), dtypes=INEXACT)
def cos(x: TensorLike) -> Tensor:
    """Cosine of x in radians. As NumPy.

    >>> cos([0.0]).tolist()
    [1.0]
    """


@cos.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return negative(multiply(dy, conjugate(sin(x))))


@op(result=same_as(), dtypes=FLOATING)
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
    inside = logical_not(logical_or(below, above))
    return tuple(multiply(dy, cast(mask, dy.dtype)) for mask in (inside, below, above))  # type: ignore[return-value]


@op(result=_broadcast("equal", dtype="bool"), dtypes=ALL)
def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a = b, broadcast, as bool. As NumPy.

    >>> equal([1, 2], 2).tolist()
    [False, True]
    """


@op(result=_broadcast("not_equal", dtype="bool"), dtypes=ALL)
def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a and b differ, broadcast, as bool. As NumPy.

    >>> not_equal([1, 2], 2).tolist()
    [True, False]
    """


@op(result=_broadcast("less", dtype="bool"), dtypes=REAL)
def less(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a < b, broadcast, as bool. As NumPy.

    >>> less([1, 2], 2).tolist()
    [True, False]
    """


@op(result=_broadcast("less_equal", dtype="bool"), dtypes=REAL)
def less_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a <= b, broadcast, as bool. As NumPy.

    >>> less_equal([1, 3], 2).tolist()
    [True, False]
    """


@op(result=_broadcast("greater", dtype="bool"), dtypes=REAL)
def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a > b, broadcast, as bool. As NumPy.

    >>> greater([1, 3], 2).tolist()
    [False, True]
    """


@op(result=_broadcast("greater_equal", dtype="bool"), dtypes=REAL)
def greater_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a >= b, broadcast, as bool. As NumPy.

    >>> greater_equal([1, 2], 2).tolist()
    [False, True]
    """


@op(result=_broadcast("logical_and"), dtypes=BOOL)
def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether both are true, broadcast. As NumPy, for bool tensors only.

    >>> logical_and([True, False], True).tolist()
    [True, False]
    """


@op(result=_broadcast("logical_or"), dtypes=BOOL)
def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether one is true, broadcast. As NumPy, for bool tensors only.

    >>> logical_or([True, False], False).tolist()
    [True, False]
    """


@op(result=_broadcast("logical_xor"), dtypes=BOOL)
def logical_xor(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether exactly one is true, broadcast. As NumPy, for bool tensors only.

    >>> logical_xor([True, False], True).tolist()
    [False, True]
    """


@op(result=same_as(), dtypes=BOOL)
def logical_not(x: TensorLike) -> Tensor:
    """Whether x is false. As NumPy, for bool tensors only.

    >>> logical_not([True, False]).tolist()
    [False, True]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT)
def isnan(x: TensorLike) -> Tensor:
    """Whether x is not a number. As NumPy.

    >>> isnan([1.0, float("nan")]).tolist()
    [False, True]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT)
def isinf(x: TensorLike) -> Tensor:
    """Whether x is infinite. As NumPy.

    >>> isinf([1.0, float("inf")]).tolist()
    [False, True]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT)
def isfinite(x: TensorLike) -> Tensor:
    """Whether x is neither infinite nor NaN. As NumPy.

    >>> isfinite([1.0, float("inf")]).tolist()
    [True, False]
    """


@op(
    result=_broadcast("where", ("condition", "a", "b")),
    dtypes={"condition": BOOL, "a": ALL, "b": ALL},
    promote=("a", "b"),
)
def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """a where the condition holds, else b, all broadcast. As NumPy.

    >>> where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """


@where.gradient("a")
def _(dy: Tensor, *, condition: Tensor) -> Tensor:
    return where(condition, dy, 0.0)


@where.gradient("b")
def _(dy: Tensor, *, condition: Tensor) -> Tensor:
    return where(condition, 0.0, dy)


@op(result=lambda x, dtype: Spec(x.shape, dtype), dtypes=ALL)
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """x in another dtype. Floats are truncated towards zero to integers; a complex number keeps its real part.

    The gradient is cast back; there is none through integers. Raises DTypeError between strings and numbers.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """


@cast.settings
def _(x: Tensor, dtype: Any) -> dict[str, Any]:
    return {"dtype": canonical_dtype(dtype)}


@cast.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return cast(dy, x.dtype)


@op(result=same_as(), dtypes=ALL, effect="view")
def identity(x: TensorLike) -> Tensor:
    """x itself, as a new tensor.

    >>> identity([1.0]).tolist()
    [1.0]
    """


@identity.gradient
def _(dy: Tensor) -> Tensor:
    return dy


@composite_op(result=same_as(), dtypes=ALL, promote=False)
def stop_gradient(x: TensorLike) -> Tensor:
    """x itself, through which no gradient flows. As TensorFlow.

    >>> stop_gradient([1.0]).tolist()
    [1.0]
    """
    return identity(x)


@stop_gradient.gradient
def _(dy: Tensor) -> None:
    return None


@op(
    result=lambda x: Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)),
    dtypes=ARITHMETIC,
)
def real(x: TensorLike) -> Tensor:
    """The real part. As NumPy.

    >>> real([1 + 2j]).tolist()
    [1.0]
    """


@real.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return cast(dy, x.dtype)


@op(
    result=lambda x: Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)),
    dtypes=ARITHMETIC,
)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part; 0 of a real number. As NumPy.

    >>> imag([1 + 2j]).tolist()
    [2.0]
    """


@imag.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    if x.dtype in FLOATING:
        return multiply(dy, 0.0)
    return multiply(cast(dy, x.dtype), 1j)


@op(result=same_as(), dtypes=INEXACT, public=False)
def complex_conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate of a complex tensor.

    >>> complex_conjugate([1 + 2j]).tolist()
    [(1-2j)]
    """


@complex_conjugate.gradient
def _(dy: Tensor) -> Tensor:
    return conjugate(dy)


def conjugate(x: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is returned as it is."""
    return complex_conjugate(x) if x.dtype.startswith("complex") else x
