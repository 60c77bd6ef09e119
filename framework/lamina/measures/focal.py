"""Focal cross entropies: what is predicted well already counts little (Lin et al. 2017, arXiv:1708.02002)."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.aligning import paired
from lamina.measures.crossentropy import as_shares, log_likelihood, one_hot_pair, smoothed
from lamina.runtime.tensor import Tensor


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Mean over ``axis`` of (1 - s)^gamma times the binary cross entropy; s is the probability of the label.

    ``apply_class_balancing`` weighs ones by ``alpha`` and zeros by 1 - alpha. ``from_logits`` takes y_pred as the
    numbers before a sigmoid; ``label_smoothing`` moves labels towards 1/2. Raises ShapeError if the shapes differ.

    >>> binary_focal_crossentropy([[1.0]], [[0.5]]).tolist()
    [0.1732867956161499]
    """
    y_true, y_pred = paired("binary_focal_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    others = ops.subtract(1.0, y_true)
    right = ops.add(ops.multiply(y_true, p), ops.multiply(others, ops.subtract(1.0, p)))
    entropy = ops.negative(log_likelihood(y_true, p))
    values = ops.multiply(ops.power(ops.subtract(1.0, right), gamma), entropy)
    if apply_class_balancing:
        values = ops.multiply(ops.add(ops.multiply(y_true, alpha), ops.multiply(others, 1.0 - alpha)), values)
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum(alpha (1 - p)^gamma t ln p) over the classes along ``axis``, for one-hot labels t and probabilities p.

    p is divided by its sum first. ``from_logits`` takes y_pred as the numbers before a softmax; ``label_smoothing``
    moves labels towards equal shares. Raises ShapeError if the shapes differ.

    >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [0.043321698904037476]
    """
    y_true, y_pred = one_hot_pair("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[-1])
    p = as_shares(ops.softmax(y_pred) if from_logits else y_pred)
    weight = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.negative(ops.sum(ops.multiply(weight, ops.multiply(y_true, ops.log(p))), axis=-1))
