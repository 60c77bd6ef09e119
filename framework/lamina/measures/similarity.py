"""How well embeddings of one class lie together, and apart from those of others."""

from __future__ import annotations

import math
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.weighting import floating
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss of each embedding, which should be near those of its class (Sun et al. 2020, arXiv:2002.10857).

    With the distance d = 1 - cosine to each reference: softplus(ln sum_p exp(gamma (margin + d)(d - margin)) +
    ln sum_n exp(gamma (1 + margin - d)(1 - margin - d))), the sums over the references p of its class and those n of
    other classes; the first factors count as at least 0. As Keras.

    ``y_true`` (samples,) or (samples, 1) are class numbers, ``y_pred`` (samples, features) embeddings of length 1.
    References are ``ref_embeddings`` with ``ref_labels``, or the samples themselves; without those, ``remove_diagonal``
    leaves each sample itself out. Raises ShapeError if labels and embeddings do not fit, ArgumentError for only one of
    the two references.

    >>> circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]).round().tolist()
    [0.0, 0.0, 0.0]
    """
    embeddings = floating(y_pred, None)
    labels = _class_numbers(y_true, embeddings, "y_true", "y_pred")
    if (ref_labels is None) != (ref_embeddings is None):
        raise ArgumentError("circle got one of ref_labels and ref_embeddings.", expected="both, or neither.")
    others = embeddings if ref_embeddings is None else floating(ref_embeddings, embeddings.dtype)
    classes = labels if ref_labels is None else _class_numbers(ref_labels, others, "ref_labels", "ref_embeddings")
    apart = ops.not_equal(ops.expand_dims(labels, 1), ops.expand_dims(classes, 0))
    same = of_one_class(labels) if remove_diagonal and ref_embeddings is None else ops.logical_not(apart)
    distance = 1.0 - ops.matmul(embeddings, others, transpose_b=True)
    near = _weighed(distance - margin, margin + distance, gamma)
    far = _weighed((1.0 - margin) - distance, (1.0 + margin) - distance, gamma)
    return ops.softplus(_log_sum(near, same) + _log_sum(far, apart))


def of_one_class(labels: Any) -> Tensor:
    """Whether each two samples have the same class number, (samples, samples); none is its own fellow.

    >>> of_one_class([3, 3, 1]).tolist()
    [[False, True, False], [True, False, False], [False, False, False]]
    """
    found = to_tensor(labels)
    found = ops.reshape(found, (found.shape[0],))
    same = ops.equal(ops.expand_dims(found, 1), ops.expand_dims(found, 0))
    return ops.logical_and(same, ops.logical_not(ops.eye(found.shape[0], dtype="bool")))


def _weighed(gap: Tensor, weight: Tensor, gamma: float) -> Tensor:
    return gap * (ops.maximum(weight, 0.0) * gamma)


def _log_sum(values: Tensor, chosen: Tensor) -> Tensor:
    """ln of the sum of exp of the chosen values of each row."""
    return ops.logsumexp(ops.where(chosen, values, -math.inf), axis=1)


def _class_numbers(labels: Any, embeddings: Tensor, name: str, what: str) -> Tensor:
    found = to_tensor(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = ops.squeeze(found, 1)
    if embeddings.ndim != 2 or found.shape != embeddings.shape[:1]:
        raise ShapeError(
            f"{name} has shape {found.shape} and {what} has shape {embeddings.shape}.",
            expected=f"{what} of shape (samples, features), and one class number for each.",
        )
    return found
