"""Ops that reduce axes: sums, extremes, tests and positions."""

from __future__ import annotations

import math
from typing import Any

from lamina.dtypes import ARITHMETIC, BOOL, FLOATING, INEXACT, REAL
from lamina.errors import ShapeError
from lamina.ops.elementwise import (
    add,
    cast,
    conjugate,
    divide,
    equal,
    exp,
    isfinite,
    log1p,
    logical_and,
    maximum,
    multiply,
    sqrt,
    square,
    subtract,
    where,
)
from lamina.ops.scans import cumprod
from lamina.ops.shaping import broadcast_to, reshape, transpose
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, normalize_axes, normalize_axis, reduced_shape

Axes = Any
"""An axis, a tuple of axes, or None for all of them."""

_SUM_DTYPES = {"bool": "int32", "uint8": "int32", "int8": "int32", "int16": "int32"}


def _reduced(dtypes: dict[str, str] | str | None = None) -> Any:
    """Result rule: the given axes gone, or of size 1."""

    def rule(x: Any, axis: tuple[int, ...], keepdims: bool) -> Spec:
        dtype = dtypes if isinstance(dtypes, str) else (dtypes or {}).get(x.dtype, x.dtype)
        return Spec(reduced_shape(x.shape, axis, keepdims), dtype)

    return rule


def _axes_settings(x: Tensor, axis: Axes, keepdims: bool) -> dict[str, Any]:
    """Raises OutOfRangeError for an axis that x does not have, ArgumentError for one that is given twice."""
    return {"axis": normalize_axes(axis, x.ndim), "keepdims": bool(keepdims)}


def _restored(dy: Tensor, shape: tuple[int, ...], axis: tuple[int, ...]) -> Tensor:
    """A reduced tensor with its reduced axes back, of size 1."""
    return reshape(dy, reduced_shape(shape, axis, True))


@op(result=_reduced(_SUM_DTYPES), dtypes=ARITHMETIC)
def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum over axes (None: all of them). As NumPy, but int32 stays int32, and bool and small integers become int32.

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
    [4.0, 6.0]
    """


sum.settings(_axes_settings)


@sum.gradient
def _(dy: Tensor, *, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return broadcast_to(_restored(dy, x.shape, axis), x.shape)


@op(result=_reduced(), dtypes=INEXACT, integers="float32")
def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes (None: all of them). As NumPy, but integers become float32. NaN of no elements.

    >>> mean([[1.0, 2.0], [3.0, 4.0]]).item()
    2.5
    """


mean.settings(_axes_settings)


