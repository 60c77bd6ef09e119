"""Losses of probabilities: cross entropies."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.dtypes import INTEGER
from lamina.errors import ArgumentError, ShapeError
from lamina.losses.loss import LossFunctionWrapper, aligned
from lamina.ops.weighting import floating
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float, as_int, normalize_axis

EPSILON: Final = 1e-7
"""How near to 0 and 1 a probability may come before its logarithm is taken, as in Keras."""


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross entropy of yes-or-no labels: see ``binary_crossentropy`` for the settings.

    >>> BinaryCrossentropy()([[1.0]], [[0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "from_logits": bool(from_logits),
            "label_smoothing": _smoothing(label_smoothing),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(binary_crossentropy, reduction, name, dtype, **settings)


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of one-hot labels: see ``categorical_crossentropy`` for the settings.

    >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "from_logits": bool(from_logits),
            "label_smoothing": _smoothing(label_smoothing),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(categorical_crossentropy, reduction, name, dtype, **settings)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of class numbers: see ``sparse_categorical_crossentropy`` for the settings.

    >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "from_logits": bool(from_logits),
            "ignore_class": None if ignore_class is None else as_int(ignore_class, "ignore_class"),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **settings)

    def compute_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        ignored = self.settings["ignore_class"]
        return None if ignored is None else ops.not_equal(_class_numbers(y_true, y_pred.ndim), ignored)


def _smoothing(value: Any) -> float:
    smoothing = as_float(value, "label_smoothing", minimum=0.0)
    if smoothing > 1.0:
        raise ArgumentError(f"label_smoothing is {smoothing}.", expected="a number between 0 and 1.")
    return smoothing


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Mean of -(t ln p + (1 - t) ln(1 - p)) over ``axis``, for labels t in [0, 1] and probabilities p.

    ``from_logits`` takes y_pred as the numbers before a sigmoid, which neither overflows nor loses digits.
    ``label_smoothing`` moves labels towards 1/2 by that share. Raises ShapeError if the shapes differ.

    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    _check_equal(y_true, y_pred, "binary_crossentropy")
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    if from_logits:
        return ops.mean(ops.sigmoid_cross_entropy(y_true, y_pred), axis=axis)
    p = ops.clip(y_pred, EPSILON, 1.0 - EPSILON)
    positive = ops.multiply(y_true, ops.log(p))
    negative = ops.multiply(ops.subtract(1.0, y_true), ops.log(ops.subtract(1.0, p)))
    return ops.negative(ops.mean(ops.add(positive, negative), axis=axis))


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """-sum(t ln p) over the classes, which lie along ``axis``, for probabilities t (such as one-hot labels) and p.

    p is divided by its sum first. ``from_logits`` takes y_pred as the numbers before a softmax, which neither
    overflows nor loses digits. ``label_smoothing`` moves labels towards equal shares. Raises ShapeError if the shapes
    differ.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_pred = floating(y_pred)
    y_true = floating(y_true, y_pred.dtype)
    _check_equal(y_true, y_pred, "categorical_crossentropy")
    y_true, y_pred = _classes_last(y_true, axis), _classes_last(y_pred, axis)
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / y_pred.shape[-1])
    return _cross_entropy(y_true, y_pred, from_logits)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-ln p of the true class, for class numbers y_true and probabilities y_pred with the classes along ``axis``.

    y_true has the shape of y_pred without that axis, or with size 1 there. ``from_logits`` as for
    ``categorical_crossentropy``; labels equal to ``ignore_class`` give 0. Raises ShapeError if the shapes do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_pred = _classes_last(floating(y_pred), axis)
    y_true = _class_numbers(to_tensor(y_true), y_pred.ndim)
    if y_true.shape != y_pred.shape[:-1]:
        raise ShapeError(
            f"sparse_categorical_crossentropy: y_true is {y_true.shape} and y_pred is {y_pred.shape}.",
            expected=f"y_true to be {y_pred.shape[:-1]}, a class number for each prediction.",
            fix="use categorical_crossentropy for one-hot labels.",
        )
    labels = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    values = _cross_entropy(labels, y_pred, from_logits)
    return values if ignore_class is None else ops.where(ops.equal(y_true, ignore_class), 0.0, values)


def _class_numbers(y_true: Tensor, ndim: int) -> Tensor:
    if y_true.ndim == ndim and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return y_true if y_true.dtype in INTEGER else ops.cast(y_true, "int32")


def _cross_entropy(labels: Tensor, y_pred: Tensor, from_logits: bool) -> Tensor:
    """One value for each row of the last axis."""
    if from_logits:
        return ops.softmax_cross_entropy(labels, y_pred)
    p = ops.divide(y_pred, ops.sum(y_pred, axis=-1, keepdims=True))
    return ops.negative(ops.sum(ops.multiply(labels, ops.log(ops.clip(p, EPSILON, 1.0 - EPSILON))), axis=-1))


def _classes_last(x: Tensor, axis: int) -> Tensor:
    place = normalize_axis(axis, x.ndim)
    if place == x.ndim - 1:
        return x
    return ops.transpose(x, (*(i for i in range(x.ndim) if i != place), place))


def _check_equal(y_true: Tensor, y_pred: Tensor, name: str) -> None:
    if y_true.shape != y_pred.shape or not y_pred.shape:
        raise ShapeError(
            f"{name}: y_true is {y_true.shape} and y_pred is {y_pred.shape}.",
            expected="equal shapes.",
            fix="use sparse_categorical_crossentropy for class numbers." if name.startswith("cat") else None,
        )
