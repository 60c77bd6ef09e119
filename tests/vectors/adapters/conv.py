"""Convolution: names of data formats, padding that also covers batch and channels, settings in another order."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina

_FORMATS = {"NWC": "channels_last", "NHWC": "channels_last", "NDHWC": "channels_last", "NCHW": "channels_first"}
_ACTIVATIONS = {"leakyrelu": "leaky_relu"}


def data_format(name: str) -> str:
    """lamina's name of a data format; one that it does not have stays, to be refused."""
    return _FORMATS.get(name, name)


def padding(pad: Any, format_name: str) -> Any:
    """The padding of the spatial axes; a sequence is an image of one row in TensorFlow.js."""
    if isinstance(pad, list) and len(pad) == 4 and format_name == "NWC":
        return pad[2:3]
    if isinstance(pad, list) and len(pad) == 4:
        return pad[1:3] if data_format(format_name) == "channels_last" else pad[2:4]
    return pad


@adapter("conv1d")
def conv1d(
    x: TensorLike, kernel: TensorLike, stride: Any, pad: Any, form: str = "NWC", dilation: Any = 1, rounding: Any = None
) -> Any:
    return lamina.conv1d(
        x, kernel, stride, padding(pad, form), dilation or 1, dim_rounding_mode=rounding, data_format=data_format(form)
    )


@adapter("conv2d")
def conv2d(
    x: TensorLike, kernel: TensorLike, strides: Any, pad: Any, form: str = "NHWC", dilations: Any = 1,
    rounding: Any = None,
) -> Any:  # fmt: skip
    return lamina.conv2d(
        x, kernel, strides, padding(pad, form), dilations or 1, dim_rounding_mode=rounding,
        data_format=data_format(form),
    )  # fmt: skip


@adapter("conv3d")
def conv3d(x: TensorLike, kernel: TensorLike, strides: Any, pad: Any, form: str = "NDHWC", dilations: Any = 1) -> Any:
    return lamina.conv3d(x, kernel, strides, pad, dilations or 1, data_format=data_format(form))


@adapter("conv2dTranspose")
def conv2d_transpose(
    x: TensorLike, kernel: TensorLike, output_shape: Any, strides: Any, pad: Any, rounding: Any = None
) -> Any:
    return lamina.conv2d_transpose(x, kernel, strides, padding(pad, "NHWC"), output_shape, dim_rounding_mode=rounding)


@adapter("conv3dTranspose")
def conv3d_transpose(x: TensorLike, kernel: TensorLike, output_shape: Any, strides: Any, pad: Any) -> Any:
    return lamina.conv3d_transpose(x, kernel, strides, pad, output_shape)


@adapter("depthwiseConv2d")
def depthwise_conv2d(
    x: TensorLike, kernel: TensorLike, strides: Any, pad: Any, form: str = "NHWC", dilations: Any = 1,
    rounding: Any = None,
) -> Any:  # fmt: skip
    return lamina.depthwise_conv2d(x, kernel, strides, padding(pad, form), dilations or 1, rounding, data_format(form))


@adapter("separableConv2d")
def separable_conv2d(
    x: TensorLike, depthwise: TensorLike, pointwise: TensorLike, strides: Any, pad: Any, dilation: Any = 1,
    form: str = "NHWC",
) -> Any:  # fmt: skip
    return lamina.separable_conv2d(
        x, depthwise, pointwise, strides, padding(pad, form), dilation or 1, data_format(form)
    )


@adapter("fused.conv2d")
def fused_conv2d(settings: Any) -> Any:
    return _fused(lamina.fused.conv2d, **settings)


@adapter("fused.depthwiseConv2d")
def fused_depthwise_conv2d(settings: Any) -> Any:
    return _fused(lamina.fused.depthwise_conv2d, **settings)


def _fused(
    function: Any, x: Any, filter: Any, strides: Any, pad: Any, dataFormat: str = "NHWC",
    dilations: Any = 1, dimRoundingMode: Any = None, bias: Any = None, activation: str = "linear",
    preluActivationWeights: Any = None, leakyreluAlpha: float = 0.2,
) -> Any:  # fmt: skip
    return function(
        _tensor(x), _tensor(filter), strides, padding(pad, dataFormat), dilations or 1, _tensor(bias),
        _ACTIVATIONS.get(activation, activation), _tensor(preluActivationWeights), leakyreluAlpha, dimRoundingMode,
        data_format(dataFormat),
    )  # fmt: skip


def _tensor(value: Any) -> Any:
    """Nested lists inside the one argument of a fused call, by TensorFlow.js's rule."""
    return lamina.tensor(value, "float32") if isinstance(value, list) else value
