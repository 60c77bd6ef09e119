"""How often a prediction is right."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.metrics.metric import MeanMetricWrapper
from lamina.ops.weighting import floating, same_rank
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where a prediction equals its label, else 0, element by element.

    >>> accuracy([[1.0, 2.0]], [[1.0, 3.0]]).tolist()
    [[1.0, 0.0]]
    """
    prediction = floating(y_pred)
    y_true, prediction = same_rank(floating(y_true, prediction.dtype), prediction)
    return ops.cast(ops.equal(y_true, prediction), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where a prediction lies on its label's side of the threshold, else 0, element by element.

    >>> binary_accuracy([[1.0, 0.0]], [[0.7, 0.7]]).tolist()
    [[1.0, 0.0]]
    """
    prediction = floating(y_pred)
    y_true, prediction = same_rank(floating(y_true, prediction.dtype), prediction)
    sides = ops.cast(ops.greater(prediction, threshold), prediction.dtype)
    return ops.cast(ops.equal(y_true, sides), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is at the largest label along the last axis, else 0. Labels are one-hot.

    Raises ShapeError if the shapes differ.

    >>> categorical_accuracy([[0.0, 1.0]], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    y_true, y_pred = to_tensor(y_true), floating(y_pred)
    if y_true.shape != y_pred.shape or not y_pred.shape:
        raise ShapeError(
            f"categorical_accuracy: y_true is {y_true.shape} and y_pred is {y_pred.shape}.",
            expected="equal shapes.",
            fix="use sparse_categorical_accuracy for class numbers.",
        )
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction along the last axis is at the class number of the label, else 0.

    y_true has the shape of y_pred without the last axis, or with size 1 there. Raises ShapeError if it has not.

    >>> sparse_categorical_accuracy([1], [[0.2, 0.8]]).tolist()
    [1.0]
    """
    y_true, y_pred = to_tensor(y_true), floating(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1:] == (1,):
        y_true = ops.squeeze(y_true, -1)
    if y_true.shape != y_pred.shape[:-1] or not y_pred.shape:
        raise ShapeError(
            f"sparse_categorical_accuracy: y_true is {y_true.shape} and y_pred is {y_pred.shape}.",
            expected=f"y_true to be {y_pred.shape[:-1]}, a class number for each prediction.",
            fix="use categorical_accuracy for one-hot labels.",
        )
    return ops.cast(ops.equal(ops.cast(y_true, "int32"), ops.argmax(y_pred, axis=-1)), "float32")


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
