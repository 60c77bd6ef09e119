"""How predictions rise and fall with what was expected."""

from __future__ import annotations

from typing import Any

from lamina import measures, ops
from lamina.measures import aligned
from lamina.measures.aligning import EPSILON
from lamina.measures.regression import cosine
from lamina.metrics.reductions import MeanMetricWrapper
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The correlation of labels and predictions along ``axis``: 1 if they lie on a rising line, -1 on a falling one.

    NaN where one of the two is constant. Raises ShapeError if the shapes do not fit.

    >>> pearson_correlation([[0.0, 1.0]], [[3.0, 7.0]]).tolist()
    [1.0]
    """
    true, pred = (_centred(x, axis) for x in aligned(y_true, y_pred))
    true, pred = (ops.divide(x, ops.std(x, axis=axis, keepdims=True)) for x in (true, pred))
    return ops.mean(ops.multiply(true, pred), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2) along ``axis``: 1 if they are equal (Lin 1989).

    Raises ShapeError if the shapes do not fit.

    >>> concordance_correlation([[0.0, 2.0]], [[0.0, 2.0]]).round().tolist()
    [1.0]
    """
    true, pred = aligned(y_true, y_pred)
    means = [ops.mean(x, axis=axis, keepdims=True) for x in (true, pred)]
    apart = ops.square(ops.subtract(*means))
    spread = ops.add(*(ops.variance(x, axis=axis, keepdims=True) for x in (true, pred)))
    together = ops.multiply(ops.subtract(true, means[0]), ops.subtract(pred, means[1]))
    return ops.mean(ops.divide(ops.multiply(together, 2.0), ops.add(ops.add(spread, apart), EPSILON)), axis=axis)


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between labels and predictions along ``axis``, as in TensorFlow.js.

    Raises ShapeError if the shapes do not fit.

    >>> cosine_proximity([[0.0, 2.0]], [[0.0, 4.0]]).tolist()
    [-1.0]
    """
    return measures.cosine_similarity(y_true, y_pred, axis)


def _centred(x: Tensor, axis: int) -> Tensor:
    return ops.subtract(x, ops.mean(x, axis=axis, keepdims=True))


class _Along(MeanMetricWrapper):
    """The mean of a function along an axis."""

    def __init__(self, fn: Any, name: str | None, dtype: Any, axis: int) -> None:
        super().__init__(fn, name, dtype, axis=as_int(axis, "axis"))


class PearsonCorrelation(_Along):
    """Mean correlation of labels and predictions along ``axis``: see ``pearson_correlation``.

    >>> PearsonCorrelation()([[0.0, 1.0]], [[3.0, 7.0]]).item()
    1.0
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis)


class ConcordanceCorrelation(_Along):
    """Mean agreement of labels and predictions along ``axis``: see ``concordance_correlation``.

    >>> ConcordanceCorrelation()([[0.0, 2.0]], [[0.0, 2.0]]).round().item()
    1.0
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis)


class CosineSimilarity(_Along):
    """Mean cosine of the angle between labels and predictions along ``axis``: 1 for one direction.

    The loss of this name is its negative.

    >>> CosineSimilarity()([[0.0, 2.0]], [[0.0, 4.0]]).item()
    1.0
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine, name, dtype, axis)
