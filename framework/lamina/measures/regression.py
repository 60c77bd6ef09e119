"""How far predicted numbers are from those that were expected."""

from __future__ import annotations

import math
from typing import Any

from lamina import ops
from lamina.measures.aligning import EPSILON, aligned
from lamina.runtime.tensor import Tensor


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of (y_pred - y_true)^2 over the last axis. Raises ShapeError if the shapes do not fit.

    >>> mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [5.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_pred, y_true)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of |y_pred - y_true| over the last axis. Raises ShapeError if the shapes do not fit.

    >>> mean_absolute_error([[0.0, 0.0]], [[1.0, -3.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_pred, y_true)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 times the mean of |y_true - y_pred| / |y_true| over the last axis; |y_true| counts as at least 1e-7.

    Raises ShapeError if the shapes do not fit.

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    shares = ops.divide(ops.subtract(y_true, y_pred), ops.maximum(ops.abs(y_true), EPSILON))
    return ops.multiply(ops.mean(ops.abs(shares), axis=-1), 100.0)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of (ln(1 + y_true) - ln(1 + y_pred))^2 over the last axis; numbers below 1e-7 count as 1e-7.

    Raises ShapeError if the shapes do not fit.

    >>> mean_squared_logarithmic_error([[0.0, 3.0]], [[0.0, 3.0]]).tolist()
    [0.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    true, predicted = (ops.log(ops.add(ops.maximum(x, EPSILON), 1.0)) for x in (y_true, y_pred))
    return ops.mean(ops.square(ops.subtract(predicted, true)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Mean over the last axis of e^2 / 2 up to an error e of ``delta``, beyond it delta (e - delta / 2) (Huber 1964).

    Raises ShapeError if the shapes do not fit.

    >>> huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [1.5]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = ops.abs(ops.subtract(y_pred, y_true))
    near = ops.minimum(error, delta)
    far = ops.multiply(ops.subtract(error, near), delta)
    return ops.mean(ops.add(ops.multiply(ops.square(near), 0.5), far), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of ln(cosh(e)) over the last axis, e = y_pred - y_true: e^2 / 2 if small, |e| - ln 2 if large.

    Raises ShapeError if the shapes do not fit.

    >>> log_cosh([[0.0, 0.0]], [[0.0, 100.0]]).round().tolist()
    [50.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    values = ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), math.log(2.0))
    return ops.mean(values, axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between vectors along ``axis``: -1 for one direction, 1 for opposite ones.

    A vector of length 0 gives 0. Negative, so that it can be minimized; the metric of this name is not. Raises
    ShapeError if the shapes do not fit.

    >>> cosine_similarity([[0.0, 2.0]], [[0.0, 4.0]]).tolist()
    [-1.0]
    """
    return ops.negative(cosine(y_true, y_pred, axis))


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The cosine of the angle between vectors along ``axis``; 0 if one has length 0."""
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.sum(ops.multiply(normalized(y_true, axis), normalized(y_pred, axis)), axis=axis)


_SHORTEST = 1e-14
"""The square of the length below which a vector counts as 0."""


def normalized(x: Tensor, axis: int = -1) -> Tensor:
    """x scaled to Euclidean length 1 along an axis; a vector of length 0 gives 0, and has the gradient 0."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    long = ops.greater(square, _SHORTEST)
    return ops.multiply(x, ops.where(long, ops.rsqrt(ops.where(long, square, 1.0)), 0.0))
