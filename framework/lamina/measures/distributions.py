"""How far a predicted distribution is from the one that was seen."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.measures.aligning import EPSILON, paired
from lamina.runtime.tensor import Tensor


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum(t ln(t / p)) over the last axis (Kullback and Leibler 1951), with t and p kept within 1e-7 and 1.

    Raises ShapeError if the shapes differ.

    >>> kl_divergence([[0.0, 1.0]], [[0.5, 0.5]]).round().tolist()
    [1.0]
    """
    y_true, y_pred = paired("kl_divergence", y_true, y_pred)
    t, p = ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)
    return ops.sum(ops.multiply(t, ops.log(ops.divide(t, p))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of p - t ln(p + 1e-7) over the last axis: counts t against expected counts p, but for a constant.

    Raises ShapeError if the shapes differ.

    >>> poisson([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = paired("poisson", y_true, y_pred)
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, ops.log(ops.add(y_pred, EPSILON)))), axis=-1)
