"""Cases of convolution, against loops over every output element."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import empty, ints, non_contiguous, normal
from lamina.testing.table import case


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """One int for all axes, or one for each."""
    return (value,) * count if isinstance(value, int) else tuple(value)


def pads(x: Any, window: Any, strides: Any, padding: Any, dilations: Any = (1, 1, 1)) -> list[tuple[int, int]]:
    """The zeros before and after each axis, by TensorFlow's rule."""
    if isinstance(padding, int):
        return [(padding, padding)] * (x.ndim - 2)
    if not isinstance(padding, str):
        return [tuple(p) for p in padding]
    found = []
    for size, reach, stride, spread in zip(x.shape[1:-1], window, strides, dilations, strict=False):
        total = 0
        if padding == "same":
            positions = (size + stride - 1) // stride
            total = max(0, (positions - 1) * stride + (reach - 1) * spread + 1 - size)
        found.append((total // 2, total - total // 2))
    return found


def image(x: Any, around: Any, value: float = 0.0) -> Any:
    """An image with its border."""
    return np.pad(x, [(0, 0), *around, (0, 0)], constant_values=value)


def positions(x: Any, window: Any, strides: Any, dilations: Any = (1, 1, 1)) -> tuple[int, ...]:
    """How many places a window has in a padded image."""
    axes = zip(x.shape[1:-1], window, strides, dilations, strict=False)
    return tuple(max(0, (size - (d * (w - 1) + 1)) // s + 1) for size, w, s, d in axes)


def places(output: Any, window: Any, strides: Any, dilations: Any) -> Any:
    """For each position of the window and each place in it: both, and where in the padded image they meet."""
    for i in itertools.product(*map(range, output)):
        for a in itertools.product(*map(range, window)):
            yield i, a, tuple(p * s + q * d for p, q, s, d in zip(i, a, strides, dilations, strict=True))


def convolution(x: Any, kernel: Any, strides: Any, pads: Any, dilations: Any, groups: int = 1) -> Any:
    padded, window = image(x, pads), kernel.shape[:-2]
    output = positions(padded, window, strides, dilations)
    y = np.zeros((x.shape[0], *output, kernel.shape[-1]), x.dtype)
    for i, a, at in places(output, window, strides, dilations):
        for c, f in each_group(x.shape[-1], kernel.shape[-1], groups):
            y[(slice(None), *i, f)] += padded[(slice(None), *at, c)] @ kernel[(*a, slice(None), f)]
    return y


def each_group(channels: int, filters: int, groups: int) -> Any:
    """The channels and the filters of each group."""
    for g in range(groups):
        c, f = channels // groups, filters // groups
        yield slice(g * c, (g + 1) * c), slice(g * f, (g + 1) * f)


def convolution_input_gradient(
    dy: Any, kernel: Any, size: Any, strides: Any, pads: Any, dilations: Any, groups: int = 1
) -> Any:
    channels = kernel.shape[-2] * groups
    dx = image(np.zeros((dy.shape[0], *size, channels), dy.dtype), pads)
    for i, a, at in places(dy.shape[1:-1], kernel.shape[:-2], strides, dilations):
        for c, f in each_group(channels, kernel.shape[-1], groups):
            dx[(slice(None), *at, c)] += dy[(slice(None), *i, f)] @ kernel[(*a, slice(None), f)].T
    inner = [slice(before, before + s) for s, (before, _) in zip(size, pads, strict=True)]
    return dx[(slice(None), *inner)]


def convolution_kernel_gradient(
    x: Any, dy: Any, size: Any, strides: Any, pads: Any, dilations: Any, groups: int = 1
) -> Any:
    padded = image(x, pads)
    dk = np.zeros((*size, x.shape[-1] // groups, dy.shape[-1]), x.dtype)
    for i, a, at in places(dy.shape[1:-1], size, strides, dilations):
        for c, f in each_group(x.shape[-1], dy.shape[-1], groups):
            dk[(*a, slice(None), f)] += padded[(slice(None), *at, c)].T @ dy[(slice(None), *i, f)]
    return dk


def conv(
    x: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", dilations: Any = 1, groups: int = 1,
    data_format: str = "channels_last",
) -> Any:  # fmt: skip
    """A public convolution: unbatched and channels-first images too."""
    count = kernel.ndim - 2
    batch = x if x.ndim == kernel.ndim else x[None]
    batch = np.moveaxis(batch, 1, -1) if data_format == "channels_first" else batch
    s, d = per_axis(strides, count), per_axis(dilations, count)
    y = convolution(batch, kernel, s, pads(batch, kernel.shape[:-2], s, padding, d), d, groups)
    y = np.moveaxis(y, -1, 1) if data_format == "channels_first" else y
    return y if x.ndim == kernel.ndim else y[0]


def transposed(
    x: Any, kernel: Any, output_shape: Any, strides: Any = 1, padding: Any = "valid", dilations: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """A transposed convolution of a batch, for a result of known spatial sizes."""
    count = kernel.ndim - 2
    s, d = per_axis(strides, count), per_axis(dilations, count)
    around = pads(np.zeros((1, *output_shape, 1)), kernel.shape[:-2], s, padding, d)
    return convolution_input_gradient(x, kernel, output_shape, s, around, d, groups)


def natural(*output_shape: int) -> Any:
    """The reference of a transposed convolution whose result has these spatial sizes without being told."""
    return lambda x, kernel, **settings: transposed(x, kernel, output_shape, **settings)


def whole(x: Any, kernel: Any, output_shape: Any, **settings: Any) -> Any:
    """The reference of a transposed convolution that is told the whole shape of its result."""
    return transposed(x, kernel, output_shape[1:-1], **settings)


def depthwise(x: Any, kernel: Any, **settings: Any) -> Any:
    channels, multiplier = kernel.shape[2:]
    return conv(x, kernel.reshape(*kernel.shape[:2], 1, channels * multiplier), groups=channels, **settings)


def separable(x: Any, kernel: Any, points: Any, data_format: str = "channels_last", **settings: Any) -> Any:
    return conv(depthwise(x, kernel, data_format=data_format, **settings), points, data_format=data_format)


for _padding in ("valid", "same", ((1, 0), (0, 2))):
    for _strides, _dilations in ((1, 1), ((1, 3), 1), (1, 2), (2, (1, 2))):
        case("conv2d", [normal(2, 5, 6, 2), normal(3, 2, 2, 3)], strides=_strides, padding=_padding,
             dilations=_dilations, reference=conv)  # fmt: skip
case("conv2d", [normal(2, 4, 4, 2), normal(1, 1, 2, 3)], reference=conv)
case("conv2d", [normal(2, 4, 4, 2), normal(1, 1, 2, 3)], strides=2, reference=conv)
case("conv2d", [normal(1, 3, 3, 1), normal(2, 2, 1, 1)], padding=3, reference=conv)
case("conv2d", [normal(1, 1, 1, 1), normal(1, 1, 1, 1)], reference=conv)
case("conv2d", [normal(1, 2, 2, 1), normal(3, 3, 1, 1)], reference=conv)
case("conv2d", [empty(0, 4, 4, 2), normal(2, 2, 2, 3)], reference=conv)
case("conv2d", [non_contiguous(2, 4, 4, 2), non_contiguous(2, 2, 2, 3)], reference=conv)
case("conv2d", [normal(4, 4, 2), normal(2, 2, 2, 3)], padding="same", reference=conv)
case("conv2d", [normal(2, 2, 5, 4), normal(2, 3, 2, 3)], data_format="channels_first", reference=conv)
case("conv2d", [normal(2, 5, 4), normal(2, 3, 2, 3)], data_format="channels_first", padding="same", reference=conv)
case("conv2d", [normal(2, 5, 4, 6), normal(2, 3, 2, 9)], groups=3, strides=(2, 1), reference=conv)
case("conv2d", [normal(2, 4, 4, 4), normal(3, 3, 1, 4)], groups=4, padding="same", reference=conv)
case("conv2d", [normal(1, 6, 5, 4), normal(3, 2, 2, 4)], groups=2, dilations=2, padding=((0, 1), (2, 0)),
     reference=conv)  # fmt: skip
case("conv2d", [normal(1, 5, 6, 1), normal(2, 2, 1, 2)], strides=(2, 4), padding=0, dim_rounding_mode="ceil",
     reference=lambda x, k, strides, **_: conv(x, k, strides, ((0, 1), (0, 0))))  # fmt: skip
case("conv2d", [normal(1, 5, 6, 1), normal(2, 2, 1, 2)], strides=(2, 4), padding=1, dim_rounding_mode="round",
     reference=lambda x, k, strides, **_: conv(x, k, strides, ((1, 2), (1, 3))))  # fmt: skip
case("conv2d", [normal(2, 4, 4, 3), normal(2, 2, 2, 3)], raises=ShapeError)
case("conv2d", [normal(4, 2), normal(2, 2, 2, 3)], raises=ShapeError)
case("conv2d", [normal(2, 4, 4, 4), normal(2, 2, 2, 3)], groups=2, raises=ShapeError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], padding="full", raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], padding=(1, 2), raises=ArgumentTypeError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], padding=-1, raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], strides=0, raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], strides=1.5, raises=ArgumentTypeError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], data_format="NHWC", raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], dim_rounding_mode="ceil", raises=ArgumentError)
case("conv2d", [ints(2, 4, 4, 2), ints(2, 2, 2, 3)], raises=DTypeError)

