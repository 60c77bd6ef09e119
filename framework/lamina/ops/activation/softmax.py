"""Softmax, and the losses that belong to it and to the logistic function numerically."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING, LARGEST
from lamina.errors import ShapeError
from lamina.ops.activation.rectifiers import relu
from lamina.ops.activation.sigmoids import sigmoid
from lamina.ops.elementwise import abs, add, clip, exp, log1p, maximum, multiply, negative, subtract
from lamina.ops.reduction import sum
from lamina.ops.shaping import expand_dims
from lamina.runtime.op import TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, normalize_axis


def _axis_setting(x: Tensor, axis: Any) -> dict[str, Any]:
    """Raises OutOfRangeError for an axis that x does not have."""
    return {"axis": normalize_axis(axis, x.ndim)}


@op(result=lambda x, axis: Spec(x.shape, x.dtype), dtypes=FLOATING, integers="float32")
def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Normalized exponential along an axis: y = e^x / sum(e^x), without overflow.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """


softmax.settings(_axis_setting)


@softmax.gradient
def _(dy: Tensor, *, y: Tensor, axis: int) -> Tensor:
    weighted = multiply(dy, y)
    return subtract(weighted, multiply(y, sum(weighted, axis, keepdims=True)))


@op(result=lambda x, axis: Spec(x.shape, x.dtype), dtypes=FLOATING, integers="float32")
def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Logarithm of the softmax along an axis: y = x - ln(sum(e^x)), without overflow.

    >>> log_softmax([0.0, 0.0]).tolist()
    [-0.6931471824645996, -0.6931471824645996]
    """


log_softmax.settings(_axis_setting)


@log_softmax.gradient
def _(dy: Tensor, *, y: Tensor, axis: int) -> Tensor:
    return subtract(dy, multiply(exp(y), sum(dy, axis, keepdims=True)))


def _same_shape(labels: Any, logits: Any) -> Spec:
    """Raises ShapeError if labels and logits differ in shape."""
    if labels.shape != logits.shape or not logits.ndim:
        raise ShapeError(
            f"cross entropy: labels is {labels.shape} and logits is {logits.shape}.",
            expected="equal shapes whose last axis are the classes.",
        )
    return Spec(logits.shape[:-1], logits.dtype)


@composite_op(result=_same_shape, dtypes=FLOATING)
def softmax_cross_entropy(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of softmax(logits) over the last axis: y = -sum(labels * log_softmax(logits)), without overflow.

    ``labels`` are probabilities in the shape of ``logits``.

    >>> softmax_cross_entropy([[1.0, 0.0]], [[0.0, 0.0]]).tolist()
    [0.6931471824645996]
    """
    finite = maximum(log_softmax(logits), -LARGEST[logits.dtype])  # what is impossible and not so labelled adds 0
    return negative(sum(multiply(labels, finite), axis=-1))


@softmax_cross_entropy.gradient("logits")
def _(dy: Tensor, *, labels: Tensor, logits: Tensor) -> Tensor:
    return softmax_cross_entropy_gradient(dy, labels, logits)


@composite_op(result=lambda dy, labels, logits: logits.spec, dtypes=FLOATING, public=False)
def softmax_cross_entropy_gradient(dy: TensorLike, labels: TensorLike, logits: TensorLike) -> Tensor:
    """The gradient of ``softmax_cross_entropy`` for the logits: (softmax(logits) * sum(labels) - labels) * dy.

    >>> softmax_cross_entropy_gradient([2.0], [[1.0, 0.0]], [[0.0, 0.0]]).tolist()
    [[-1.0, 1.0]]
    """
    total = sum(labels, axis=-1, keepdims=True)
    probabilities = exp(log_softmax(logits))  # the logarithms are there from the forward pass
    return multiply(subtract(multiply(probabilities, total), labels), expand_dims(dy, -1))


@softmax_cross_entropy.gradient("labels")
def _(dy: Tensor, *, logits: Tensor) -> Tensor:
    return negative(multiply(log_softmax(logits), expand_dims(dy, -1)))


def _same_pair(labels: Any, logits: Any) -> Spec:
    """Raises ShapeError if labels and logits differ in shape, or have no axis."""
    if labels.shape != logits.shape:
        raise ShapeError(
            f"cross entropy: labels is {labels.shape} and logits is {logits.shape}.", expected="equal shapes."
        )
    return Spec(logits.shape, logits.dtype)


@composite_op(result=_same_pair, dtypes=FLOATING)
def sigmoid_cross_entropy(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of sigmoid(logits), element by element: y = (1 - z) max(x, 0) + z max(-x, 0) + ln(1 + e^-|x|).

    No term is negative where z is a probability, so none takes digits from another.

    >>> sigmoid_cross_entropy([1.0], [0.0]).tolist()
    [0.6931471824645996]
    """
    x = clip(logits, -LARGEST[logits.dtype], LARGEST[logits.dtype])  # so that nothing times infinity is nothing
    linear = add(multiply(subtract(1.0, labels), relu(x)), multiply(labels, relu(negative(x))))
    return add(linear, log1p(exp(negative(abs(logits)))))


@sigmoid_cross_entropy.gradient("logits")
def _(dy: Tensor, *, labels: Tensor, logits: Tensor) -> Tensor:
    return multiply(dy, subtract(sigmoid(logits), labels))


@sigmoid_cross_entropy.gradient("labels")
def _(dy: Tensor, *, logits: Tensor) -> Tensor:
    return negative(multiply(dy, logits))
