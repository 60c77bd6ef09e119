"""How far numbers are from those that were expected."""

from __future__ import annotations

from typing import Any

from lamina import measures, ops
from lamina.measures import aligned
from lamina.metrics.reductions import MeanMetricWrapper
from lamina.runtime.tensor import Tensor


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (y_pred - y_true)^2.

    >>> MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    5.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(measures.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |y_pred - y_true|.

    >>> MeanAbsoluteError()([[0.0, 0.0]], [[1.0, -3.0]]).item()
    2.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(measures.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """100 times the mean of |y_true - y_pred| / |y_true|.

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]).item()
    25.0
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(measures.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of (ln(1 + y_true) - ln(1 + y_pred))^2.

    >>> MeanSquaredLogarithmicError()([[0.0, 3.0]], [[0.0, 3.0]]).item()
    0.0
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(measures.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of ln(cosh(y_pred - y_true)).

    >>> LogCoshError()([[0.0, 0.0]], [[0.0, 100.0]]).round().item()
    50.0
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(measures.log_cosh, name, dtype)


class RootMeanSquaredError(MeanMetricWrapper):
    """Square root of the mean of (y_pred - y_true)^2.

    >>> RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]).item()
    3.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(_squared_error, name, dtype)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


def _squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Element by element, so that weights may be given for elements."""
    true, pred = aligned(y_true, y_pred)
    return ops.square(ops.subtract(pred, true))
