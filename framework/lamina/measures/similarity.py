"""Losses of embeddings: what has one label lies together, what has another apart."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.errors import ShapeError
from lamina.ops.weighting import floating
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor

_NOWHERE: Final = -1e9
"""In place of the logarithm of 0, so that sums of nothing have gradients."""


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss of each embedding (Sun et al. 2020, arXiv:2002.10857), for class numbers and vectors of length 1.

    softplus(p + n): with the distance d = max(1 - cosine, 0), p is the logarithm of the sum of
    e^(gamma (margin + d) (d - margin)) over the references of the same class, and n that of
    e^(gamma max(1 + margin - d, 0) (1 - margin - d)) over the others. References are the embeddings themselves unless
    ``ref_embeddings`` with ``ref_labels`` are given;
    ``remove_diagonal`` leaves each one itself out. An embedding without others of its class, or without others, gives 0
    and is masked. Raises ShapeError if the shapes do not fit.

    >>> near, far = [[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]
    >>> circle([0, 0, 1], near).round().tolist(), circle([0, 0, 1], far).round().tolist()
    ([0.0, 0.0, 0.0], [374.0, 307.0, 0.0])
    """
    vectors, labels = floating(y_pred), ops.reshape(ops.cast(to_tensor(y_true), "int32"), (-1,))
    others = vectors if ref_embeddings is None else floating(ref_embeddings, vectors.dtype)
    kinds = labels if ref_labels is None else ops.reshape(ops.cast(to_tensor(ref_labels), "int32"), (-1,))
    if vectors.ndim != 2 or others.shape[1:] != vectors.shape[1:] or labels.shape != vectors.shape[:1]:
        raise ShapeError(
            f"circle: y_true is {labels.shape}, y_pred is {vectors.shape} and the references are {others.shape}.",
            expected="a class number for each embedding, and embeddings of one length.",
        )
    distance = ops.maximum(ops.subtract(1.0, ops.matmul(vectors, others, transpose_b=True)), 0.0)
    same = ops.equal(ops.reshape(labels, (-1, 1)), ops.reshape(kinds, (1, -1)))
    near = same
    if remove_diagonal:
        near = ops.logical_and(same, ops.logical_not(ops.cast(ops.eye(*distance.shape), "bool")))
    pull = ops.multiply(ops.add(distance, margin), ops.subtract(distance, margin))
    push = ops.multiply(ops.maximum(ops.subtract(1.0 + margin, distance), 0.0), ops.subtract(1.0 - margin, distance))
    total = ops.add(_total(pull, near, gamma), _total(push, ops.logical_not(same), gamma))
    values = ops.softplus(total)
    values._mask = ops.greater(values, 0.0)
    return values


def _total(weights: Tensor, chosen: Tensor, gamma: float) -> Tensor:
    return ops.logsumexp(ops.where(chosen, ops.multiply(weights, gamma), _NOWHERE), axis=1)
