"""Convolution of sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import positive
from lamina.layers.convolution.base import WindowLayer
from lamina.layers.kernel import KernelLayer
from lamina.runtime.tensor import Tensor


class Convolution(WindowLayer, KernelLayer):
    """Base of Conv1D, Conv2D and Conv3D: y = activation(convolution(x, kernel) + bias).

    ``filters`` is the number of output channels. With ``groups`` the channels and the filters fall into so many
    groups, and each group of filters sees its own group of channels. The other settings are those of ``WindowLayer``
    and, for the weights, of ``KernelLayer``.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation=activation, use_bias=use_bias,
            **common,
        )  # fmt: skip
        self.filters: int = positive(filters, "filters")
        self.groups: int = positive(groups, "groups")
        if self.filters % self.groups:
            raise ArgumentError(
                f"filters is {self.filters} and groups is {self.groups}.",
                expected="filters to be a multiple of groups.",
            )

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        channels = input_shape[self.channel_axis]
        if channels is not None and channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} got an input of shape {input_shape}, and groups is {self.groups}.",
                expected=f"the number of channels ({channels}) to be a multiple of groups.",
            )

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.add_kernel((*self.kernel_size, self.channels // self.groups, self.filters))
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.with_bias(self.convolve(x, self.kernel, self.groups)))
        return y


class Conv1D(Convolution):
    """One-dimensional convolution, of sequences: y = activation(conv1d(x, kernel) + bias).

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise
    with ``filters`` channels. Weights: ``kernel`` (steps, channels / groups, filters), ``bias`` (filters,).
    ``padding`` may be 'causal' (van den Oord et al. 2016). The settings are those of ``Convolution``; strides and
    dilation_rate may both be above 1, unlike in Keras. Raises ShapeError for an input that does not fit.

    >>> Conv1D(4, 3, padding="causal").compute_output_shape((1, 8, 3))
    (1, 8, 4)
    """

    rank = 1


class Conv2D(Convolution):
    """Two-dimensional convolution, of images: y = activation(conv2d(x, kernel) + bias).

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise with ``filters`` channels. Weights: ``kernel`` (height, width, channels / groups, filters),
    ``bias`` (filters,). The settings are those of ``Convolution``; strides and dilation_rate may both be above 1,
    unlike in Keras. Raises ShapeError for an input that does not fit.

    >>> Conv2D(4, 3, padding="same").compute_output_shape((1, 8, 8, 3))
    (1, 8, 8, 4)
    """

    rank = 2


class Conv3D(Convolution):
    """Three-dimensional convolution, of volumes: y = activation(conv3d(x, kernel) + bias).

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise with ``filters`` channels. Weights: ``kernel`` (depth, height, width, channels /
    groups, filters), ``bias`` (filters,). The settings are those of ``Convolution``; strides and dilation_rate may
    both be above 1, unlike in Keras. Raises ShapeError for an input that does not fit.

    >>> Conv3D(4, 3, strides=2).compute_output_shape((1, 5, 7, 7, 3))
    (1, 2, 3, 3, 4)
    """

    rank = 3
