"""Hinges: no more is asked than that the right answer is ahead by a margin."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.aligning import paired
from lamina.runtime.tensor import Tensor


def _shortfall(name: str, y_true: Any, y_pred: Any) -> Tensor:
    """max(0, 1 - t p), element by element, for signs t. Labels that are all 0 or 1 stand for signs."""
    y_true, y_pred = paired(name, y_true, y_pred)
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)))
    signs = ops.where(binary, ops.subtract(ops.multiply(y_true, 2.0), 1.0), y_true)
    return ops.maximum(ops.subtract(1.0, ops.multiply(signs, y_pred)), 0.0)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of max(0, 1 - t p) over the last axis, for labels t of -1 and 1.

    If all labels of the batch are 0 or 1, they are taken as -1 and 1, as in Keras; TensorFlow.js takes them as they
    are. Raises ShapeError if the shapes differ.

    >>> hinge([[-1.0, 1.0]], [[0.5, 0.5]]).tolist(), hinge([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    ([1.0], [1.0])
    """
    return ops.mean(_shortfall("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of max(0, 1 - t p)^2 over the last axis; labels as for ``hinge``. Raises ShapeError if the shapes differ.

    >>> squared_hinge([[-1.0, 1.0]], [[0.5, 0.5]]).tolist()
    [1.25]
    """
    return ops.mean(ops.square(_shortfall("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(0, 1 + the highest wrong score - the right score) along the last axis, for one-hot labels.

    The scores are max((1 - t) p) and sum(t p). Raises ShapeError if the shapes differ.

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = paired("categorical_hinge", y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)
