"""The best that one rate can be while another reaches a wanted value."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.settings import share
from lamina.metrics.confusion import ConfusionMetric, Thresholds, as_class, spread
from lamina.ops.weighting import divide_or_zero
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class _BestAt(ConfusionMetric):
    """The highest ``sought`` among the thresholds where ``held`` is at least ``value``; 0 if there is none."""

    sought: str
    held: str

    def __init__(self, value: Any, num_thresholds: Any, class_id: Any, name: str | None, dtype: Any) -> None:
        super().__init__(dtype, name)
        self._value = share(value, self.held)
        self.num_thresholds: int = as_int(num_thresholds, "num_thresholds", minimum=1)
        self.class_id: int | None = as_class(class_id)
        self._class_id = self.class_id
        self._count(Thresholds.of([0.5] if self.num_thresholds == 1 else spread(self.num_thresholds)))

    def _rate(self, name: str) -> Tensor:
        over, beside = {
            "precision": ("true_positives", "false_positives"),
            "recall": ("true_positives", "false_negatives"),
            "sensitivity": ("true_positives", "false_negatives"),
            "specificity": ("true_negatives", "false_positives"),
        }[name]
        return divide_or_zero(self._at(over), ops.add(self._at(over), self._at(beside)))

    def result(self) -> Tensor:
        reached = ops.greater_equal(self._rate(self.held), self._value)
        return ops.max(ops.where(reached, self._rate(self.sought), 0.0))

    def get_config(self) -> dict[str, Any]:
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self.held: self._value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_BestAt):
    """The highest share of labels 1 that is found while the share of labels 0 that is found is ``specificity``.

    Looked for at ``num_thresholds`` thresholds from 0 to 1; ``class_id`` looks at one class along the last axis.

    >>> SensitivityAtSpecificity(0.5)([0.0, 0.0, 1.0, 1.0], [0.1, 0.6, 0.4, 0.8]).item()
    1.0
    """

    sought: str = "sensitivity"
    held: str = "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_BestAt):
    """The highest share of labels 0 that is found while the share of labels 1 that is found is ``sensitivity``.

    Looked for among ``num_thresholds`` thresholds, spread over 0 to 1; with ``class_id`` only that class counts.

    >>> SpecificityAtSensitivity(0.5)([0.0, 0.0, 1.0, 1.0], [0.1, 0.6, 0.4, 0.8]).item()
    1.0
    """

    sought: str = "specificity"
    held: str = "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_BestAt):
    """The highest precision while the recall is ``recall``.

    Looked for among ``num_thresholds`` thresholds, spread over 0 to 1; with ``class_id`` only that class counts.

    >>> PrecisionAtRecall(0.5)([0.0, 0.0, 1.0, 1.0], [0.1, 0.6, 0.4, 0.8]).item()
    1.0
    """

    sought: str = "precision"
    held: str = "recall"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_BestAt):
    """The highest recall while the precision is ``precision``.

    Looked for among ``num_thresholds`` thresholds, spread over 0 to 1; with ``class_id`` only that class counts.

    >>> RecallAtPrecision(0.9)([0.0, 0.0, 1.0, 1.0], [0.1, 0.6, 0.4, 0.8]).item()
    0.5
    """

    sought: str = "recall"
    held: str = "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(precision, num_thresholds, class_id, name, dtype)