case("conv1d", [normal(2, 6, 2), normal(3, 2, 3)], reference=conv)
case("conv1d", [normal(2, 7, 2), normal(3, 2, 3)], strides=2, padding="same", reference=conv)
case("conv1d", [normal(7, 2), normal(3, 2, 3)], dilations=2, padding=((2, 0),), reference=conv)
case("conv1d", [normal(2, 4, 7), normal(3, 2, 4)], groups=2, data_format="channels_first", reference=conv)
case("conv1d", [empty(0, 4, 2), normal(3, 2, 3)], reference=conv)
case("conv1d", [normal(2, 6, 2), normal(3, 3, 3)], raises=ShapeError)
case("conv1d", [normal(2, 6, 2), normal(3, 2, 3)], strides=0, raises=ArgumentError)

case("conv3d", [normal(2, 3, 4, 3, 2), normal(2, 2, 2, 2, 2)], reference=conv)
case("conv3d", [normal(1, 3, 4, 3, 2), normal(2, 3, 2, 2, 2)], strides=(1, 2, 1), padding="same", reference=conv)
case("conv3d", [normal(3, 5, 3, 2), normal(2, 2, 2, 1, 2)], groups=2, dilations=(1, 2, 1), reference=conv)
case("conv3d", [normal(1, 2, 3, 2, 3), normal(2, 2, 2, 2, 1)], data_format="channels_first", reference=conv)
case("conv3d", [normal(1, 3, 4, 3, 2), normal(2, 2, 2, 1, 2)], raises=ShapeError)

