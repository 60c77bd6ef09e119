"""Comparisons, logic and choice, element by element."""

from __future__ import annotations

from lamina.dtypes import ALL, BOOL, INEXACT, INTEGER, REAL, STRING
from lamina.ops.elementwise.rules import broadcast
from lamina.runtime.op import TensorLike, op, same_as
from lamina.runtime.tensor import Tensor


@op(result=broadcast("equal", dtype="bool"), dtypes=ALL)
def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a = b, broadcast, as bool. As NumPy. Raises DTypeError for a string beside a number.

    >>> equal([1, 2], 2).tolist()
    [False, True]
    """


@op(result=broadcast("not_equal", dtype="bool"), dtypes=ALL)
def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a and b differ, broadcast, as bool. As NumPy. Raises DTypeError for a string beside a number.

    >>> not_equal([1, 2], 2).tolist()
    [True, False]
    """


@op(result=broadcast("less", dtype="bool"), dtypes=REAL + STRING)
def less(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a < b, broadcast, as bool. As NumPy; strings by their code points.

    >>> less([1, 2], 2).tolist()
    [True, False]
    """


@op(result=broadcast("less_equal", dtype="bool"), dtypes=REAL + STRING)
def less_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a <= b, broadcast, as bool. As NumPy; strings by their code points.

    >>> less_equal([1, 3], 2).tolist()
    [True, False]
    """


@op(result=broadcast("greater", dtype="bool"), dtypes=REAL + STRING)
def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a > b, broadcast, as bool. As NumPy; strings by their code points.

    >>> greater([1, 3], 2).tolist()
    [False, True]
    """


@op(result=broadcast("greater_equal", dtype="bool"), dtypes=REAL + STRING)
def greater_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a >= b, broadcast, as bool. As NumPy; strings by their code points.

    >>> greater_equal([1, 2], 2).tolist()
    [False, True]
    """


@op(result=broadcast("logical_and"), dtypes=BOOL)
def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether both are true, broadcast. As NumPy, for bool tensors only.

    >>> logical_and([True, False], True).tolist()
    [True, False]
    """


@op(result=broadcast("logical_or"), dtypes=BOOL)
def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether one is true, broadcast. As NumPy, for bool tensors only.

    >>> logical_or([True, False], False).tolist()
    [True, False]
    """


@op(result=broadcast("logical_xor"), dtypes=BOOL)
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


@op(result=broadcast("bitwise_and"), dtypes=INTEGER)
def bitwise_and(a: TensorLike, b: TensorLike) -> Tensor:
    """The bits that are set in both of two integers, broadcast. As NumPy.

    >>> bitwise_and([6, 5], 3).tolist()
    [2, 1]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT, integers="float32")
def isnan(x: TensorLike) -> Tensor:
    """Whether x is not a number. As NumPy.

    >>> isnan([1.0, float("nan")]).tolist()
    [False, True]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT, integers="float32")
def isinf(x: TensorLike) -> Tensor:
    """Whether x is infinite. As NumPy.

    >>> isinf([1.0, float("inf")]).tolist()
    [False, True]
    """


@op(result=same_as(dtype="bool"), dtypes=INEXACT, integers="float32")
def isfinite(x: TensorLike) -> Tensor:
    """Whether x is neither infinite nor NaN. As NumPy.

    >>> isfinite([1.0, float("inf")]).tolist()
    [True, False]
    """


@op(
    result=broadcast("where", ("condition", "a", "b")),
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
