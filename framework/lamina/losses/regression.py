"""Losses of numbers: how far predictions are from what was expected."""

from __future__ import annotations

from typing import Any

from lamina import measures
from lamina.errors import ArgumentError
from lamina.losses.loss import LossFunctionWrapper
from lamina.shapes import as_float, as_int


class Distance(LossFunctionWrapper):
    """Base of losses that compare element by element: labels and predictions must be of one size.

    ``fn`` is the function that compares. Raises ShapeError when it is called, if the sizes differ.

    >>> Distance(lambda t, p: (t - p) ** 4, name="fourth")([[0.0]], [[2.0]]).item()
    16.0
    """


class MeanSquaredError(Distance):
    """Mean of (y_pred - y_true)^2 over the last axis.

    >>> MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    5.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(Distance):
    """Mean of |y_pred - y_true| over the last axis.

    >>> MeanAbsoluteError()([[0.0, 0.0]], [[1.0, -3.0]]).item()
    2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(Distance):
    """100 times the mean of |y_true - y_pred| / |y_true| over the last axis.

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]).item()
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(Distance):
    """Mean of (ln(1 + y_true) - ln(1 + y_pred))^2 over the last axis.

    >>> MeanSquaredLogarithmicError()([[0.0, 3.0]], [[0.0, 3.0]]).item()
    0.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(Distance):
    """Squared error up to ``delta``, linear beyond it: see ``huber``.

    >>> Huber()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        delta = as_float(delta, "delta")
        if delta <= 0.0:
            raise ArgumentError(f"delta is {delta}.", expected="a number above 0.")
        super().__init__(measures.huber, reduction, name, dtype, delta=delta)


class LogCosh(Distance):
    """Mean of ln(cosh(y_pred - y_true)) over the last axis: see ``log_cosh``.

    >>> LogCosh()([[0.0, 0.0]], [[0.0, 100.0]]).round().item()
    50.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.log_cosh, reduction, name, dtype)


class CosineSimilarity(Distance):
    """Minus the cosine of the angle between vectors along ``axis``: -1 for one direction, 1 for opposite ones.

    >>> CosineSimilarity()([[0.0, 2.0]], [[0.0, 4.0]]).item()
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.cosine_similarity, reduction, name, dtype, axis=as_int(axis, "axis"))
