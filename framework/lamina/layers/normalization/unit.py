"""Scaling to length 1."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.layers.axes import as_axes, found_axes
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor

_LEAST: Final = 1e-12
"""The least square of a length: what is shorter is not made longer than it can be told from 0."""


class UnitNormalization(Layer):
    """Scales to a Euclidean length of 1 over ``axis``, one or several: y = x / sqrt(max(sum(x^2), 1e-12)).

    Input and output have the same shape. Raises ArgumentError for an axis given twice, ShapeError for an input that has
    no such axis.

    >>> [round(v, 6) for v in UnitNormalization()(ops.tensor([[3.0, 4.0]])).tolist()[0]]
    [0.6, 0.8]
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **common: Any) -> None:
        super().__init__(**common)
        self.axis: int | list[int] = as_axes(axis)

    def check_input(self, input_shape: Any) -> None:
        found_axes(self, self.axis, input_shape)

    def call(self, x: Tensor) -> Tensor:
        return to_length_one(x, found_axes(self, self.axis, x.shape))


def to_length_one(x: Tensor, axes: Any = None) -> Tensor:
    """x scaled to a length of 1 over axes, None for all of them together.

    >>> to_length_one(ops.tensor([0.0, 2.0])).tolist()
    [0.0, 1.0]
    """
    return ops.multiply(x, ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axes, keepdims=True), _LEAST)))
