"""True and false positives and negatives of yes-or-no predictions, counted at each of several thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.aligning import EPSILON
from lamina.metrics.metric import Metric
from lamina.ops.weighting import floating, leading_weight, mask_of, masked_weight, same_rank
from lamina.runtime.convert import numpy_dtype, to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_entries, as_float, as_int

ALWAYS: Final = -1e30
"""A threshold that every prediction exceeds but those that were struck out."""

COUNTS: Final = ("true_positives", "false_positives", "true_negatives", "false_negatives")


class Thresholds(NamedTuple):
    """Numbers in rising order, and whether they divide [0, 1] into equal parts, which makes counting cheap."""

    values: tuple[float, ...]
    even: bool

    @classmethod
    def of(cls, values: Sequence[float]) -> Thresholds:
        """Thresholds as they are; the first and last may lie a little outside [0, 1]."""
        size = len(values)
        even = size >= 3 and np.allclose(values, np.arange(size) / max(size - 1, 1), rtol=0.0, atol=2.0 * EPSILON)
        return cls(tuple(values), bool(even))

    def tensor(self, like: Tensor) -> Tensor:
        """The numbers as a tensor, in the dtype and on the backend of another."""
        return to_tensor(np.asarray(self.values, numpy_dtype(like.dtype)), backend=like._backend)


def spread(count: int) -> list[float]:
    """So many numbers from 0 to 1, equally far apart."""
    return [i / (count - 1) for i in range(count)]


def parsed(thresholds: Any, default: float) -> Thresholds:
    """Thresholds as a user gives them: one, several, or None for the default. Raises ArgumentError outside [0, 1]."""
    if thresholds is None:
        return Thresholds.of([default])
    several = isinstance(thresholds, (list, tuple, np.ndarray))
    numbers = [as_float(t, "thresholds", minimum=0.0) for t in (thresholds if several else [thresholds])]
    if not numbers or max(numbers) > 1.0:
        raise ArgumentError(f"thresholds is {thresholds!r}.", expected="numbers between 0 and 1.")
    return Thresholds.of(numbers)


class ConfusionMetric(Metric):
    """Base of metrics that count right and wrong positives and negatives; predictions above a threshold are positive.

    A subclass calls ``_count`` with the counts that it needs: it gets a Variable for each, with an entry per threshold.
    """

    _thresholds: Thresholds
    _top_k: int | None = None
    _class_id: int | None = None
    _labels: int | None = None
    """How many labels are counted apart; None counts all of them together."""

    def _count(
        self, thresholds: Thresholds, names: Sequence[str] = COUNTS, called: Sequence[str] | None = None
    ) -> None:
        self._thresholds = thresholds
        size = len(thresholds.values)
        shape = (size,) if self._labels is None else (size, self._labels)
        self._counters = {
            name: self.add_variable(shape, name=own) for name, own in zip(names, called or names, strict=True)
        }

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample, or per prediction."""
        self._add(y_true, y_pred, sample_weight, None)

    def _add(self, y_true: Any, y_pred: Any, sample_weight: Any, label_weight: Any) -> None:
        true, pred, weight = self._prepared(y_true, y_pred, sample_weight)
        if label_weight is not None:
            weight = label_weight if weight is None else ops.multiply(weight, label_weight)
        found = counts_at(self._thresholds, true, pred, weight, apart=self._labels is not None)
        new = {name: ops.add(variable, found[name]) for name, variable in self._counters.items()}
        for name, variable in self._counters.items():
            variable.assign(new[name])

    def _prepared(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        """Labels of 0 and 1, predictions of one shape with them, and weights that broadcast against them."""
        pred, true = same_rank(floating(y_pred, self.dtype), floating(y_true, self.dtype))
        if pred.shape != true.shape:
            raise ShapeError(
                f"{self.name}: y_true is {true.shape} and y_pred is {pred.shape}.", expected="equal shapes."
            )
        if self._top_k is not None:
            pred = _only_top(pred, self._top_k, self.name)
        weight = None if sample_weight is None else floating(sample_weight, self.dtype)
        weight = masked_weight(weight, mask_of(y_pred), self.dtype, keep_mean=False)
        if self._class_id is not None:
            true, pred = (_class(x, self._class_id, self.name) for x in (true, pred))
        true = ops.cast(ops.not_equal(true, 0.0), self.dtype)
        return true, pred, None if weight is None else leading_weight(weight, true)

    def _at(self, name: str) -> Tensor:
        return self._counters[name].value


def _only_top(pred: Tensor, k: int, name: str) -> Tensor:
    """Predictions with all but the k highest along the last axis struck out."""
    if not pred.ndim or k > pred.shape[-1]:
        raise ShapeError(f"{name}: top_k is {k} and y_pred is {pred.shape}.", expected=f"at least {k} predictions.")
    chosen = ops.sum(ops.one_hot(ops.top_k(pred, k).indices, pred.shape[-1], dtype=pred.dtype), axis=-2)
    return ops.where(ops.greater(chosen, 0.0), pred, float("-inf"))


def _class(x: Tensor, number: int, name: str) -> Tensor:
    if x.ndim < 2 or number >= x.shape[-1]:
        raise ShapeError(
            f"{name}: class_id is {number} and y_pred is {x.shape}.",
            expected=f"at least {number + 1} classes on axis -1.",
        )
    return ops.getitem(x, (..., number))


def counts_at(
    thresholds: Thresholds, true: Tensor, pred: Tensor, weight: Tensor | None, *, apart: bool = False
) -> dict[str, Tensor]:
    """The weighted counts at each threshold; ``apart`` counts each label, along the last axis, for itself."""
    right = true if weight is None else ops.multiply(true, weight)
    wrong = ops.subtract(1.0, true)
    wrong = wrong if weight is None else ops.multiply(wrong, weight)
    columns = (-1, true.shape[-1]) if apart else (-1, 1)
    pred, right, wrong = (ops.reshape(x, columns) for x in (pred, right, wrong))
    counter = _in_buckets if thresholds.even else _one_by_one
    true_positives, false_positives = (counter(thresholds, pred, x) for x in (right, wrong))
    found = {
        "true_positives": true_positives,
        "false_positives": false_positives,
        "true_negatives": _rest(wrong, false_positives),
        "false_negatives": _rest(right, true_positives),
    }
    return found if apart else {name: ops.squeeze(x, -1) for name, x in found.items()}


def _rest(weight: Tensor, above: Tensor) -> Tensor:
    """The weight of all that is not above; rounding must not make it negative."""
    return ops.maximum(ops.subtract(ops.sum(weight, axis=0), above), 0.0)


def _one_by_one(thresholds: Thresholds, pred: Tensor, weight: Tensor) -> Tensor:
    """The weight of the predictions above each threshold, for each column: (thresholds, columns)."""
    limits = ops.reshape(thresholds.tensor(pred), (-1, 1, 1))
    if pred.shape[1] == 1:
        above = ops.greater(ops.reshape(pred, (1, -1)), ops.reshape(limits, (-1, 1)))
        return ops.matmul(ops.cast(above, pred.dtype), weight)
    return ops.sum(ops.multiply(ops.cast(ops.greater(pred, limits), pred.dtype), weight), axis=1)


def _in_buckets(thresholds: Thresholds, pred: Tensor, weight: Tensor) -> Tensor:
    """The same where the thresholds are evenly spread: each prediction is put between two, and then they are added."""
    size, columns = len(thresholds.values), pred.shape[1]
    below = ops.ceil(ops.multiply(ops.clip(pred, 0.0, 1.0), float(size - 1)))
    bucket = ops.subtract(ops.cast(below, "int32"), 1)
    if thresholds.values[0] < 0.0:
        bucket = ops.maximum(bucket, 0)  # even a prediction of 0 is above the first
    first = ops.multiply(ops.arange(columns, dtype="int32"), size)
    places = ops.where(ops.less(bucket, 0), -1, ops.add(bucket, first))
    sums = ops.unsorted_segment_sum(ops.reshape(weight, (-1,)), ops.reshape(places, (-1,)), size * columns)
    return ops.transpose(ops.cumsum(ops.reshape(sums, (columns, size)), axis=1, reverse=True))


def as_class(value: Any) -> int | None:
    """A class number, or None."""
    return None if value is None else as_int(value, "class_id", minimum=0)


def as_list(values: Any) -> list[float]:
    """Numbers as plain floats."""
    return [float(v) for v in as_entries(values, "thresholds")]
