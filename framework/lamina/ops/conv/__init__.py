"""Convolution along one, two and three axes, forward and transposed, grouped, depthwise and separable."""

from lamina.ops.conv.depthwise import depthwise_conv2d, separable_conv2d
from lamina.ops.conv.forward import conv1d, conv2d, conv3d
from lamina.ops.conv.primitives import convolution, convolution_input_gradient, convolution_kernel_gradient
from lamina.ops.conv.transposed import conv1d_transpose, conv2d_transpose, conv3d_transpose

__all__ = [
    "conv1d", "conv1d_transpose", "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose", "convolution",
    "convolution_input_gradient", "convolution_kernel_gradient", "depthwise_conv2d", "separable_conv2d",
]  # fmt: skip
