"""Convolutional layers."""

from __future__ import annotations

from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.layers.arguments import choice, flag, positive
from lamina.layers.checks import channel_axis, check_axes, check_size, check_window, image_axes
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_pair


class Conv2D(Layer):
    """Two-dimensional convolution: y = activation(conv2d(x, kernel) + bias).

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width).
    Weights: ``kernel`` (height, width, channels, filters), ``bias`` (filters,).

    >>> Conv2D(4, 3, padding="same")(ops.zeros((1, 8, 8, 3))).shape
    (1, 8, 8, 4)
    """

    elsewhere = {"groups": (1,)}

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.filters = positive(filters, "filters")
        self.kernel_size = as_pair(kernel_size, "kernel_size")
        self.strides = as_pair(strides, "strides")
        self.padding = choice(padding.lower() if isinstance(padding, str) else padding, "padding", ("valid", "same"))
        self.data_format = choice(data_format or "channels_last", "data_format", ("channels_last", "channels_first"))
        self.dilation_rate = as_pair(dilation_rate, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, "use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def check_input(self, input_shape: Any) -> None:
        check_axes(self, input_shape, image_axes(self))
        if self.built:
            check_size(self, input_shape, channel_axis(self), self.channels)
        reach = ((size - 1) * rate + 1 for size, rate in zip(self.kernel_size, self.dilation_rate, strict=True))
        check_window(self, input_shape, tuple(reach))

    def build(self, input_shape: Any) -> None:
        self.channels = input_shape[channel_axis(self)]
        self.kernel = self.add_weight(
            (*self.kernel_size, self.channels, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, x: Tensor) -> Tensor:
        x = to_channels_last(x, self.data_format)
        y = ops.conv2d(x, self.kernel, self.strides, self.padding, self.dilation_rate)
        if self.use_bias:
            y = ops.add(y, self.bias)
        return from_channels_last(self.activation(y), self.data_format)


def to_channels_last(x: Tensor, data_format: str) -> Tensor:
    """An image batch with its channels moved to the last axis, if they are first."""
    return ops.transpose(x, (0, 2, 3, 1)) if data_format == "channels_first" else x


def from_channels_last(x: Tensor, data_format: str) -> Tensor:
    """The reverse of ``to_channels_last``."""
    return ops.transpose(x, (0, 3, 1, 2)) if data_format == "channels_first" else x
