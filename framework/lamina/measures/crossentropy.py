"""Cross entropies: how many nats a prediction lacks to tell the label."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.aligning import EPSILON, class_numbers, classes_last, paired
from lamina.ops.entropy import class_cross_entropy, class_log_loss, kept_shares
from lamina.ops.weighting import floating
from lamina.runtime.tensor import Tensor


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Mean of -(t ln p + (1 - t) ln(1 - p)) over ``axis``, for labels t in [0, 1] and probabilities p.

    ``from_logits`` takes y_pred as the numbers before a sigmoid, which neither overflows nor loses digits.
    ``label_smoothing`` moves labels towards 1/2 by that share. Raises ShapeError if the shapes differ.

    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_true, y_pred = paired("binary_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    if from_logits:
        return ops.mean(ops.sigmoid_cross_entropy(y_true, y_pred), axis=axis)
    return ops.negative(ops.mean(log_likelihood(y_true, y_pred), axis=axis))


def smoothed(labels: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Labels moved towards equal shares of so many classes."""
    if not label_smoothing:
        return labels
    return ops.add(ops.multiply(labels, 1.0 - label_smoothing), label_smoothing / classes)


def log_likelihood(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """t ln p + (1 - t) ln(1 - p), element by element, with p kept away from 0 and 1."""
    p = ops.clip(y_pred, EPSILON, 1.0 - EPSILON)
    positive = ops.multiply(y_true, ops.log(p))
    negative = ops.multiply(ops.subtract(1.0, y_true), ops.log(ops.subtract(1.0, p)))
    return ops.add(positive, negative)


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
    y_true, y_pred = one_hot_pair("categorical_crossentropy", y_true, y_pred, axis)
    return _cross_entropy(smoothed(y_true, label_smoothing, y_pred.shape[-1]), y_pred, from_logits)


def one_hot_pair(name: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Tensor, Tensor]:
    """Labels and predictions of one shape, the classes last."""
    fix = f"use sparse_{name} for class numbers." if name == "categorical_crossentropy" else None
    y_true, y_pred = paired(name, y_true, y_pred, fix=fix)
    return classes_last(y_true, axis), classes_last(y_pred, axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-ln p of the true class, for class numbers y_true and probabilities y_pred with the classes along ``axis``.

    y_true has the shape of y_pred without that axis, or with size 1 there. ``from_logits`` as for
    ``categorical_crossentropy``; labels equal to ``ignore_class`` give 0. Raises ShapeError if the shapes do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_pred = floating(y_pred)
    y_true = class_numbers("sparse_categorical_crossentropy", y_true, y_pred, axis)
    y_pred = classes_last(y_pred, axis)
    values = class_cross_entropy(y_true, y_pred) if from_logits else class_log_loss(y_true, y_pred, EPSILON)
    return values if ignore_class is None else ops.where(ops.equal(y_true, ignore_class), 0.0, values)


def _cross_entropy(labels: Tensor, y_pred: Tensor, from_logits: bool) -> Tensor:
    """One value for each row of the last axis."""
    if from_logits:
        return ops.softmax_cross_entropy(labels, y_pred)
    return ops.negative(ops.sum(ops.multiply(labels, ops.log(as_shares(y_pred))), axis=-1))


def as_shares(y_pred: Tensor) -> Tensor:
    """Probabilities divided by their sum over the last axis, and kept away from 0 and 1."""
    return kept_shares(y_pred, EPSILON)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """(1 - p^q) / q for the probability p of the true class: robust against wrong labels (Zhang and Sabuncu 2018).

    y_true are class numbers, y_pred probabilities along the last axis; q towards 0 is the cross entropy, 1 the absolute
    error. Raises ShapeError if the shapes do not fit.

    >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).tolist()
    [1.0]
    """
    y_pred = floating(y_pred)
    y_true = class_numbers("categorical_generalized_cross_entropy", y_true, y_pred)
    chosen = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    p = ops.sum(ops.multiply(y_pred, chosen), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(p, q)), q)
