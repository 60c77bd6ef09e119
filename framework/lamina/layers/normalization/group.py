"""Normalization of groups of channels."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import LARGEST_SIZE
from lamina.layers.axes import along, check_sizes, found_axes
from lamina.layers.normalization.affine import AffineNormalization, standardized
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class GroupNormalization(AffineNormalization):
    """Normalizes groups of channels: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta.

    Mean and (biased) variance are those of each example and of each of ``groups`` groups of neighbouring channels, over
    all other axes; ``axis`` is that of the channels. -1 as ``groups`` makes every channel a group by itself. (Wu and He
    2018, arXiv:1803.08494.) Weights of the size of ``axis``: ``gamma``, ``beta``. Input and output have the same shape;
    the settings of the weights are those of ``AffineNormalization``.

    Raises ArgumentError for a number of groups that is neither positive nor -1, ShapeError for an input that has no
    such axis, or whose channels cannot be divided into so many groups.

    >>> GroupNormalization(2, epsilon=0.0)(ops.tensor([[1.0, 3.0, 5.0, 9.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, **common: Any) -> None:
        super().__init__(epsilon, **common)
        self.groups: int = as_int(groups, "groups", minimum=-1, maximum=LARGEST_SIZE)
        if not self.groups:
            raise ArgumentError("groups is 0.", expected="a positive number, or -1 for a group for each channel.")
        self.axis: int = as_int(axis, "axis")

    def check_input(self, input_shape: Any) -> None:
        axes = found_axes(self, self.axis, input_shape)
        channels = input_shape[axes[0]]
        if not axes[0]:
            raise ShapeError(
                f"GroupNormalization(axis={self.axis}) got an input of shape {input_shape}.",
                expected="the axis of the channels, which is not the batch.",
            )
        if channels is not None and self.groups > 0 and (self.groups > channels or channels % self.groups):
            raise ShapeError(
                f"GroupNormalization got an input of shape {input_shape}.",
                expected=f"channels on axis {axes[0]} that can be divided into {self.groups} groups, not {channels}.",
                fix="pass groups=... that divides them.",
            )
        if self.built:
            check_sizes(self, input_shape, axes, (self.channels,))

    def build(self, input_shape: Any) -> None:
        self.channels: Any = input_shape[self.axis]
        self.add_gamma((self.channels,))
        self.add_beta((self.channels,))

    def call(self, x: Tensor) -> Tensor:
        axis = self.axis % x.ndim
        groups = self.channels if self.groups == -1 else self.groups
        grouped = ops.reshape(x, (*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :]))
        others = tuple(a for a in range(1, grouped.ndim) if a != axis)
        y = ops.reshape(standardized(grouped, others, self.epsilon), x.shape)
        if self.gamma is not None:
            y = ops.multiply(y, along(self.gamma, (axis,), x))
        return y if self.beta is None else ops.add(y, along(self.beta, (axis,), x))
