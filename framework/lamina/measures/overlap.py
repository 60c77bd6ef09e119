"""How much of two regions lies in both: for segmentation, where a few elements of many are positive."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.aligning import EPSILON, paired
from lamina.runtime.tensor import Tensor


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """1 - 2 sum(t p) / (sum(t) + sum(p)), with sums over ``axis``: one, several, or None for all (Dice 1945).

    Raises ShapeError if the shapes differ.

    >>> dice([[1.0, 0.0]], [[0.0, 1.0]]).item()
    1.0
    """
    y_true, y_pred = paired("dice", y_true, y_pred)
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    total = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(ops.multiply(both, 2.0), ops.add(total, EPSILON)))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """1 - b / (b + alpha w + beta m): b what is in both, w what was wrongly predicted, m what was missed.

    b = sum(t p), w = sum((1 - t) p), m = sum(t (1 - p)), with sums over ``axis``: one, several, or None for all
    (Salehi et al. 2017, arXiv:1706.05721). Raises ShapeError if the shapes differ.

    >>> round(tversky([[1.0, 0.0]], [[0.5, 0.5]]).item(), 6)
    0.5
    """
    y_true, y_pred = paired("tversky", y_true, y_pred)
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    wrong = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    weighed = ops.add(ops.add(both, ops.multiply(wrong, alpha)), ops.multiply(missed, beta))
    return ops.subtract(1.0, ops.divide(both, ops.add(weighed, EPSILON)))
