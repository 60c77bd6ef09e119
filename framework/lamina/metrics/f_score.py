"""Means of precision and recall."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.aligning import EPSILON
from lamina.metrics.metric import Metric
from lamina.ops.weighting import floating, leading_weight, mask_of, masked_weight
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_float


class FBetaScore(Metric):
    """(1 + b^2) P R / (b^2 P + R), of precision P and recall R: b, ``beta``, says how much more the recall counts.

    Labels and predictions have the shape (samples, classes), labels 0 or 1. Predictions above ``threshold`` are
    positive; without one the highest of each sample. ``average`` None gives each class's score, "macro" their mean,
    "weighted" their mean by the number of labels, "micro" the score of all classes counted together. Raises ShapeError
    for other shapes.

    >>> FBetaScore(beta=2.0)([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2]]).multiply(100.0).round().tolist()
    [83.0, 0.0]
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ArgumentError(f"average is {average!r}.", expected="None, 'micro', 'macro' or 'weighted'.")
        self.average = average
        self.beta: float = as_float(beta, "beta")
        self.threshold: float | None = None if threshold is None else as_float(threshold, "threshold")
        if self.beta <= 0.0:
            raise ArgumentError(f"beta is {self.beta}.", expected="a number above 0.")
        if self.threshold is not None and not 0.0 < self.threshold <= 1.0:
            raise ArgumentError(f"threshold is {self.threshold}.", expected="a number above 0 and at most 1.")

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        shapes = tuple(y_true_shape), tuple(y_pred_shape)
        if len(shapes[0]) != 2 or shapes[0][1:] != shapes[1][1:] or len(shapes[1]) != 2:
            raise ShapeError(
                f"{self.name}: y_true is {shapes[0]} and y_pred is {shapes[1]}.",
                expected="(samples, classes) for both.",
            )
        if not self._state:
            shape = () if self.average == "micro" else shapes[1][1:]
            self.true_positives: Variable = self.add_variable(shape, name="true_positives")
            self.false_positives: Variable = self.add_variable(shape, name="false_positives")
            self.false_negatives: Variable = self.add_variable(shape, name="false_negatives")
            self.intermediate_weights: Variable = self.add_variable(shape, name="intermediate_weights")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample."""
        true, pred = floating(y_true, self.dtype), floating(y_pred, self.dtype)
        self.build(true.shape, pred.shape)
        weight = None if sample_weight is None else floating(sample_weight, self.dtype)
        weight = masked_weight(weight, mask_of(y_pred), self.dtype, keep_mean=False)
        weight = None if weight is None else leading_weight(weight, true)
        chosen = self._chosen(pred)
        sums = [
            (self.true_positives, ops.multiply(chosen, true)),
            (self.false_positives, ops.multiply(chosen, ops.subtract(1.0, true))),
            (self.false_negatives, ops.multiply(ops.subtract(1.0, chosen), true)),
            (self.intermediate_weights, true),
        ]
        axis = None if self.average == "micro" else 0
        for variable, values in sums:
            values = values if weight is None else ops.multiply(values, weight)
            variable.assign(ops.add(variable, ops.sum(values, axis=axis)))

    def _chosen(self, pred: Tensor) -> Tensor:
        """1 where the prediction is positive. Of zeros only, none is the highest."""
        if self.threshold is not None:
            return ops.cast(ops.greater(pred, self.threshold), self.dtype)
        highest = ops.greater_equal(pred, ops.max(pred, axis=-1, keepdims=True))
        return ops.cast(ops.logical_and(highest, ops.greater(ops.abs(pred), 1e-9)), self.dtype)

    def result(self) -> Tensor:
        if not self._state:
            return ops.zeros((), self.dtype)
        right = self.true_positives.value
        precision = ops.divide(right, ops.add(ops.add(right, self.false_positives), EPSILON))
        recall = ops.divide(right, ops.add(ops.add(right, self.false_negatives), EPSILON))
        square = self.beta**2
        total = ops.add(ops.add(ops.multiply(precision, square), recall), EPSILON)
        score = ops.multiply(ops.divide(ops.multiply(precision, recall), total), 1.0 + square)
        if self.average == "weighted":
            labels = self.intermediate_weights.value
            return ops.sum(ops.multiply(score, ops.divide(labels, ops.add(ops.sum(labels), EPSILON))))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 P R / (P + R), the harmonic mean of precision P and recall R; see ``FBetaScore`` for shapes and settings.

    >>> F1Score(average="micro")([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2]]).multiply(100.0).round().item()
    50.0
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