for _settings in (
    {"reference": natural(4, 6)},
    {"strides": 2, "padding": "same", "reference": natural(6, 10)},
    {"strides": (3, 1), "reference": natural(9, 6)},
    {"strides": 2, "padding": 1, "dilations": 2, "reference": natural(5, 9)},
    {"strides": 2, "padding": "same", "output_shape": (5, 10), "reference": transposed},
    {"strides": (2, 1), "output_shape": (2, 7, 6, 2), "reference": whole},
    {"strides": 2, "padding": ((1, 0), (0, 2)), "output_shape": (6, 8), "reference": transposed},
):
    case("conv2d_transpose", [normal(2, 3, 5, 3), normal(2, 2, 2, 3)], **_settings)
case("conv2d_transpose", [normal(1, 3, 3, 4), normal(3, 2, 2, 4)], groups=2, reference=natural(5, 4))
case("conv2d_transpose", [normal(3, 3, 4), normal(3, 2, 2, 4)],
     reference=lambda x, k: transposed(x[None], k, (5, 4))[0])  # fmt: skip
case("conv2d_transpose", [normal(1, 4, 3, 3), normal(3, 2, 2, 4)], data_format="channels_first",
     reference=lambda x, k, data_format: np.moveaxis(
         transposed(np.moveaxis(x, 1, -1), k, (5, 4)), -1, 1))  # fmt: skip
case("conv2d_transpose", [empty(0, 3, 3, 4), normal(3, 2, 2, 4)], reference=natural(5, 4))
case("conv2d_transpose", [non_contiguous(2, 3, 3, 4), normal(3, 2, 2, 4)], reference=natural(5, 4))
case("conv2d_transpose", [normal(1, 2, 2, 1), normal(2, 2, 1, 1)], strides=2, padding=0, output_shape=(5, 5),
     dim_rounding_mode="floor",
     reference=lambda x, k, strides, padding, output_shape, **_: transposed(x, k, output_shape, strides, padding),
     )  # fmt: skip
case("conv2d_transpose", [normal(1, 2, 2, 1), normal(2, 2, 1, 2)], raises=ShapeError)
case("conv2d_transpose", [normal(1, 2, 2), normal(2, 2, 1)], raises=ShapeError)
case("conv2d_transpose", [normal(1, 2, 2, 1), normal(2, 2, 1, 1)], output_shape=(5, 5), raises=ShapeError)
case("conv2d_transpose", [normal(1, 2, 2, 1), normal(2, 2, 1, 1)], output_shape=(1, 3, 3, 2), raises=ShapeError)
case("conv2d_transpose", [normal(1, 2, 2, 1), normal(2, 2, 1, 1)], padding="same", dim_rounding_mode="floor",
     raises=ArgumentError)  # fmt: skip
