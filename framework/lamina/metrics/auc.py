"""The area under a curve of rates at all thresholds."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.aligning import EPSILON
from lamina.metrics.confusion import ConfusionMetric, Thresholds, as_list, spread
from lamina.ops.weighting import divide_or_zero
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_float, as_int

CURVES: Final = ("ROC", "PR", "PRGAIN")
SUMMATIONS: Final = ("interpolation", "majoring", "minoring")


def _choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    found = next((word for word in allowed if isinstance(value, str) and value.lower() == word.lower()), None)
    if found is None:
        raise ArgumentError(f"{name} is {value!r}.", expected=f"one of {', '.join(allowed)}.")
    return found


class AUC(ConfusionMetric):
    """The area under the ROC curve (or "PR", "PRGAIN"): how well predictions put labels 1 above labels 0.

    Approximated at ``num_thresholds`` thresholds, or at ``thresholds`` and both ends. ``summation_method`` is
    "interpolation" (for PR after Davis and Goadrich 2006), "majoring" or "minoring". ``multi_label`` takes the mean of
    the labels along the last axis, of which there are ``num_labels`` (None: as many as in the first batch), weighted by
    ``label_weights``; without ``multi_label`` these weigh the labels in one common curve. ``from_logits`` applies a
    sigmoid first.

    >>> AUC()([0.0, 0.0, 1.0, 1.0], [0.1, 0.6, 0.4, 0.8]).item()
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve: str = _choice(curve, "curve", CURVES)
        self.summation_method: str = _choice(summation_method, "summation_method", SUMMATIONS)
        self.multi_label: bool = as_bool(multi_label, "multi_label")
        self.from_logits: bool = as_bool(from_logits, "from_logits")
        self.thresholds: list[float] | None = None if thresholds is None else _inner(thresholds)
        inner = spread(as_int(num_thresholds, "num_thresholds", minimum=2))[1:-1]
        self._limits = Thresholds.of(
            [-EPSILON, *(inner if self.thresholds is None else self.thresholds), 1.0 + EPSILON]
        )
        self.num_thresholds: int = len(self._limits.values)
        self.label_weights: list[float] | None = None if label_weights is None else [
            as_float(w, "label_weights", minimum=0.0) for w in as_list(label_weights)
        ]  # fmt: skip
        self.num_labels: int | None = None if num_labels is None else as_int(num_labels, "num_labels", minimum=1)
        if num_labels is not None and not multi_label:
            raise ArgumentError(f"num_labels is {num_labels} without multi_label.", expected="both, or neither.")
        if num_labels is not None or not multi_label:
            self._make(self.num_labels)

    def _make(self, labels: int | None) -> None:
        self._labels = labels
        if self.label_weights is not None and labels is not None and len(self.label_weights) != labels:
            raise ArgumentError(f"label_weights has {len(self.label_weights)} entries.", expected=f"{labels} entries.")
        self._count(self._limits)

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        if not self.multi_label:
            return
        if len(y_pred_shape) != 2 or (self._state and self._labels != y_pred_shape[1]):
            wanted = f"samples, {self._labels}" if self._state else "samples, labels"
            raise ShapeError(f"{self.name}: y_pred is {tuple(y_pred_shape)}.", expected=f"the shape ({wanted}).")
        if not self._state:
            self._make(y_pred_shape[1])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample, or per prediction."""
        mask = y_pred._mask if isinstance(y_pred, Tensor) else None
        pred = to_tensor(y_pred)
        self.build(None, pred.shape)
        if self.from_logits:
            pred = ops.sigmoid(pred)
            pred._mask = mask
        common = self.label_weights if not self.multi_label else None
        self._add(y_true, pred, sample_weight, None if common is None else to_tensor(common, self.dtype))

    def result(self) -> Tensor:
        if not self._state:
            return ops.zeros((), self.dtype)
        areas = self._interpolated_pr() if (self.curve, self.summation_method) == ("PR", "interpolation") else None
        area = ops.sum(self._areas() if areas is None else areas, axis=0)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return ops.mean(area)
        weights = to_tensor(self.label_weights, self.dtype)
        return divide_or_zero(ops.sum(ops.multiply(area, weights)), ops.sum(weights))

    def _areas(self) -> Tensor:
        """The area between each two thresholds."""
        x, y = self._points()
        (left, right), (first, second) = _neighbours(x), _neighbours(y)
        if self.summation_method == "interpolation":
            height = ops.multiply(ops.add(first, second), 0.5)
        else:
            height = (ops.minimum if self.summation_method == "minoring" else ops.maximum)(first, second)
        return ops.multiply(ops.subtract(left, right), height)

    def _points(self) -> tuple[Tensor, Tensor]:
        tp, fp = self._at("true_positives"), self._at("false_positives")
        tn, fn = self._at("true_negatives"), self._at("false_negatives")
        recall = divide_or_zero(tp, ops.add(tp, fn))
        if self.curve == "ROC":
            return divide_or_zero(fp, ops.add(fp, tn)), recall
        if self.curve == "PR":
            return recall, divide_or_zero(tp, ops.add(tp, fp))
        ratio = divide_or_zero(ops.add(tp, fn), ops.add(tn, fp))
        none = ops.equal(tp, 0.0)
        gains = [ops.subtract(1.0, ops.multiply(ratio, divide_or_zero(wrong, tp))) for wrong in (fn, fp)]
        return ops.maximum(ops.where(none, 0.0, gains[0]), 0.0), ops.where(none, 1.0, gains[1])

    def _interpolated_pr(self) -> Tensor:
        """The area between each two thresholds if true and false positives, not their ratio, are interpolated."""
        tp, fn = self._at("true_positives"), self._at("false_negatives")
        positives = ops.add(tp, self._at("false_positives"))
        (tp_left, tp_right), (left, right) = _neighbours(tp), _neighbours(positives)
        gained = ops.subtract(tp_left, tp_right)
        slope = divide_or_zero(gained, ops.maximum(ops.subtract(left, right), 0.0))
        start = ops.subtract(tp_right, ops.multiply(slope, right))
        both = ops.logical_and(ops.greater(left, 0.0), ops.greater(right, 0.0))
        ratio = ops.where(both, divide_or_zero(left, right), 1.0)
        area = ops.multiply(slope, ops.add(gained, ops.multiply(start, ops.log(ratio))))
        return divide_or_zero(area, ops.add(tp_right, _neighbours(fn)[1]))

    def get_config(self) -> dict[str, Any]:
        names = (
            "num_thresholds",
            "curve",
            "summation_method",
            "multi_label",
            "num_labels",
            "label_weights",
            "from_logits",
        )
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        return config if self.thresholds is None else {**config, "thresholds": list(self.thresholds)}


def _inner(thresholds: Any) -> list[float]:
    found = sorted(as_float(t, "thresholds", minimum=0.0) for t in as_list(thresholds))
    if not found or found[-1] > 1.0:
        raise ArgumentError(f"thresholds is {thresholds!r}.", expected="numbers between 0 and 1.")
    return found


def _neighbours(x: Tensor) -> tuple[Tensor, Tensor]:
    """All entries but the last, and all but the first."""
    return x[:-1], x[1:]
