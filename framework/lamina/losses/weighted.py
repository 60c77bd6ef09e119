"""TensorFlow's losses with weights and a reduction of their own: ``tf.losses`` of TensorFlow.js.

Each is one function from labels and predictions of one shape to a scalar, or to the weighted values themselves. Not to
be taken for Keras's losses, which have one value per sample: ``mean_squared_error`` has the same name there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.settings import share
from lamina.ops.weighting import divide_or_zero, floating
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float


class Reduction(StrEnum):
    """How a loss is made of weighted values; each member equals its string.

    ``NONE`` gives the values, ``SUM`` their sum, ``MEAN`` the sum divided by the sum of the weights, and
    ``SUM_BY_NONZERO_WEIGHTS`` the sum divided by the number of weights that are not 0. Raises ValueError for another
    string.

    >>> Reduction.SUM == "sum"
    True
    """

    NONE = "none"
    MEAN = "mean"
    SUM = "sum"
    SUM_BY_NONZERO_WEIGHTS = "sum_by_nonzero_weights"


_USUAL = Reduction.SUM_BY_NONZERO_WEIGHTS


def compute_weighted_loss(losses: Any, weights: Any = None, reduction: str = _USUAL) -> Tensor:
    """Values times weights, reduced: see ``Reduction``. Without weights, each weighs 1.

    ``weights`` broadcast against ``losses``. The quotient is 0 where all weights are 0, as in TensorFlow. Raises
    ShapeError if the shapes do not fit, ArgumentError for an unknown reduction.

    >>> compute_weighted_loss([1.0, 2.0, 3.0], [1.0, 0.0, 2.0]).item()
    3.5
    """
    kind = _reduction(reduction)
    losses = floating(losses)
    if weights is None:
        return _unweighted(losses, kind)
    weights = floating(weights, losses.dtype)
    values = ops.multiply(losses, weights)
    if kind is Reduction.NONE:
        return values
    total = ops.sum(values)
    if kind is Reduction.SUM:
        return total
    if kind is Reduction.MEAN:
        repeated = max(1.0, losses.size / max(weights.size, 1))
        return ops.divide(divide_or_zero(total, ops.sum(weights)), repeated)
    counted = ops.cast(ops.not_equal(ops.broadcast_to(weights, values.shape), 0.0), losses.dtype)
    return divide_or_zero(total, ops.sum(counted))


def _unweighted(losses: Tensor, kind: Reduction) -> Tensor:
    if kind is Reduction.NONE:
        return losses
    total = ops.sum(losses)
    return total if kind is Reduction.SUM else ops.divide(total, float(max(losses.size, 1)))


def _reduction(value: Any) -> Reduction:
    try:
        return Reduction(value)
    except ValueError as error:
        raise ArgumentError(f"reduction is {value!r}.", expected=f"one of {', '.join(Reduction)}.") from error


def _pair(name: str, labels: Any, predictions: Any, names: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """Labels and predictions as tensors of the predictions' dtype and one shape."""
    predictions = floating(predictions)
    labels = floating(labels, predictions.dtype)
    if labels.shape != predictions.shape:
        raise ShapeError(
            f"{name}: {names[0]} is {labels.shape} and {names[1]} is {predictions.shape}.", expected="equal shapes."
        )
    return labels, predictions


_NAMES = ("labels", "predictions")


def absolute_difference(labels: Any, predictions: Any, weights: Any = None, reduction: str = _USUAL) -> Tensor:
    """|labels - predictions|, weighted and reduced as by ``compute_weighted_loss``.

    Raises ShapeError unless labels and predictions have one shape, ArgumentError for an unknown reduction.

    >>> absolute_difference([1.0, 2.0], [0.0, 4.0]).item()
    1.5
    """
    labels, predictions = _pair("absolute_difference", labels, predictions, _NAMES)
    return compute_weighted_loss(ops.abs(ops.subtract(labels, predictions)), weights, reduction)


def cosine_distance(labels: Any, predictions: Any, axis: int, weights: Any = None, reduction: str = _USUAL) -> Tensor:
    """1 - sum(labels * predictions) along ``axis``, which stays with size 1; weighted and reduced.

    The distance of vectors of length 1: they are not normalized here. Raises ShapeError unless labels and predictions
    have one shape, OutOfRangeError for an axis that is not there. ``reduction`` is one of ``Reduction``.

    >>> cosine_distance([[1.0, 0.0]], [[0.0, 1.0]], axis=1).item()
    1.0
    """
    labels, predictions = _pair("cosine_distance", labels, predictions, _NAMES)
    cosine = ops.sum(ops.multiply(labels, predictions), axis=axis, keepdims=True)
    return compute_weighted_loss(ops.subtract(1.0, cosine), weights, reduction)


def hinge_loss(labels: Any, predictions: Any, weights: Any = None, reduction: str = _USUAL) -> Tensor:
    """max(0, 1 - t * predictions) with t = 2 * labels - 1, so for labels 0 and 1; weighted and reduced.

    Raises ShapeError unless labels and predictions have one shape. ``reduction`` is one of ``Reduction``.

    >>> hinge_loss([1.0, 0.0], [0.5, 0.5]).item()
    1.0
    """
    labels, predictions = _pair("hinge_loss", labels, predictions, _NAMES)
    signs = ops.subtract(ops.multiply(labels, 2.0), 1.0)
    return compute_weighted_loss(ops.relu(ops.subtract(1.0, ops.multiply(signs, predictions))), weights, reduction)


