"""The share of the variance that predictions explain."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures import aligned
from lamina.metrics.metric import Metric
from lamina.ops.weighting import floating, mask_of, masked_weight, same_rank, whole_weight
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """1 - sum((t - p)^2) / sum((t - mean(t))^2): 1 is perfect, 0 as good as predicting the mean.

    Labels and predictions have the shape (samples, outputs). ``class_aggregation`` None gives each output's score,
    "uniform_average" their mean, "variance_weighted_average" their mean by variance. ``num_regressors`` above 0 adjusts
    the score for so many independent variables. NaN before the first sample. Raises ShapeError for other shapes.

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]).item()
    0.5
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in AGGREGATIONS:
            raise ArgumentError(
                f"class_aggregation is {class_aggregation!r}.", expected=f"one of {', '.join(map(str, AGGREGATIONS))}."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors: int = as_int(num_regressors, "num_regressors", minimum=0)
        self.num_samples: Variable = self.add_variable(name="num_samples")

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        shape = tuple(y_pred_shape)
        if len(shape) != 2:
            raise ShapeError(f"{self.name}: y_pred is {shape}.", expected="(samples, outputs).")
        if len(self._state) == 1:
            self.squared_sum: Variable = self.add_variable(shape[1:], name="squared_sum")
            self.sum: Variable = self.add_variable(shape[1:], name="sum")
            self.residual: Variable = self.add_variable(shape[1:], name="residual")
            self.count: Variable = self.add_variable(shape[1:], name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample, or per number."""
        true, pred = same_rank(floating(y_true, self.dtype), floating(y_pred, self.dtype))
        self.build(true.shape, pred.shape)
        if true.shape != pred.shape:
            raise ShapeError(
                f"{self.name}: y_true is {true.shape} and y_pred is {pred.shape}.", expected="equal shapes."
            )
        weight = None if sample_weight is None else floating(sample_weight, self.dtype)
        weight = masked_weight(weight, mask_of(y_pred), self.dtype, keep_mean=False)
        weight = ops.ones_like(true) if weight is None else whole_weight(weight, true)
        weighted = ops.multiply(true, weight)
        errors = ops.multiply(ops.square(ops.subtract(true, pred)), weight)
        sums = [
            (self.sum, weighted),
            (self.squared_sum, ops.multiply(true, weighted)),
            (self.residual, errors),
            (self.count, weight),
        ]
        for variable, values in sums:
            variable.assign(ops.add(variable, ops.sum(values, axis=0)))
        self.num_samples.assign(ops.add(self.num_samples, float(true.shape[0])))

    def result(self) -> Tensor:
        if len(self._state) == 1:
            return ops.full((), float("nan"), self.dtype)
        mean = ops.divide(self.sum, self.count)
        total = ops.subtract(self.squared_sum, ops.multiply(self.sum, mean))
        scores = ops.subtract(1.0, ops.divide(self.residual, total))
        scores = ops.where(ops.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.divide(ops.sum(ops.multiply(total, scores)), ops.sum(total))
        return self._adjusted(scores) if self.num_regressors else scores

    def _adjusted(self, score: Tensor) -> Tensor:
        """1 - (1 - R2) (n - 1) / (n - p - 1); the score itself if there are too few samples for that."""
        free = ops.subtract(self.num_samples, float(self.num_regressors + 1))
        enough = ops.greater(free, 0.0)
        ratio = ops.divide(ops.subtract(self.num_samples, 1.0), ops.where(enough, free, 1.0))
        return ops.where(enough, ops.subtract(1.0, ops.multiply(ops.subtract(1.0, score), ratio)), score)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}


def r2_score(y_true: Any, y_pred: Any) -> Tensor:
    """1 - sum((t - p)^2) / sum((t - mean(t))^2) over all elements of one batch, as in TensorFlow.js.

    ``R2Score`` gathers over batches. Raises ShapeError if the shapes do not fit.

    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).item()
    0.5
    """
    true, pred = aligned(y_true, y_pred)
    missed = ops.sum(ops.square(ops.subtract(true, pred)))
    total = ops.sum(ops.square(ops.subtract(true, ops.mean(true))))
    return ops.subtract(1.0, ops.divide(missed, total))
