"""Intersection over union: how well predicted regions cover those that are labelled."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.dtypes import FLOATING, INTEGER
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.aligning import EPSILON
from lamina.metrics.metric import Metric
from lamina.notices import warn
from lamina.ops.weighting import floating, mask_of, masked_weight, whole_weight
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_bool, as_entries, as_float, as_int


class IoU(Metric):
    """The mean over ``target_class_ids`` of TP / (TP + FP + FN), for each class; classes that never occur are left out.

    Labels and predictions are class numbers, or, with ``sparse_y_true`` or ``sparse_y_pred`` False, scores of the
    classes along ``axis``. Labels equal to ``ignore_class``, and numbers that are no class, do not count. The counts
    are int32 unless ``dtype`` says otherwise, so weights are rounded down, with a warning: give dtype="float32" for
    weights that are no integers.

    >>> IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]).multiply(30.0).round().item()
    10.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        self.num_classes: int = as_int(num_classes, "num_classes", minimum=1)
        entries = as_entries(target_class_ids, "target_class_ids")
        self.target_class_ids: list[int] = [as_int(i, "target_class_ids", minimum=0) for i in entries]
        if not self.target_class_ids or max(self.target_class_ids) >= self.num_classes:
            raise ArgumentError(
                f"target_class_ids is {target_class_ids!r}.", expected=f"numbers from 0 to {self.num_classes - 1}."
            )
        self.ignore_class: int | None = None if ignore_class is None else as_int(ignore_class, "ignore_class")
        self.sparse_y_true: bool = as_bool(sparse_y_true, "sparse_y_true")
        self.sparse_y_pred: bool = as_bool(sparse_y_pred, "sparse_y_pred")
        self.axis: int = as_int(axis, "axis")
        self.total_confusion_matrix: Variable = self.add_variable(
            (self.num_classes, self.num_classes), name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample, or per class number."""
        true, pred = self._numbers(y_true, self.sparse_y_true), self._numbers(y_pred, self.sparse_y_pred)
        if true.size != pred.size:
            raise ShapeError(
                f"{self.name}: the labels are {true.shape} and the predictions {pred.shape}.",
                expected="as many of each.",
            )
        weight = self._weight(sample_weight, mask_of(y_pred), true)
        true, pred = ops.reshape(true, (-1,)), ops.reshape(pred, (-1,))
        known = ops.logical_and(self._is_class(true), self._is_class(pred))
        if self.ignore_class is not None:
            known = ops.logical_and(known, ops.not_equal(true, self.ignore_class))
        places = ops.where(known, ops.add(ops.multiply(true, self.num_classes), pred), -1)
        size = self.num_classes**2
        found = ops.reshape(ops.unsorted_segment_sum(weight, places, size), (self.num_classes, self.num_classes))
        self.total_confusion_matrix.assign(ops.add(self.total_confusion_matrix, found))

    def _numbers(self, x: Any, sparse: bool) -> Tensor:
        tensor = to_tensor(x)
        if not sparse:
            return ops.argmax(tensor, axis=self.axis)
        return tensor if tensor.dtype in INTEGER else ops.cast(tensor, "int32")

    def _is_class(self, numbers: Tensor) -> Tensor:
        return ops.logical_and(ops.greater_equal(numbers, 0), ops.less(numbers, self.num_classes))

    def _weight(self, sample_weight: Any, mask: Any, true: Tensor) -> Tensor:
        """A weight for each label, flat, in the dtype of the counts."""
        if sample_weight is None and mask is None:
            return ops.ones((true.size,), self.dtype)
        given = None if sample_weight is None else to_tensor(sample_weight)
        if given is not None and given.dtype in FLOATING and self.dtype in INTEGER:
            warn(f"{self.name}: weights are rounded down to {self.dtype}; make the metric with dtype='float32'.")
        weight = masked_weight(None if given is None else floating(given), mask, "float32", keep_mean=False)
        assert weight is not None
        return ops.cast(ops.reshape(whole_weight(weight, true), (-1,)), self.dtype)

    def result(self) -> Tensor:
        matrix = ops.cast(self.total_confusion_matrix, "float32")
        right = ops.sum(ops.multiply(matrix, ops.eye(self.num_classes)), axis=0)
        union = ops.subtract(ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1)), right)
        wanted = ops.sum(ops.one_hot(to_tensor(self.target_class_ids), self.num_classes), axis=0)
        there = ops.multiply(ops.cast(ops.greater(union, 1e-9), "float32"), wanted)
        shares = ops.multiply(ops.divide(right, ops.add(union, EPSILON)), there)
        return ops.divide(ops.sum(shares), ops.add(ops.sum(there), EPSILON))

    _config_names: tuple[str, ...] = (
        "num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis",
    )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self._config_names}}


class BinaryIoU(IoU):
    """``IoU`` of two classes: predictions from ``threshold`` on are class 1.

    >>> BinaryIoU(target_class_ids=[1])([0.0, 1.0, 1.0], [0.2, 0.4, 0.7]).multiply(10.0).round().item()
    5.0
    """

    _config_names = ("target_class_ids", "threshold")

    def __init__(
        self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold: float = as_float(threshold, "threshold")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; ``sample_weight`` has one weight per sample, or per prediction."""
        pred = ops.cast(ops.greater_equal(floating(y_pred, "float32"), self.threshold), "int32")
        pred._mask = mask_of(y_pred)
        super().update_state(y_true, pred, sample_weight)


class MeanIoU(IoU):
    """``IoU`` of all classes.

    >>> MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).multiply(30.0).round().item()
    10.0
    """

    _config_names: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        every = range(as_int(num_classes, "num_classes", minimum=1))
        super().__init__(num_classes, every, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """``IoU`` for one-hot labels.

    >>> labels, scores = [[1.0, 0.0], [0.0, 1.0]], [[0.7, 0.3], [0.8, 0.2]]
    >>> OneHotIoU(num_classes=2, target_class_ids=[0])(labels, scores).multiply(10.0).round().item()
    5.0
    """

    _config_names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """``IoU`` of all classes for one-hot labels.

    >>> OneHotMeanIoU(num_classes=2)([[1.0, 0.0], [0.0, 1.0]], [[0.7, 0.3], [0.8, 0.2]]).item()
    0.25
    """

    _config_names = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
