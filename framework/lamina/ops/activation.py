"""The non-linearities of neural networks, and the losses that belong to them numerically."""

from __future__ import annotations

from typing import Any, Final

from lamina.dtypes import FLOATING, LARGEST, REAL
from lamina.errors import ShapeError
from lamina.ops.elementwise import abs, add, clip, erf, exp, log1p, maximum, minimum, multiply, negative, subtract
from lamina.ops.reduction import sum
from lamina.ops.shaping import expand_dims
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, normalize_axis

SQRT_HALF: Final = 0.7071067811865476


@op(result=same_as(), dtypes=FLOATING)
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent of each element: y = (e^x - e^-x) / (e^x + e^-x). As NumPy.

    >>> tanh([0.0]).tolist()
    [0.0]
    """


@tanh.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, subtract(1.0, multiply(y, y)))


@op(result=same_as(), dtypes=FLOATING)
def sigmoid(x: TensorLike) -> Tensor:
    """Logistic function: y = 1 / (1 + e^-x), without overflow.

    >>> sigmoid([0.0]).tolist()
    [0.5]
    """


@sigmoid.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return multiply(dy, multiply(y, subtract(1.0, y)))


@op(result=same_as(), dtypes=REAL[1:])
def relu(x: TensorLike) -> Tensor:
    """Rectifier: y = max(x, 0). The gradient at 0 is 0.

    >>> relu([-2.0, 1.0, 0.0, 5.0]).tolist()
    [0.0, 1.0, 0.0, 5.0]
    """


@relu.gradient
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return relu_gradient(dy, y)


@op(result=same_as(), dtypes=FLOATING, public=False, outputs=("dx",))
def relu_gradient(dy: TensorLike, y: TensorLike) -> Tensor:
    """dy where y is positive, else 0.

    >>> relu_gradient([3.0, 4.0], [0.0, 1.0]).tolist()
    [0.0, 4.0]
    """


@relu_gradient.gradient("dy")
def _(dy: Tensor, *, y: Tensor) -> Tensor:
    return relu_gradient(dy, y)


@relu_gradient.gradient("y")
def _(dy: Tensor) -> None:
    return None


@composite_op(result=same_as(), dtypes=FLOATING)
def softplus(x: TensorLike) -> Tensor:
    """Smooth rectifier: y = ln(1 + e^x), without overflow.

    >>> softplus([0.0]).tolist()
    [0.6931471824645996]
    """
    return add(relu(x), log1p(exp(negative(abs(x)))))


@softplus.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return multiply(dy, sigmoid(x))


@composite_op(result=same_as(), dtypes=FLOATING)
def gelu(x: TensorLike) -> Tensor:
    """Gaussian error linear unit: y = x * Phi(x), exact form (Hendrycks and Gimpel 2016, arXiv:1606.08415).

    >>> gelu([0.0, 1.0]).tolist()
    [0.0, 0.8413447141647339]
    """
    return multiply(multiply(x, 0.5), add(1.0, erf(multiply(x, SQRT_HALF))))


@composite_op(result=same_as(), dtypes=FLOATING)
def silu(x: TensorLike) -> Tensor:
    """Sigmoid linear unit, also called swish: y = x * sigmoid(x) (Elfwing et al. 2017, arXiv:1702.03118).

    >>> silu([0.0]).tolist()
    [0.0]
    """
    return multiply(x, sigmoid(x))


@composite_op(result=lambda x, alpha: Spec(x.shape, x.dtype), dtypes=FLOATING)
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: x above 0, alpha * (e^x - 1) below (Clevert et al. 2015, arXiv:1511.07289).

    >>> elu([-1e9, 1.0]).tolist()
    [-1.0, 1.0]
    """
    return add(relu(x), multiply(subtract(exp(minimum(x, 0.0)), 1.0), alpha))


@composite_op(result=lambda x, alpha: Spec(x.shape, x.dtype), dtypes=FLOATING)
def leaky_relu(x: TensorLike, alpha: float = 0.2) -> Tensor:
    """Leaky rectifier: x above 0, alpha * x below.

    >>> leaky_relu([-5.0, 1.0]).tolist()
    [-1.0, 1.0]
    """
    return add(relu(x), multiply(minimum(x, 0.0), alpha))


@composite_op(result=same_as(), dtypes=FLOATING)
def hard_sigmoid(x: TensorLike) -> Tensor:
    """Piecewise linear sigmoid of TensorFlow.js and Keras 2: y = min(max(0.2 * x + 0.5, 0), 1).

    >>> hard_sigmoid([0.0, 5.0]).tolist()
    [0.5, 1.0]
    """
    return minimum(maximum(add(multiply(x, 0.2), 0.5), 0.0), 1.0)


def _axis_setting(x: Tensor, axis: Any) -> dict[str, Any]:
    return {"axis": normalize_axis(axis, x.ndim)}


@op(result=lambda x, axis: Spec(x.shape, x.dtype), dtypes=FLOATING)
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


@op(result=lambda x, axis: Spec(x.shape, x.dtype), dtypes=FLOATING)
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
    total = sum(labels, axis=-1, keepdims=True)
    probabilities = exp(log_softmax(logits))  # the logarithms are there from the forward pass
    return multiply(subtract(multiply(probabilities, total), labels), expand_dims(dy, -1))


@softmax_cross_entropy.gradient("labels")
def _(dy: Tensor, *, logits: Tensor) -> Tensor:
    return negative(multiply(log_softmax(logits), expand_dims(dy, -1)))


def _same_pair(labels: Any, logits: Any) -> Spec:
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
