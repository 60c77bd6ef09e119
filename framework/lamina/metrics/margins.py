"""Hinges as metrics."""

from __future__ import annotations

from typing import Any

from lamina import measures
from lamina.metrics.reductions import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """Mean of max(0, 1 - y_true y_pred), for labels -1 and 1, or 0 and 1.

    >>> Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]).item()
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(measures.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of max(0, 1 - y_true y_pred)^2, for labels -1 and 1, or 0 and 1.

    >>> SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]).item()
    1.25
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(measures.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of how far the right score is from leading by 1, for one-hot labels.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]).item()
    0.5
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(measures.categorical_hinge, name, dtype)
