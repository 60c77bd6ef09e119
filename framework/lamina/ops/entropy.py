"""Cross entropies of class numbers, which need no labels in the shape of the predictions."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING, INTEGER
from lamina.errors import ShapeError
from lamina.ops.activation import softmax_cross_entropy
from lamina.ops.activation.softmax import softmax_cross_entropy_gradient
from lamina.ops.elementwise import (
    cast,
    clip,
    divide,
    greater_equal,
    less_equal,
    log,
    logical_and,
    multiply,
    negative,
    subtract,
)
from lamina.ops.indexing import one_hot
from lamina.ops.reduction import sum as sum_
from lamina.ops.shaping import expand_dims
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


def _one_for_each(labels: Any, given: Any, **_: Any) -> Spec:
    """Raises ShapeError unless there is a label for each row of what is given, and a class."""
    if not given.shape or labels.shape != given.shape[:-1] or not given.shape[-1]:
        raise ShapeError(
            f"cross entropy: labels is {labels.shape} and the predictions are {given.shape}.",
            expected="a label for each row of the last axis, which are the classes.",
        )
    return Spec(labels.shape, given.dtype)


@composite_op(result=_one_for_each, dtypes={"labels": INTEGER, "logits": FLOATING}, promote=False, public=False)
def class_cross_entropy(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of softmax(logits) over the last axis for class numbers, without overflow.

    It is ``softmax_cross_entropy`` of the one-hot labels; a number that is no class gives 0.

    >>> import numpy as np
    >>> class_cross_entropy(np.array([0, 5]), [[0.0, 0.0], [1.0, 2.0]]).tolist()
    [0.6931471824645996, -0.0]
    """
    return softmax_cross_entropy(one_hot(labels, logits.shape[-1], dtype=logits.dtype), logits)


@class_cross_entropy.gradient("logits")
def _(dy: Tensor, *, labels: Tensor, logits: Tensor) -> Tensor:
    return class_cross_entropy_gradient(dy, labels, logits)


@composite_op(
    result=lambda dy, labels, logits: logits.spec,
    dtypes={"dy": FLOATING, "labels": INTEGER, "logits": FLOATING},
    promote=("dy", "logits"),
    public=False,
)
def class_cross_entropy_gradient(dy: TensorLike, labels: TensorLike, logits: TensorLike) -> Tensor:
    """The gradient of ``class_cross_entropy`` for the logits: (softmax(logits) - one-hot labels) * dy.

    >>> import numpy as np
    >>> class_cross_entropy_gradient([2.0], np.array([0]), [[0.0, 0.0]]).tolist()
    [[-1.0, 1.0]]
    """
    return softmax_cross_entropy_gradient(dy, one_hot(labels, logits.shape[-1], dtype=logits.dtype), logits)


def kept_shares(shares: Tensor, epsilon: float) -> Tensor:
    """Shares divided by their sum over the last axis, and kept so far away from 0 and 1."""
    return clip(divide(shares, sum_(shares, -1, keepdims=True)), epsilon, 1.0 - epsilon)


@composite_op(result=_one_for_each, dtypes={"labels": INTEGER, "shares": FLOATING}, promote=False, public=False)
def class_log_loss(labels: TensorLike, shares: TensorLike, epsilon: float) -> Tensor:
    """-ln of the share that each class number has, after ``kept_shares``; a number that is no class gives 0.

    >>> import numpy as np
    >>> class_log_loss(np.array([1]), [[0.5, 0.5]], epsilon=1e-7).tolist()
    [0.6931471824645996]
    """
    chosen = one_hot(labels, shares.shape[-1], dtype=shares.dtype)
    return negative(sum_(multiply(chosen, log(kept_shares(shares, epsilon))), axis=-1))


@class_log_loss.gradient("shares")
def _(dy: Tensor, *, labels: Tensor, shares: Tensor, epsilon: float) -> Tensor:
    return class_log_loss_gradient(dy, labels, shares, epsilon=epsilon)


@composite_op(
    result=lambda dy, labels, shares, epsilon: shares.spec,
    dtypes={"dy": FLOATING, "labels": INTEGER, "shares": FLOATING},
    promote=("dy", "shares"),
    public=False,
)
def class_log_loss_gradient(dy: TensorLike, labels: TensorLike, shares: TensorLike, epsilon: float) -> Tensor:
    """The gradient of ``class_log_loss`` for the shares: 0 where the share was kept away from 0 or 1.

    >>> import numpy as np
    >>> class_log_loss_gradient([1.0], np.array([1]), [[0.5, 0.5]], epsilon=1e-7).tolist()
    [[1.0, -1.0]]
    """
    total = sum_(shares, -1, keepdims=True)
    part = divide(shares, total)
    inside = cast(logical_and(greater_equal(part, epsilon), less_equal(part, 1.0 - epsilon)), shares.dtype)
    chosen = one_hot(labels, shares.shape[-1], dtype=shares.dtype)
    slope = multiply(divide(multiply(chosen, expand_dims(dy, -1)), kept_shares(shares, epsilon)), inside)
    return divide(subtract(sum_(multiply(slope, part), -1, keepdims=True), slope), total)
