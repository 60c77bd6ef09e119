"""The cross entropy of class numbers, which needs no labels in the shape of the predictions."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING, INTEGER
from lamina.errors import ShapeError
from lamina.ops.activation import softmax_cross_entropy
from lamina.ops.activation.softmax import softmax_cross_entropy_gradient
from lamina.ops.indexing import one_hot
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


def _one_for_each(labels: Any, logits: Any) -> Spec:
    """Raises ShapeError unless there is a label for each row of the logits, and a class."""
    if not logits.shape or labels.shape != logits.shape[:-1] or not logits.shape[-1]:
        raise ShapeError(
            f"class_cross_entropy: labels is {labels.shape} and logits is {logits.shape}.",
            expected="a label for each row of the last axis, which are the classes.",
        )
    return Spec(labels.shape, logits.dtype)


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
