"""Convolutional layers."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import choice, positive
from lamina.layers.checks import channel_axis, check_axes, check_size, check_window, image_axes
from lamina.layers.kernel import KernelLayer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_pair


class Conv2D(KernelLayer):
    """Two-dimensional convolution: y = activation(conv2d(x, kernel) + bias).

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width).
    Weights: ``kernel`` (height, width, channels, filters), ``bias`` (filters,). The settings of the weights are those
    of ``KernelLayer``.

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
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.filters = positive(filters, "filters")
        self.kernel_size = as_pair(kernel_size, "kernel_size")
        self.strides = as_pair(strides, "strides")
        self.padding = choice(padding.lower() if isinstance(padding, str) else padding, "padding", ("valid", "same"))
        self.data_format = choice(data_format or "channels_last", "data_format", ("channels_last", "channels_first"))
        self.dilation_rate = as_pair(dilation_rate, "dilation_rate")

    def check_input(self, input_shape: Any) -> None:
        check_axes(self, input_shape, image_axes(self))
        if self.built:
            check_size(self, input_shape, channel_axis(self), self.channels)
        reach = ((size - 1) * rate + 1 for size, rate in zip(self.kernel_size, self.dilation_rate, strict=True))
        check_window(self, input_shape, tuple(reach))

    def build(self, input_shape: Any) -> None:
        self.channels = input_shape[channel_axis(self)]
        self.add_kernel((*self.kernel_size, self.channels, self.filters))
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        x = to_channels_last(x, self.data_format)
        y = self.with_bias(ops.conv2d(x, self.kernel, self.strides, self.padding, self.dilation_rate))
        return from_channels_last(self.activation(y), self.data_format)


def to_channels_last(x: Tensor, data_format: str) -> Tensor:
    """An image batch with its channels moved to the last axis, if they are first."""
    return ops.transpose(x, (0, 2, 3, 1)) if data_format == "channels_first" else x


def from_channels_last(x: Tensor, data_format: str) -> Tensor:
    """The reverse of ``to_channels_last``."""
    return ops.transpose(x, (0, 3, 1, 2)) if data_format == "channels_first" else x
