"""Losses of sequences whose labels are shorter than the input, and not aligned with it."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.errors import ShapeError
from lamina.ops.weighting import floating
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor

_NOWHERE: Final = -1e9
"""In place of the logarithm of 0, so that what is impossible has gradients."""


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """-ln of the probability of a label sequence, over all its alignments (Graves et al. 2006).

    ``y_true`` are class numbers (samples, labels), 0 at the end standing for no label; ``y_pred`` logits
    (samples, steps, classes), of which class 0 is the blank. Raises ShapeError if the shapes do not fit.

    >>> import math
    >>> round(math.exp(-ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]]).item()), 6)
    0.75
    """
    logits, labels = floating(y_pred), to_tensor(y_true)
    if logits.ndim != 3 or labels.ndim != 2 or labels.shape[0] != logits.shape[0] or not logits.shape[1]:
        raise ShapeError(
            f"ctc: y_true is {labels.shape} and y_pred is {logits.shape}.",
            expected="(samples, labels) and (samples, steps, classes).",
        )
    labels = ops.cast(labels, "int32")
    between = _with_blanks(labels)
    emitted = _emissions(between, logits)
    places = ops.arange(between.shape[1], dtype="int32")
    alpha = ops.where(ops.less(places, 2), emitted[0], _NOWHERE)
    jump = _jumps(between, logits.dtype)
    for step in emitted[1:]:
        ways = [alpha, _moved(alpha, 1), ops.add(_moved(alpha, 2), jump)]
        alpha = ops.add(ops.logsumexp(ops.stack(ways, -1), axis=-1), step)
    length = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=1, keepdims=True)
    behind = ops.subtract(ops.multiply(length, 2), places)  # 0 at the last blank, 1 at the last label
    ends = ops.logical_and(ops.greater_equal(behind, 0), ops.less(behind, 2))
    return ops.negative(ops.logsumexp(ops.where(ends, alpha, _NOWHERE), axis=1))


def _with_blanks(labels: Tensor) -> Tensor:
    """A blank before, between and after labels: (samples, 2 labels + 1)."""
    pairs = ops.reshape(ops.stack([ops.zeros_like(labels), labels], -1), (labels.shape[0], -1))
    return ops.pad(pairs, [(0, 0), (0, 1)])


def _emissions(between: Tensor, logits: Tensor) -> tuple[Tensor, ...]:
    """For each step the logarithm of the probability of each label or blank: (samples, 2 labels + 1)."""
    chosen = ops.one_hot(between, logits.shape[-1], dtype=logits.dtype)
    return tuple(ops.unstack(ops.matmul(ops.log_softmax(logits), chosen, transpose_b=True), 1))


def _jumps(between: Tensor, dtype: str) -> Tensor:
    """0 where a label may follow the one before without a blank, that is where they differ; else nowhere."""
    before = ops.pad(between, [(0, 0), (2, 0)])[:, : between.shape[1]]
    free = ops.logical_and(ops.not_equal(between, 0), ops.not_equal(between, before))
    return ops.where(free, ops.zeros((), dtype), _NOWHERE)


def _moved(alpha: Tensor, by: int) -> Tensor:
    """Probabilities moved to later places."""
    return ops.pad(alpha, [(0, 0), (by, 0)], constant_value=_NOWHERE)[:, : alpha.shape[1]]
