"""Normalization by the root of the mean square."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import number
from lamina.layers.axes import along, as_axes, check_sizes, found_axes
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class RMSNormalization(Layer):
    """Divides by the root of the mean square over ``axis``, one or several: y = x / sqrt(mean(x^2) + epsilon) * scale.

    (Zhang and Sennrich 2019, arXiv:1910.07467.) Weight of the sizes of the axes, in their order in the input:
    ``scale``. Input and output have the same shape. Raises ArgumentError for an axis given twice, ShapeError for an
    input that has no such axis or other sizes than the one it was built for.

    >>> RMSNormalization(epsilon=0.0)(ops.tensor([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **common: Any) -> None:
        super().__init__(**common)
        self.axis: int | list[int] = as_axes(axis)
        self.epsilon: float = number(epsilon, "epsilon", minimum=0)

    def check_input(self, input_shape: Any) -> None:
        axes = found_axes(self, self.axis, input_shape)
        if self.built:
            check_sizes(self, input_shape, axes, self.scale.shape)

    def build(self, input_shape: Any) -> None:
        sizes = tuple(input_shape[axis] for axis in found_axes(self, self.axis, input_shape))
        self.scale: Variable = self.add_weight(sizes, "ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        axes = found_axes(self, self.axis, x.shape)
        mean_square = ops.mean(ops.square(x), axes, keepdims=True)
        return ops.multiply(ops.multiply(x, ops.rsqrt(ops.add(mean_square, self.epsilon))), along(self.scale, axes, x))
