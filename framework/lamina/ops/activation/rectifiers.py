"""Rectifiers: what is a straight line above 0."""

from __future__ import annotations

from typing import Final

from lamina.dtypes import FLOATING, REAL
from lamina.ops.elementwise import add, exp, expm1, greater, minimum, multiply, step, where
from lamina.ops.elementwise.rules import broadcast
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

SELU_ALPHA: Final = 1.6732632423543772
SELU_SCALE: Final = 1.0507009873554805


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


@composite_op(result=same_as(), dtypes=REAL[1:])
def relu6(x: TensorLike) -> Tensor:
    """Rectifier up to 6: y = min(max(x, 0), 6). The gradient is 1 at 6 and 0 at 0. As TensorFlow.

    >>> relu6([-1.0, 3.0, 7.0]).tolist()
    [0.0, 3.0, 6.0]
    """
    return minimum(relu(x), 6)


@relu6.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return where(greater(x, 6.0), 0.0, multiply(dy, step(x)))


@composite_op(result=lambda x, alpha: Spec(x.shape, x.dtype), dtypes=FLOATING, integers="float32")
def leaky_relu(x: TensorLike, alpha: float = 0.2) -> Tensor:
    """Leaky rectifier: x above 0, alpha * x below. The gradient at 0 is alpha. Integers are taken as float32.

    >>> leaky_relu([-5.0, 1.0]).tolist()
    [-1.0, 1.0]
    """
    return where(greater(x, 0.0), x, multiply(x, alpha))


@composite_op(result=broadcast("prelu", ("x", "alpha")), dtypes=FLOATING, integers="float32")
def prelu(x: TensorLike, alpha: TensorLike) -> Tensor:
    """Rectifier with a learned slope: x above 0, alpha * x below, broadcast (He et al. 2015, arXiv:1502.01852).

    The gradient with respect to x at 0 is alpha. Integers are taken as float32. Raises ShapeError if the shapes do
    not broadcast.

    >>> prelu([[-2.0, 1.0], [-4.0, 2.0]], [0.5, 0.25]).tolist()
    [[-1.0, 1.0], [-2.0, 2.0]]
    """
    return where(greater(x, 0.0), x, multiply(alpha, x))


@prelu.gradient("x")
def _(dy: Tensor, *, x: Tensor, alpha: Tensor) -> Tensor:
    return where(greater(x, 0.0), dy, multiply(dy, alpha))


@prelu.gradient("alpha")
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return where(greater(x, 0.0), 0.0, multiply(dy, x))


@composite_op(result=lambda x, alpha: Spec(x.shape, x.dtype), dtypes=FLOATING, integers="float32")
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: x above 0, alpha * (e^x - 1) below (Clevert et al. 2015, arXiv:1511.07289).

    The gradient at 0 is alpha. Integers are taken as float32.

    >>> elu([-1e9, 1.0]).tolist()
    [-1.0, 1.0]
    """
    return add(relu(x), multiply(expm1(minimum(x, 0.0)), alpha))


@elu.gradient
def _(dy: Tensor, *, x: Tensor, alpha: float) -> Tensor:
    return where(greater(x, 0.0), dy, multiply(dy, multiply(exp(minimum(x, 0.0)), alpha)))


@composite_op(result=same_as(), dtypes=FLOATING, integers="float32")
def selu(x: TensorLike) -> Tensor:
    """Scaled exponential linear unit: y = 1.0507 * elu(x, 1.6733) (Klambauer et al. 2017, arXiv:1706.02515).

    Integers are taken as float32.

    >>> selu([0.0, -1e9]).tolist()
    [0.0, -1.7580993175506592]
    """
    return multiply(elu(x, alpha=SELU_ALPHA), SELU_SCALE)
