"""Softmax over one axis or several, of what a mask leaves."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import ops
from lamina.dtypes import LARGEST
from lamina.errors import ShapeError
from lamina.layers.axes import as_axes, found_axes
from lamina.layers.layer import Layer
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_entries, broadcast_shapes


class Softmax(Layer):
    """Normalized exponential over ``axis``, one or several: y = e^x / sum(e^x), without overflow.

    Called with a ``mask`` that broadcasts to the input, only where it is True (or above 0.5) counts, and the result is
    0 elsewhere, also where nothing counts. Input and output have the same shape. (The default axis is the last, as in
    Keras; in TensorFlow.js it is 1.) Raises ArgumentError for an axis given twice, ShapeError for an input that has no
    such axis or a mask that does not broadcast.

    >>> Softmax()(ops.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **common: Any) -> None:
        super().__init__(**common)
        self.axis: int | list[int] = as_axes(axis)

    def check_input(self, input_shape: Any) -> None:
        found_axes(self, self.axis, input_shape)

    def call(self, x: Tensor, mask: Any = None) -> Tensor:
        return softmax(x, self.axis) if mask is None else masked_softmax(x, mask, self.axis)


def softmax(x: Tensor, axis: Any) -> Tensor:
    """Softmax over an axis, or over several together.

    >>> softmax(ops.zeros((2, 2)), (0, 1)).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    axes = tuple(a % x.ndim for a in as_entries(axis, "axis"))
    if len(axes) == 1:
        return ops.softmax(x, axes[0])
    rest = [a for a in range(x.ndim) if a not in axes]
    order = [*rest, *axes]
    moved = ops.transpose(x, order)
    rows = ops.reshape(moved, (*(x.shape[a] for a in rest), prod(x.shape[a] for a in axes)))
    back = [order.index(a) for a in range(x.ndim)]
    return ops.transpose(ops.reshape(ops.softmax(rows, -1), moved.shape), back)


def masked_softmax(x: Tensor, mask: Any, axis: Any = -1, *, some_count: bool = False) -> Tensor:
    """Softmax of what ``mask`` leaves, 0 elsewhere; ``some_count`` says that it leaves something everywhere.

    What is left out becomes the lowest number there is, not minus infinity: where nothing is left the difference of two
    infinities would be NaN, in the gradient too.

    >>> masked_softmax(ops.tensor([[0.0, 0.0, 5.0], [1.0, 2.0, 3.0]]), [[True, True, False], [False] * 3]).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    kept = to_tensor(mask)
    if broadcast_shapes("softmax", ("x", "mask"), (x.shape, kept.shape)) != x.shape:
        raise ShapeError(f"softmax: x is {x.shape} and mask is {kept.shape}.", expected="mask to broadcast to x.")
    if kept.dtype != "bool":
        kept = ops.greater(kept, 0.5)
    y = softmax(ops.where(kept, x, -LARGEST[x.dtype]), axis)
    return y if some_count else ops.where(kept, y, 0.0)
