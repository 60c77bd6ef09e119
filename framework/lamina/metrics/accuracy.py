"""How often a prediction is right."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.measures import aligned, class_numbers
from lamina.measures.aligning import paired
from lamina.metrics.reductions import MeanMetricWrapper
from lamina.ops.weighting import floating
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_float, as_int


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where a prediction equals its label, else 0, element by element.

    Raises ShapeError if the shapes do not fit.

    >>> accuracy([[1.0, 2.0]], [[1.0, 3.0]]).tolist()
    [[1.0, 0.0]]
    """
    y_true, prediction = aligned(y_true, y_pred)
    return ops.cast(ops.equal(y_true, prediction), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where a prediction lies on its label's side of the threshold, else 0, element by element.

    Raises ShapeError if the shapes do not fit.

    >>> binary_accuracy([[1.0, 0.0]], [[0.7, 0.7]]).tolist()
    [[1.0, 0.0]]
    """
    y_true, prediction = aligned(y_true, y_pred)
    sides = ops.cast(ops.greater(prediction, threshold), prediction.dtype)
    return ops.cast(ops.equal(y_true, sides), "float32")


_SPARSE: Final = "use sparse_categorical_accuracy for class numbers."


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is at the largest label along the last axis, else 0. Labels are one-hot.

    Raises ShapeError if the shapes differ.

    >>> categorical_accuracy([[0.0, 1.0]], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    y_true, y_pred = paired("categorical_accuracy", y_true, y_pred, fix=_SPARSE)
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction along the last axis is at the class number of the label, else 0.

    y_true has the shape of y_pred without the last axis, or with size 1 there. Raises ShapeError if it has not.

    >>> sparse_categorical_accuracy([1], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    y_pred = floating(y_pred)
    labels = ops.cast(class_numbers("sparse_categorical_accuracy", y_true, y_pred), "int32")
    return ops.cast(ops.equal(labels, ops.argmax(y_pred, axis=-1)), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where fewer than k predictions along the last axis are higher than the one at the largest label, else 0.

    Labels are one-hot. Raises ShapeError if the shapes differ.

    >>> top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.6, 0.3, 0.1]], k=2).tolist()
    [1.0]
    """
    y_true, y_pred = paired("top_k_categorical_accuracy", y_true, y_pred)
    return _among_highest(ops.argmax(y_true, axis=-1), y_pred, as_int(k, "k", minimum=1))


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1 where fewer than k predictions along the last axis are higher than that of the true class, else 0.

    Labels are class numbers. With ``from_sorted_ids`` y_pred are not scores but class numbers, the best first: 1 where
    the label is among the first k. Raises ShapeError if the shapes do not fit.

    >>> sparse_top_k_categorical_accuracy([1], [[0.6, 0.3, 0.1]], k=2).tolist()
    [1.0]
    """
    count = as_int(k, "k", minimum=1)
    y_pred = floating(y_pred)
    labels = class_numbers("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if not from_sorted_ids:
        return _among_highest(labels, y_pred, count)
    best = ops.getitem(y_pred, (..., slice(0, count)))
    hits = ops.equal(best, ops.expand_dims(ops.cast(labels, y_pred.dtype), -1))
    return ops.cast(ops.any(hits, axis=-1), "float32")


def _among_highest(labels: Tensor, y_pred: Tensor, k: int) -> Tensor:
    chosen = ops.one_hot(labels, y_pred.shape[-1], dtype="bool")
    own = ops.max(ops.where(chosen, y_pred, float("-inf")), axis=-1, keepdims=True)
    higher = ops.sum(ops.cast(ops.greater(y_pred, own), "int32"), axis=-1)
    return ops.cast(ops.logical_and(ops.less(higher, k), ops.isfinite(ops.squeeze(own, -1))), "float32")


class Accuracy(MeanMetricWrapper):
    """How often a prediction equals its label.

    >>> Accuracy()([[1.0], [2.0]], [[1.0], [3.0]]).item()
    0.5
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often a prediction lies on its label's side of the threshold; labels are 0 or 1.

    >>> BinaryAccuracy()([[1.0], [0.0]], [[0.7], [0.7]]).item()
    0.5
    """

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=as_float(threshold, "threshold"))


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the one-hot label.

    >>> CategoricalAccuracy()([[0.0, 1.0]], [[0.2, 0.8]]).item()
    1.0
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the class number of the label.

    >>> SparseCategoricalAccuracy()([1], [[0.2, 0.8]]).item()
    1.0
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot label is among the k highest predictions.

    >>> TopKCategoricalAccuracy(k=2)([[0.0, 1.0, 0.0]], [[0.6, 0.3, 0.1]]).item()
    1.0
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=as_int(k, "k", minimum=1))


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class number of the label is among the k highest predictions.

    ``from_sorted_ids`` takes predictions as class numbers, the likeliest first.

    >>> SparseTopKCategoricalAccuracy(k=2)([1], [[0.6, 0.3, 0.1]]).item()
    1.0
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        settings = {"k": as_int(k, "k", minimum=1), "from_sorted_ids": as_bool(from_sorted_ids, "from_sorted_ids")}
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, **settings)