def huber_loss(
    labels: Any, predictions: Any, weights: Any = None, delta: float = 1.0, reduction: str = _USUAL
) -> Tensor:
    """e^2 / 2 up to an error e of ``delta``, beyond it delta * (e - delta / 2); weighted and reduced.

    Robust against outliers (Huber 1964). Raises ShapeError unless labels and predictions have one shape,
    ArgumentError for a negative delta.

    >>> huber_loss([0.0, 0.0], [1.0, 3.0], reduction="none").tolist()
    [0.5, 2.5]
    """
    delta = as_float(delta, "delta", minimum=0.0)
    labels, predictions = _pair("huber_loss", labels, predictions, _NAMES)
    error = ops.abs(ops.subtract(predictions, labels))
    quadratic = ops.minimum(error, delta)
    linear = ops.multiply(ops.subtract(error, quadratic), delta)
    return compute_weighted_loss(ops.add(ops.multiply(ops.square(quadratic), 0.5), linear), weights, reduction)


def log_loss(
    labels: Any, predictions: Any, weights: Any = None, epsilon: float = 1e-7, reduction: str = _USUAL
) -> Tensor:
    """-(t ln(p + epsilon) + (1 - t) ln(1 - p + epsilon)) for labels t and probabilities p; weighted and reduced.

    Raises ShapeError unless labels and predictions have one shape. ``reduction`` is one of ``Reduction``.

    >>> round(log_loss([1.0], [0.5], epsilon=0.0).item(), 6)
    0.693147
    """
    epsilon = as_float(epsilon, "epsilon", minimum=0.0)
    labels, predictions = _pair("log_loss", labels, predictions, _NAMES)
    positive = ops.multiply(labels, ops.log(ops.add(predictions, epsilon)))
    miss = ops.add(ops.subtract(1.0, predictions), epsilon)
    negative = ops.multiply(ops.subtract(1.0, labels), ops.log(miss))
    return compute_weighted_loss(ops.negative(ops.add(positive, negative)), weights, reduction)


def mean_squared_error(labels: Any, predictions: Any, weights: Any = None, reduction: str = _USUAL) -> Tensor:
    """(labels - predictions)^2, weighted and reduced as by ``compute_weighted_loss``.

    ``lamina.losses.mean_squared_error`` is Keras's, with one value per sample. Raises ShapeError unless labels and
    predictions have one shape.

    >>> mean_squared_error([1.0, 2.0], [0.0, 4.0]).item()
    2.5
    """
    labels, predictions = _pair("mean_squared_error", labels, predictions, _NAMES)
    return compute_weighted_loss(ops.square(ops.subtract(labels, predictions)), weights, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: Any, weights: Any = None, label_smoothing: float = 0.0, reduction: str = _USUAL
) -> Tensor:
    """Cross entropy of sigmoid(logits), element by element and without overflow; weighted and reduced.

    ``label_smoothing`` moves labels towards 1/2 by that share. Raises ShapeError unless labels and logits have one
    shape, ArgumentError for a smoothing outside 0 to 1. ``reduction`` is one of ``Reduction``. ``multi_class_labels``
    are 0 or 1 for each class.

    >>> sigmoid_cross_entropy([1.0, 0.0], [0.0, 1e4]).item()
    5000.3466796875
    """
    smoothing = share(label_smoothing, "label_smoothing")
    names = ("multi_class_labels", "logits")
    labels, logits = _pair("sigmoid_cross_entropy", multi_class_labels, logits, names)
    if smoothing:
        labels = ops.add(ops.multiply(labels, 1.0 - smoothing), 0.5 * smoothing)
    return compute_weighted_loss(ops.sigmoid_cross_entropy(labels, logits), weights, reduction)


def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = None, label_smoothing: float = 0.0, reduction: str = _USUAL
) -> Tensor:
    """Cross entropy of softmax(logits) over the last axis, without overflow; weighted and reduced.

    ``label_smoothing`` moves labels towards equal shares. ``weights`` broadcast against the losses, which lack the last
    axis. Raises ShapeError unless labels and logits have one shape with an axis, ArgumentError for a smoothing outside
    0 to 1. ``reduction`` is one of ``Reduction``. ``onehot_labels`` are shares of classes, whose sum is 1.

    >>> softmax_cross_entropy([[0.0, 1.0]], [[1e4, 0.0]]).item()
    10000.0
    """
    smoothing = share(label_smoothing, "label_smoothing")
    labels, logits = _pair("softmax_cross_entropy", onehot_labels, logits, ("onehot_labels", "logits"))
    if smoothing and logits.ndim:
        labels = ops.add(ops.multiply(labels, 1.0 - smoothing), smoothing / max(logits.shape[-1], 1))
    return compute_weighted_loss(ops.softmax_cross_entropy(labels, logits), weights, reduction)
