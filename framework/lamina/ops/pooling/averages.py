"""Average pooling."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.ops.pooling.primitives import window_mean
from lamina.ops.pooling.windows import pooled_as_given, pooling_settings
from lamina.ops.windows import Pads, Sizes, as_images, from_images
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor


def _average(x: Tensor, window: Sizes, strides: Sizes, pads: Pads, data_format: str) -> Tensor:
    images = as_images(x, len(window), data_format)
    y = window_mean(images, window, strides, pads, (1,) * len(window))
    return from_images(y, x.ndim, data_format)


@composite_op(result=pooled_as_given, dtypes=FLOATING)
def avg_pool(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The average of each window of an image: y[n, i, j, c] = mean over a, b of x[n, i*s+a, j*s+b, c].

    Padding is left out of the average; a window of nothing else gives NaN. ``x``, the settings and the errors as for
    ``max_pool``. As TensorFlow.

    >>> avg_pool([[[[1.0], [2.0]], [[3.0], [0.0]]]]).tolist()
    [[[[1.5]]]]
    """
    return _average(x, window, strides, padding, data_format)


@avg_pool.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("avg_pool", x, 2, settings)


@composite_op(result=pooled_as_given, dtypes=FLOATING)
def avg_pool1d(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The average of each window of a sequence: y[n, i, c] = mean over a of x[n, i*s+a, c].

    ``x`` has shape (batch, steps, channels) or (steps, channels). Padding as for ``avg_pool``, settings and errors as
    for ``max_pool``.

    >>> avg_pool1d([[[1.0], [2.0], [0.0], [4.0]]]).tolist()
    [[[1.5], [2.0]]]
    """
    return _average(x, window, strides, padding, data_format)


@avg_pool1d.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("avg_pool1d", x, 1, settings)


@composite_op(result=pooled_as_given, dtypes=FLOATING)
def avg_pool3d(
    x: TensorLike,
    window: Any = 2,
    strides: Any = None,
    padding: Any = "valid",
    dim_rounding_mode: str | None = None,
    data_format: str = "channels_last",
) -> Tensor:
    """The average of each window of a volume: as ``avg_pool`` along depth, height and width.

    ``x`` has shape (batch, depth, height, width, channels), or that without the batch. Padding as for ``avg_pool``,
    settings and errors as for ``max_pool``.

    >>> avg_pool3d([[[[1.0], [2.0]], [[3.0], [0.0]]]], (1, 2, 2)).tolist()
    [[[[1.5]]]]
    """
    return _average(x, window, strides, padding, data_format)


@avg_pool3d.settings
def _(x: Tensor, **settings: Any) -> dict[str, Any]:
    """Raises ShapeError for another number of axes, ArgumentTypeError or ArgumentError for a wrong setting."""
    return pooling_settings("avg_pool3d", x, 3, settings)
