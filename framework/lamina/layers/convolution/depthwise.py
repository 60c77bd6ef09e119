"""Convolution of each channel by itself, and the separable one, which mixes the channels afterwards."""

from __future__ import annotations

from typing import Any

from lamina import constraints, initializers, ops, regularizers
from lamina.layers.arguments import positive
from lamina.layers.convolution.base import CONVOLVE, WindowLayer
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class DepthwiseLayer(WindowLayer):
    """Base of layers with a ``depthwise_kernel``: (window..., channels, depth_multiplier).

    Each channel gives ``depth_multiplier`` channels by itself. ``depthwise_initializer``, ``depthwise_regularizer`` and
    ``depthwise_constraint`` are those of the kernel; ``activation`` is a name or a function, None for none; the other
    settings are those of ``WindowLayer``.
    """

    lends_settings = True

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation=activation, use_bias=use_bias,
            **common,
        )  # fmt: skip
        self.depth_multiplier: int = positive(depth_multiplier, "depth_multiplier")
        self.depthwise_initializer: Any = initializers.get(depthwise_initializer)
        self.depthwise_regularizer: Any = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint: Any = constraints.get(depthwise_constraint)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.depthwise_kernel: Variable = self.add_weight(
            (*self.kernel_size, self.channels, self.depth_multiplier), self.depthwise_initializer,
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint, name="depthwise_kernel",
        )  # fmt: skip

    def by_depth(self, x: Tensor) -> Tensor:
        """x convolved channel by channel."""
        kernel = ops.reshape(self.depthwise_kernel, (*self.kernel_size, 1, self.channels * self.depth_multiplier))
        return self.convolve(x, kernel, self.channels)


class DepthwiseConvolution(DepthwiseLayer):
    """Base of DepthwiseConv1D and DepthwiseConv2D."""

    @property
    def kernel(self) -> Any:
        """The depthwise kernel, by its name in Keras 3."""
        return self.depthwise_kernel

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.add_bias(self.channels * self.depth_multiplier)

    def call(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(self.with_bias(self.by_depth(x)))
        return result


class DepthwiseConv1D(DepthwiseConvolution):
    """Convolution of each channel of a sequence by itself.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise with
    channels * depth_multiplier channels. Weights: ``depthwise_kernel`` (steps, channels, depth_multiplier), ``bias``
    (channels * depth_multiplier,). Settings as for ``DepthwiseLayer``; ``padding`` may be 'causal'. Raises ShapeError
    for an input that does not fit. The settings of the bias are those of ``BiasSettings``.

    >>> DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((1, 8, 4))
    (1, 6, 8)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConvolution):
    """Convolution of each channel of an image by itself.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise with channels * depth_multiplier channels. Weights: ``depthwise_kernel`` (height, width, channels,
    depth_multiplier), ``bias`` (channels * depth_multiplier,). Settings as for ``DepthwiseLayer``; ``dilation_rate``
    takes effect, unlike in TensorFlow.js. Raises ShapeError for an input that does not fit. The settings of the bias
    are those of ``BiasSettings``.

    >>> DepthwiseConv2D(3, depth_multiplier=2).compute_output_shape((1, 8, 6, 4))
    (1, 6, 4, 8)
    """

    rank = 2


class SeparableConvolution(DepthwiseLayer):
    """Base of SeparableConv1D and SeparableConv2D: a depthwise convolution, then one of a single point.

    ``filters`` is the number of output channels. ``pointwise_initializer``, ``pointwise_regularizer`` and
    ``pointwise_constraint`` are those of the kernel that mixes the channels; the other settings are those of
    ``DepthwiseLayer``.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        pointwise_initializer: Any = "glorot_uniform",
        pointwise_regularizer: Any = None,
        pointwise_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias, **common
        )
        self.filters: int = positive(filters, "filters")
        self.pointwise_initializer: Any = initializers.get(pointwise_initializer)
        self.pointwise_regularizer: Any = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint: Any = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.pointwise_kernel: Variable = self.add_weight(
            (*(1,) * self.rank, self.channels * self.depth_multiplier, self.filters), self.pointwise_initializer,
            regularizer=self.pointwise_regularizer, constraint=self.pointwise_constraint, name="pointwise_kernel",
        )  # fmt: skip
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        mixed = CONVOLVE[self.rank](self.by_depth(x), self.pointwise_kernel, data_format=self.data_format)
        result: Tensor = self.activation(self.with_bias(mixed))
        return result


class SeparableConv1D(SeparableConvolution):
    """Separable convolution of sequences: each channel by itself, then a mixture of the channels.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise with
    ``filters`` channels. Weights: ``depthwise_kernel`` (steps, channels, depth_multiplier), ``pointwise_kernel`` (1,
    channels * depth_multiplier, filters), ``bias`` (filters,). Settings as for ``SeparableConvolution``; ``padding``
    may be 'causal'. Raises ShapeError for an input that does not fit. The settings of the bias are those of
    ``BiasSettings``.

    >>> SeparableConv1D(5, 3).compute_output_shape((1, 8, 4))
    (1, 6, 5)
    """

    rank = 1


class SeparableConv2D(SeparableConvolution):
    """Separable convolution of images (Chollet 2017, arXiv:1610.02357): depthwise, then a mixture of the channels.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise with ``filters`` channels. Weights: ``depthwise_kernel`` (height, width, channels,
    depth_multiplier), ``pointwise_kernel`` (1, 1, channels * depth_multiplier, filters), ``bias`` (filters,). Settings
    as for ``SeparableConvolution``. Raises ShapeError for an input that does not fit. The settings of the bias are
    those of ``BiasSettings``.

    >>> SeparableConv2D(5, 3).compute_output_shape((1, 8, 6, 4))
    (1, 6, 4, 5)
    """

    rank = 2
