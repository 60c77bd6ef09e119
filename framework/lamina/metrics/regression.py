"""How far numbers are from those that were expected."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.metrics.metric import MeanMetricWrapper
from lamina.ops.weighting import floating, same_rank
from lamina.runtime.tensor import Tensor
from lamina.serialization import lookup


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (y_pred - y_true)^2.

    >>> MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    5.0
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(lookup("losses", "mean_squared_error"), name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |y_pred - y_true|.

    >>> MeanAbsoluteError()([[0.0, 0.0]], [[1.0, -3.0]]).item()
    2.0
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(lookup("losses", "mean_absolute_error"), name, dtype)


class RootMeanSquaredError(MeanMetricWrapper):
    """Square root of the mean of (y_pred - y_true)^2.

    >>> RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]).item()
    3.0
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(_squared_error, name, dtype)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


def _squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Element by element, so that weights may be given for elements."""
    prediction = floating(y_pred)
    y_true, prediction = same_rank(floating(y_true, prediction.dtype), prediction)
    return ops.square(ops.subtract(prediction, y_true))
