"""Lengths of vectors and matrices, without overflow on the way."""

from __future__ import annotations

import math
from typing import Any, Final

from lamina.dtypes import INEXACT, INTEGER
from lamina.errors import ArgumentError
from lamina.ops.elementwise import (
    abs,
    cast,
    divide,
    divide_no_nan,
    equal,
    isfinite,
    logical_or,
    multiply,
    sqrt,
    square,
    where,
)
from lamina.ops.elementwise import logical_not as _not
from lamina.ops.reduction import Axes, max, min, sum
from lamina.ops.shaping import reshape
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, normalize_axes, reduced_shape

_REAL: Final = {"complex64": "float32", "complex128": "float64"}
_EUCLIDEAN: Final = ("euclidean", "fro", 2)


def _length(x: Any, axis: tuple[int, ...], keepdims: bool) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), _REAL.get(x.dtype, x.dtype))


@composite_op(result=_length, dtypes=INEXACT, integers="float32")
def euclidean_norm(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Length over axes (None: all of them): y = sqrt(sum(abs(x)^2)), finite wherever the result is.

    Integers become float32. The gradient at 0 is 0. As ``numpy.linalg.norm`` without an order. Raises OutOfRangeError
    for an axis that x does not have.

    >>> euclidean_norm([3.0, 4.0]).item()
    5.0
    """
    size = abs(x)
    if 0 in x.shape:
        return sqrt(sum(size, axis, keepdims))
    largest = max(size, axis, keepdims=True)
    scale = where(logical_or(equal(largest, 0.0), _not(isfinite(largest))), 1.0, largest)
    length = multiply(scale, sqrt(sum(square(divide(size, scale)), axis, keepdims=True)))
    return reshape(length, reduced_shape(x.shape, axis, keepdims))


@euclidean_norm.settings
def _(x: Tensor, axis: Axes, keepdims: Any) -> dict[str, Any]:
    return {"axis": normalize_axes(axis, x.ndim), "keepdims": bool(keepdims)}


@euclidean_norm.gradient
def _(dy: Tensor, *, x: Tensor, y: Tensor, axis: tuple[int, ...]) -> Tensor:
    kept = reduced_shape(x.shape, axis, True)
    length, flowing = (cast(reshape(t, kept), x.dtype) for t in (y, dy))
    return multiply(flowing, divide_no_nan(x, length))


def norm(x: TensorLike, ord: Any = "euclidean", axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Norm of a vector or a matrix.

    ``axis`` is the axis of vectors, a pair of axes of matrices, or None: all elements as one vector. ``ord`` is
    'euclidean' or 2 (the length; of matrices 'fro' or 'euclidean'), 1 (sum of sizes; of matrices the largest over
    columns), inf and -inf (largest and smallest size; of matrices of the sums over rows). As ``numpy.linalg.norm``,
    except that a matrix has no order 2 or -1, and that None as axis makes one vector of everything. Raises
    ArgumentError for another order or more than two axes, OutOfRangeError for an axis that x does not have.

    >>> norm([3.0, -4.0]).item(), norm([3.0, -4.0], 1).item()
    (5.0, 7.0)
    """
    x = to_tensor(x)
    ord = "euclidean" if ord is None else ord
    axes = normalize_axes(axis, x.ndim)
    if axis is None or len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, _in_order(axis, x.ndim), keepdims)
    raise ArgumentError(f"norm: axis is {axis!r}.", expected="None, an axis, or a pair of axes.")


def _in_order(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of rows and columns as they were given."""
    return tuple(a % ndim for a in axis)


def _vector_norm(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if ord in _EUCLIDEAN:
        return euclidean_norm(x, axes, keepdims)
    reductions = {1: sum, math.inf: max, -math.inf: min}
    if ord not in reductions:
        raise ArgumentError(f"norm: ord is {ord!r}.", expected="'euclidean', 1, 2, inf or -inf for vectors.")
    size = _sizes(x)
    if not axes:
        return size
    found: Tensor = reductions[ord](size, axes, keepdims)
    return found


def _matrix_norm(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if ord in ("euclidean", "fro"):
        return euclidean_norm(x, axes, keepdims)
    reductions = {1: (0, max), math.inf: (1, max), -math.inf: (1, min)}
    if ord not in reductions:
        raise ArgumentError(f"norm: ord is {ord!r}.", expected="'euclidean', 'fro', 1, inf or -inf for matrices.")
    summed, reduce = reductions[ord]
    sums = sum(_sizes(x), axes[summed], keepdims=True)
    return reshape(reduce(sums, axes[1 - summed], keepdims=True), reduced_shape(x.shape, axes, keepdims))


def _sizes(x: Tensor) -> Tensor:
    return abs(cast(x, "float32") if x.dtype == "bool" or x.dtype in INTEGER else x)
