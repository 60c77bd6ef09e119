"""Max pooling, and pooling of either kind with dilations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lamina.dtypes import FLOATING, REAL
from lamina.errors import ArgumentError
from lamina.ops.creation import arange
from lamina.ops.pooling.primitives import window_max, window_max_pick, window_mean
from lamina.ops.pooling.windows import pooled_as_given, pooling_settings
from lamina.ops.shaping import broadcast_to, reshape
from lamina.ops.windows import Pads, Sizes, as_images, from_images
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor


def largest(x: Tensor, window: Sizes, strides: Sizes, pads: Pads, data_format: str, dilations: Sizes = ()) -> Tensor:
    """Max pooling with settings in their one form."""
    images = as_images(x, len(window), data_format)
    y = window_max(images, window, strides, pads, dilations or (1,) * len(window))
    return from_images(y, x.ndim, data_format)


@composite_op(result=pooled_as_given, dtypes=REAL[1:])
def max_pool(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The largest element of each window of an image: y[n, i, j, c] = max over a, b of x[n, i*s+a, j*s+b, c].

    ``x`` has shape (batch, height, width, channels) or (height, width, channels), with data_format='channels_first'
    the channels before the height. ``window`` and ``strides`` are a number, or one for each axis; ``strides`` None
    means the window's size. ``padding`` is 'valid' (none), 'same' (so that the size divides by the strides only), a
    number, or ((top, bottom), (left, right)); padded elements never win. ``dim_rounding_mode`` ('floor', 'ceil',
    'round') says what becomes of the last, incomplete window where padding is in numbers. As TensorFlow.js; the first
    of equal elements takes the gradient. Raises ShapeError for other numbers of axes, ArgumentError for settings.

    >>> max_pool([[[[1.0], [2.0]], [[3.0], [0.0]]]]).tolist()
    [[[[3.0]]]]
    """
    return largest(x, window, strides, padding, data_format)


@max_pool.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("max_pool", x, 2, settings)


@composite_op(result=pooled_as_given, dtypes=REAL[1:])
def max_pool1d(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The largest element of each window of a sequence: y[n, i, c] = max over a of x[n, i*s+a, c].

    ``x`` has shape (batch, steps, channels) or (steps, channels). Settings, gradient and errors as for ``max_pool``.

    >>> max_pool1d([[[1.0], [2.0], [0.0], [4.0]]]).tolist()
    [[[2.0], [4.0]]]
    """
    return largest(x, window, strides, padding, data_format)


@max_pool1d.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("max_pool1d", x, 1, settings)


@composite_op(result=pooled_as_given, dtypes=REAL[1:])
def max_pool3d(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The largest element of each window of a volume: as ``max_pool`` along depth, height and width.

    ``x`` has shape (batch, depth, height, width, channels), or that without the batch. Settings, gradient and errors
    as for ``max_pool``.

    >>> max_pool3d([[[[1.0], [2.0]], [[3.0], [0.0]]]], (1, 2, 2)).tolist()
    [[[[3.0]]]]
    """
    return largest(x, window, strides, padding, data_format)


@max_pool3d.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("max_pool3d", x, 3, settings)


class Pooled(NamedTuple):
    """The maxima and where they were found."""

    result: Tensor
    indexes: Tensor


def max_pool_with_argmax(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    include_batch_in_index: bool = False,
) -> Pooled:
    """The largest element of each window of an image, and the place of the first one: (result, indexes).

    Settings as for ``max_pool``; ``x`` has shape (batch, height, width, channels) or (height, width, channels). An
    index, int32, is (row * width + column) * channels + channel, and with ``include_batch_in_index`` that of the whole
    of x flattened. As TensorFlow, but with a gradient of the result. Raises as ``max_pool``.

    >>> result, indexes = max_pool_with_argmax([[[1.0], [2.0]], [[3.0], [0.0]]])
    >>> result.tolist(), indexes.tolist()
    ([[[3.0]]], [[[2]]])
    """
    x = to_tensor(x)
    given = {"window": window, "strides": strides, "padding": padding}
    settings = pooling_settings("max_pool_with_argmax", x, 2, given)
    images = as_images(x, 2, "channels_last")
    size = math.prod(images.shape if include_batch_in_index else images.shape[1:])
    places = arange(size, dtype="int32")
    places = reshape(places, images.shape if include_batch_in_index else (1, *images.shape[1:]))
    windows = (settings["window"], settings["strides"], settings["padding"], (1, 1))
    indexes = window_max_pick(broadcast_to(places, images.shape), images, *windows)
    result = window_max(images, *windows)
    return Pooled(*(from_images(y, x.ndim, "channels_last") for y in (result, indexes)))


@composite_op(result=pooled_as_given, dtypes=FLOATING)
def pool(
    x: TensorLike,
    window: Any,
    pooling_type: str,
    padding: Any = "valid",
    dilations: Any = 1,
    strides: Any = 1,
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """Pooling whose windows may have gaps: ``pooling_type`` 'max' or 'avg' of every ``dilations``-th element.

    ``window`` is a number for images, or one for each of one to three spatial axes; ``x`` and the other settings as
    for ``max_pool``. As TensorFlow, but padding is left out of averages and never wins with dilations either, and
    strides and dilations may both be above 1. Raises ShapeError, ArgumentError, ArgumentTypeError.

    >>> pool([[[1.0], [2.0], [5.0]]], (1, 2), "avg", dilations=(1, 2)).tolist()
    [[[3.0]]]
    """
    if pooling_type == "max":
        return largest(x, window, strides, padding, data_format, dilations)
    images = as_images(x, len(window), data_format)
    return from_images(window_mean(images, window, strides, padding, dilations), x.ndim, data_format)


@pool.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    if settings["pooling_type"] not in ("max", "avg"):
        raise ArgumentError(f"pooling_type is {settings['pooling_type']!r}.", expected="'max' or 'avg'.")
    window = settings["window"]
    count = len(window) if isinstance(window, Sequence) and len(window) in (1, 2, 3) else 2
    return pooling_settings("pool", x, count, settings)