@mean.gradient
def _(dy: Tensor, *, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    count = math.prod(x.shape[a] for a in axis)
    return broadcast_to(_restored(divide(dy, float(count or 1)), x.shape, axis), x.shape)


@op(result=_reduced({"bool": "int32"}), dtypes=ARITHMETIC)
def prod(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Product over axes (None: all of them). As NumPy, but the dtype stays, and bool becomes int32.

    >>> prod([2.0, 3.0]).item()
    6.0
    """


prod.settings(_axes_settings)


def _some_elements(name: str) -> Any:
    def rule(x: Any, axis: tuple[int, ...], keepdims: bool) -> Spec:
        """Raises ShapeError if there are no elements to choose from."""
        if 0 in [x.shape[a] for a in axis]:
            raise ShapeError(
                f"{name} of a tensor of shape {x.shape} over axis {axis}.", expected="at least one element."
            )
        return Spec(reduced_shape(x.shape, axis, keepdims), x.dtype)

    return rule


@op(result=_some_elements("max"), dtypes=REAL)
def max(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Largest element over axes (None: all of them). As NumPy. Equal maxima share the gradient evenly.

    >>> max([[1.0, 2.0], [3.0, 0.0]], axis=1).tolist()
    [2.0, 3.0]
    """


@op(result=_some_elements("min"), dtypes=REAL)
def min(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Smallest element over axes (None: all of them). As NumPy. Equal minima share the gradient evenly.

    >>> min([[1.0, 2.0], [3.0, 0.0]], axis=1).tolist()
    [1.0, 0.0]
    """


def _extreme_gradient(dy: Tensor, *, x: Tensor, y: Tensor, axis: tuple[int, ...]) -> Tensor:
    ties = cast(equal(x, _restored(y, x.shape, axis)), dy.dtype)
    count = maximum(sum(ties, axis, keepdims=True), 1.0)  # nothing equals NaN
    return multiply(_restored(dy, x.shape, axis), divide(ties, count))


for _extreme in (max, min):
    _extreme.settings(_axes_settings)
    _extreme.gradient(_extreme_gradient)


@op(result=_reduced(), dtypes=BOOL)
def all(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over axes (None: all of them) are true. As NumPy, for bool tensors only.

    >>> all([True, False]).item()
    False
    """


all.settings(_axes_settings)


@op(result=_reduced(), dtypes=BOOL)
def any(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether some element over axes (None: all of them) is true. As NumPy, for bool tensors only.

    >>> any([True, False]).item()
    True
    """


any.settings(_axes_settings)


def _position(name: str) -> Any:
    def rule(x: Any, axis: int) -> Spec:
        """Raises ShapeError if there are no elements to choose from."""
        if x.shape[axis] == 0:
            raise ShapeError(
                f"{name} of a tensor of shape {x.shape} over axis {axis}.", expected="at least one element."
            )
        return Spec(reduced_shape(x.shape, (axis,), False), "int32")

    return rule


@op(result=_position("argmax"), dtypes=REAL)
def argmax(x: TensorLike, axis: int = 0) -> Tensor:
    """Position of the largest element along an axis, the first of equal ones, as int32.

    The axis defaults to 0, as in TensorFlow.js.

    >>> argmax([[1.0, 5.0], [3.0, 0.0]], axis=1).tolist()
    [1, 0]
    """


@op(result=_position("argmin"), dtypes=REAL)
def argmin(x: TensorLike, axis: int = 0) -> Tensor:
    """Position of the smallest element along an axis, the first of equal ones, as int32.

    The axis defaults to 0, as in TensorFlow.js.

    >>> argmin([[1.0, 5.0], [3.0, 0.0]], axis=1).tolist()
    [0, 1]
    """


def _axis_setting(x: Tensor, axis: Any) -> dict[str, Any]:
    """Raises OutOfRangeError for an axis that x does not have."""
    return {"axis": normalize_axis(axis, x.ndim)}


argmax.settings(_axis_setting)
argmin.settings(_axis_setting)


@composite_op(result=_reduced(), dtypes=FLOATING, integers="float32")
def variance(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Mean squared distance from the mean over axes (None: all of them). As ``numpy.var``: biased.

    >>> variance([1.0, 3.0]).item()
    1.0
    """
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


variance.settings(_axes_settings)


@composite_op(result=_reduced(), dtypes=FLOATING, integers="float32")
def std(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over axes (None: all of them): sqrt(variance). As ``numpy.std``: biased.

    >>> std([1.0, 3.0]).item()
    1.0
    """
    return sqrt(variance(x, axis, keepdims))


std.settings(_axes_settings)


@composite_op(result=_reduced(), dtypes=FLOATING, integers="float32")
def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """ln(sum(e^x)) over axes (None: all of them), finite wherever the result is. As SciPy.

    >>> round(logsumexp([1000.0, 1000.0]).item(), 3)
    1000.693
    """
    peak = max(x, axis, keepdims=True)
    largest = equal(x, peak)  # these add 1 each: without the first of them the sum keeps the digits of small others
    others = where(largest, 0.0, exp(subtract(x, where(isfinite(peak), peak, 0.0))))
    count = sum(cast(largest, x.dtype), axis, keepdims=True)
    total = log1p(add(sum(others, axis, keepdims=True), subtract(count, 1.0)))
    y = where(isfinite(peak), add(total, peak), peak)
    return reshape(y, reduced_shape(x.shape, axis, keepdims))


logsumexp.settings(_axes_settings)


@logsumexp.gradient
def _(dy: Tensor, *, x: Tensor, y: Tensor, axis: tuple[int, ...]) -> Tensor:
    total = _restored(y, x.shape, axis)
    distance = subtract(x, where(equal(total, -math.inf), 0.0, total))
    weights = exp(where(logical_and(equal(x, math.inf), equal(total, math.inf)), 0.0, distance))
    return multiply(_restored(dy, x.shape, axis), weights)


@prod.gradient
def _(dy: Tensor, *, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """The product of all other elements: of those before times those after, without a division by what may be 0."""
    rest = tuple(a for a in range(x.ndim) if a not in axis)
    order = (*rest, *axis)
    kept = tuple(x.shape[a] for a in rest)
    rows = reshape(transpose(x, order), (*kept, math.prod(x.shape[a] for a in axis)))
    others = multiply(cumprod(rows, -1, exclusive=True), cumprod(rows, -1, exclusive=True, reverse=True))
    others = reshape(others, tuple(x.shape[a] for a in order))
    back = tuple(order.index(a) for a in range(x.ndim))
    return multiply(_restored(dy, x.shape, axis), conjugate(transpose(others, back)))


def _both_reduced(x: Any, axis: tuple[int, ...], keepdims: bool) -> tuple[Spec, Spec]:
    spec = Spec(reduced_shape(x.shape, axis, keepdims), x.dtype)
    return spec, spec


@composite_op(result=_both_reduced, dtypes=FLOATING, outputs=("middle", "spread"), public=False)
def mean_and_variance(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over axes (None: all of them), with one gradient for both.

    >>> [y.item() for y in mean_and_variance([1.0, 3.0])]
    [2.0, 1.0]
    """
    middle = mean(x, axis, keepdims=True)
    spread = mean(square(subtract(x, middle)), axis, keepdims)
    return reshape(middle, spread.shape), spread


mean_and_variance.settings(_axes_settings)


@mean_and_variance.gradient
def _(dys: Any, *, x: Tensor, middle: Tensor, axis: tuple[int, ...]) -> Tensor:
    """(dmean + 2 * dvariance * (x - mean)) / n: one product and one sum of the size of x."""
    count = float(math.prod(x.shape[a] for a in axis))
    of_mean, of_variance = (divide(_restored(dy, x.shape, axis), count) for dy in dys)
    slope = multiply(of_variance, 2.0)
    shift = subtract(of_mean, multiply(_restored(middle, x.shape, axis), slope))
    return add(multiply(x, slope), shift)


def moments(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes (None: all of them), both at once. The variance is biased, as ``numpy.var``.

    >>> [y.item() for y in moments([1.0, 3.0])]
    [2.0, 1.0]
    """
    tensor = to_tensor(x)
    return mean_and_variance(tensor if tensor.dtype in FLOATING else cast(tensor, "float32"), axis, keepdims)
