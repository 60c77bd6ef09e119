"""How many predictions were right and wrong, and the shares of them: precision and recall."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.metrics.confusion import ALWAYS, ConfusionMetric, as_class, parsed
from lamina.ops.weighting import divide_or_zero, floating
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


def _single(values: Tensor) -> Tensor:
    """A scalar if there is only one threshold."""
    return ops.squeeze(values, 0) if values.shape[0] == 1 else values


class _Count(ConfusionMetric):
    """One of the four counts."""

    counted: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self._count(parsed(thresholds, 0.5), (self.counted,), ("accumulator",))

    def result(self) -> Tensor:
        return _single(self._at(self.counted))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.thresholds}


class TruePositives(_Count):
    """How many predictions above the threshold have label 1; a vector for several thresholds.

    >>> TruePositives()([0.0, 1.0, 1.0, 1.0], [0.7, 0.7, 0.2, 0.9]).item()
    2.0
    """

    counted = "true_positives"


class TrueNegatives(_Count):
    """How many predictions up to the threshold have label 0; a vector for several thresholds.

    >>> TrueNegatives()([0.0, 0.0, 1.0], [0.1, 0.7, 0.2]).item()
    1.0
    """

    counted = "true_negatives"


class FalsePositives(_Count):
    """How many predictions above the threshold have label 0; a vector for several thresholds.

    >>> FalsePositives([0.5, 0.8])([0.0, 0.0, 1.0], [0.6, 0.9, 0.7]).tolist()
    [2.0, 1.0]
    """

    counted = "false_positives"


class FalseNegatives(_Count):
    """How many predictions up to the threshold have label 1; a vector for several thresholds.

    >>> FalseNegatives()([0.0, 1.0, 1.0], [0.6, 0.4, 0.7]).item()
    1.0
    """

    counted = "false_negatives"


class _Share(ConfusionMetric):
    """The true positives as a share of them and of another count."""

    beside: str

    def __init__(
        self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self.top_k: int | None = None if top_k is None else as_int(top_k, "top_k", minimum=1)
        self._top_k = self.top_k
        self.class_id: int | None = as_class(class_id)
        self._class_id = self.class_id
        self._count(parsed(thresholds, 0.5 if top_k is None else ALWAYS), ("true_positives", self.beside))

    def result(self) -> Tensor:
        right = self._at("true_positives")
        return _single(divide_or_zero(right, ops.add(right, self._at(self.beside))))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """The share of positive predictions that are right: TP / (TP + FP); 0 if there are none.

    Predictions above ``thresholds`` (0.5) are positive, and if ``top_k`` is given only the k highest along the last
    axis. ``class_id`` looks at one class along the last axis. A vector for several thresholds.

    >>> Precision()([0.0, 1.0, 1.0], [0.9, 0.8, 0.3]).item()
    0.5
    """

    beside = "false_positives"


class Recall(_Share):
    """The share of labels 1 that were found: TP / (TP + FN); 0 if there are none. Settings as for ``Precision``.

    >>> Recall()([0.0, 1.0, 1.0], [0.9, 0.8, 0.3]).item()
    0.5
    """

    beside = "false_negatives"


def precision(y_true: Any, y_pred: Any) -> Tensor:
    """The share of predictions equal to 1 whose label is 1, over all elements; 0 if there are none.

    A function of one batch, as in TensorFlow.js: there is no threshold. ``Precision`` gathers over batches. Raises
    ShapeError if the shapes do not fit.

    >>> precision([0.0, 1.0, 1.0], [1.0, 1.0, 0.0]).item()
    0.5
    """
    true, pred = _ones(y_true), _ones(y_pred)
    return divide_or_zero(ops.sum(ops.multiply(true, pred)), ops.sum(pred))


def recall(y_true: Any, y_pred: Any) -> Tensor:
    """The share of labels equal to 1 whose prediction is 1, over all elements; 0 if there are none.

    A function of one batch, as in TensorFlow.js: there is no threshold. ``Recall`` gathers over batches. Raises
    ShapeError if the shapes do not fit.

    >>> recall([0.0, 1.0, 1.0], [1.0, 1.0, 0.0]).item()
    0.5
    """
    true, pred = _ones(y_true), _ones(y_pred)
    return divide_or_zero(ops.sum(ops.multiply(true, pred)), ops.sum(true))


def _ones(x: Any) -> Tensor:
    return ops.cast(ops.equal(floating(x), 1.0), "float32")
