"""Normalization of each example by itself."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import flag
from lamina.layers.axes import along, as_axes, check_sizes, found_axes
from lamina.layers.normalization.affine import AffineNormalization, standardized
from lamina.runtime.tensor import Tensor


class LayerNormalization(AffineNormalization):
    """Normalizes over ``axis``, one or several: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta.

    Mean and (biased) variance are those of each example over these axes. (Ba et al. 2016, arXiv:1607.06450.) Weights of
    the sizes of the axes, in their order in the input: ``gamma``, ``beta``. With ``rms_scaling`` it is
    x / sqrt(variance + epsilon) * gamma, without beta, whatever ``scale`` and ``center`` say. Input and output have the
    same shape; the settings of the weights are those of ``AffineNormalization``.

    Raises ArgumentError for an axis given twice, ShapeError for an input that has no such axis or other sizes than the
    one it was built for.

    >>> LayerNormalization(epsilon=0.0)(ops.tensor([[1.0, 3.0], [5.0, 9.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-3, *, rms_scaling: bool = False, **common: Any) -> None:
        super().__init__(epsilon, **common)
        self.axis: int | list[int] = as_axes(axis)
        self.rms_scaling: bool = flag(rms_scaling, "rms_scaling")

    def check_input(self, input_shape: Any) -> None:
        axes = found_axes(self, self.axis, input_shape)
        if self.built:
            check_sizes(self, input_shape, axes, self.sizes)

    def build(self, input_shape: Any) -> None:
        self.sizes: tuple[Any, ...] = tuple(input_shape[axis] for axis in found_axes(self, self.axis, input_shape))
        self.add_gamma(self.sizes, always=self.rms_scaling)
        if not self.rms_scaling:
            self.add_beta(self.sizes)

    def call(self, x: Tensor) -> Tensor:
        axes = found_axes(self, self.axis, x.shape)
        if self.rms_scaling:
            y = ops.multiply(x, ops.rsqrt(ops.add(ops.variance(x, axes, keepdims=True), self.epsilon)))
        else:
            y = standardized(x, axes, self.epsilon)
        if self.gamma is not None:
            y = ops.multiply(y, along(self.gamma, axes, x))
        return y if self.beta is None else ops.add(y, along(self.beta, axes, x))