case("conv1d_transpose", [normal(2, 4, 3), normal(3, 2, 3)], strides=2, reference=natural(9))
case("conv1d_transpose", [normal(2, 4, 3), normal(3, 2, 3)], strides=2, padding="same", reference=natural(8))
case("conv1d_transpose", [normal(2, 4, 3), normal(3, 3, 2)], raises=ShapeError)
case("conv3d_transpose", [normal(1, 2, 3, 2, 2), normal(2, 2, 2, 3, 2)], reference=natural(3, 4, 3))
case("conv3d_transpose", [normal(1, 2, 2, 1, 2), normal(2, 3, 1, 1, 2)], strides=2, padding="same",
     output_shape=(4, 3, 2), reference=transposed)  # fmt: skip
case("conv3d_transpose", [normal(1, 2, 2, 1, 2), normal(2, 3, 2, 1, 2)], dilations=2, reference=natural(4, 6, 3))
case("conv3d_transpose", [normal(1, 2, 2, 1, 2), normal(2, 3, 2, 2, 1)], raises=ShapeError)

for _padding in ("valid", "same"):
    for _strides, _dilations in ((1, 1), (2, 1), (1, (1, 2))):
        case("depthwise_conv2d", [normal(2, 5, 4, 3), normal(3, 2, 3, 2)], strides=_strides, padding=_padding,
             dilations=_dilations, reference=depthwise)  # fmt: skip
case("depthwise_conv2d", [normal(5, 4, 3), normal(3, 2, 3, 1)], padding=1, reference=depthwise)
case("depthwise_conv2d", [normal(2, 3, 5, 4), normal(3, 2, 3, 1)], data_format="channels_first", reference=depthwise)
case("depthwise_conv2d", [empty(0, 5, 4, 3), normal(3, 2, 3, 1)], reference=depthwise)
case("depthwise_conv2d", [non_contiguous(2, 4, 4, 3), non_contiguous(2, 2, 3, 1)], reference=depthwise)
case("depthwise_conv2d", [normal(2, 4, 4, 1), normal(2, 2, 1, 3)], reference=depthwise)
case("depthwise_conv2d", [normal(2, 4, 4, 2), normal(2, 2, 3, 1)], raises=ShapeError)
case("depthwise_conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2)], raises=ShapeError)
case("depthwise_conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 1)], padding=1.5, raises=ArgumentTypeError)
_separable = [normal(2, 5, 4, 2), normal(3, 2, 2, 2), normal(1, 1, 4, 3)]
case("separable_conv2d", _separable, reference=separable)
case("separable_conv2d", _separable, strides=2, padding="same", reference=separable)
case("separable_conv2d", [normal(2, 5, 4), *_separable[1:]], data_format="channels_first", reference=separable)
case("separable_conv2d", [*_separable[:2], normal(1, 1, 3, 3)], raises=ShapeError)
case("separable_conv2d", [*_separable[:2], normal(1, 5, 4, 3)], raises=ShapeError)
case("separable_conv2d", [normal(4, 2), *_separable[1:]], raises=ShapeError)

for _pads, _rows, _columns in ((((0, 0), (0, 0)), 3, 5), (((1, 1), (0, 1)), 5, 6), (((3, 2), (4, 4)), 8, 13)):
    _given: Any = {"pads": _pads, "strides": (1, 1), "dilations": (1, 1)}
    case("convolution_input_gradient", [normal(2, _rows, _columns, 3), normal(3, 2, 2, 3)], size=(5, 6), **_given,
         reference=convolution_input_gradient)  # fmt: skip
    case("convolution_kernel_gradient", [normal(2, 5, 6, 2), normal(2, _rows, _columns, 3)], size=(3, 2), **_given,
         reference=convolution_kernel_gradient)  # fmt: skip
_given = {"pads": ((0, 1), (1, 1)), "strides": (2, 3), "dilations": (1, 2)}
case("convolution", [normal(2, 5, 6, 2), normal(3, 2, 2, 3)], **_given, reference=convolution)
for _groups in (1, 2):
    case("convolution_input_gradient", [normal(2, 2, 2, 4), normal(3, 2, 2, 4)], size=(5, 6), groups=_groups,
         **_given, reference=convolution_input_gradient)  # fmt: skip
    case("convolution_kernel_gradient", [normal(2, 5, 6, 2), normal(2, 2, 2, 4)], size=(3, 2), groups=_groups,
         **_given, reference=convolution_kernel_gradient)  # fmt: skip
