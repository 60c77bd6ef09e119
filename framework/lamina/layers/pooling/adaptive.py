"""Pooling to a given size: the windows are as wide as the input asks for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from lamina import ops
from lamina.layers.integers import as_floats
from lamina.layers.pooling.windows import AveragePooling, MaxPooling
from lamina.layers.spatial import SpatialLayer, as_format, per_axis
from lamina.ops.mixing import mixed
from lamina.runtime.tensor import Tensor


class AdaptivePooling(SpatialLayer):
    """Base of pooling layers that give ``output_size`` elements along each spatial axis.

    ``output_size`` is an integer, or one for each axis. Along an axis of n elements, window i of m reaches from
    floor(i * n / m) to ceil((i + 1) * n / m), so windows may overlap and differ in size. As PyTorch and Keras.
    """

    pool: ClassVar[dict[int, Callable[..., Tensor]]]
    along: ClassVar[Callable[..., Tensor]]
    """The pooling of windows of one size, and that along one axis: windows of several axes are products of theirs."""

    def __init__(self, output_size: Any, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.output_size: tuple[int, ...] = per_axis(output_size, self.rank, "output_size")
        self.data_format: str = as_format(data_format)

    def call(self, x: Tensor) -> Tensor:
        sizes = [x.shape[axis] for axis in self.spatial_axes]
        if all(n % m == 0 for n, m in zip(sizes, self.output_size, strict=True)):
            window = tuple(n // m for n, m in zip(sizes, self.output_size, strict=True))
            return self.pool[self.rank](x, window, data_format=self.data_format)
        for axis, count in zip(self.spatial_axes, self.output_size, strict=True):
            x = self.along(x, axis, count)
        return x


def windows(size: int, count: int) -> tuple[Any, Any]:
    """Where each of ``count`` windows along an axis starts and ends.

    >>> windows(5, 2)
    (array([0, 2]), array([3, 5]))
    """
    places = np.arange(count)
    return places * size // count, -(-(places + 1) * size // count)


@functools.lru_cache(maxsize=256)
def _places(size: int, count: int) -> Any:
    """The elements of each window, (count, widest); the last one again where a window is narrower."""
    starts, stops = windows(size, count)
    places = np.minimum(starts[:, None] + np.arange(int((stops - starts).max())), stops[:, None] - 1)
    return places.astype(np.int32)


@functools.lru_cache(maxsize=256)
def _shares(size: int, count: int) -> Any:
    """What each element weighs in the average of each window: (count, size)."""
    starts, stops = windows(size, count)
    inside = (np.arange(size) >= starts[:, None]) & (np.arange(size) < stops[:, None])
    return inside / (stops - starts)[:, None]


def largest_along(x: Tensor, axis: int, count: int) -> Tensor:
    """The largest element of each of ``count`` windows along an axis."""
    places = _places(x.shape[axis], count)
    chosen = ops.gather(x, ops.tensor(places.ravel()), axis=axis)
    return ops.max(ops.reshape(chosen, (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])), axis + 1)


def averages_along(x: Tensor, axis: int, count: int) -> Tensor:
    """The average of each of ``count`` windows along an axis."""
    return mixed(x, _shares(x.shape[axis], count), axis)


class AdaptiveMaxPooling(AdaptivePooling):
    """Base of layers that give the largest element of each window."""

    pool: ClassVar[dict[int, Callable[..., Tensor]]] = MaxPooling.pool
    along: ClassVar[Callable[..., Tensor]] = staticmethod(largest_along)


class AdaptiveAveragePooling(AdaptivePooling):
    """Base of layers that give the average of each window; integers give floats."""

    pool: ClassVar[dict[int, Callable[..., Tensor]]] = AveragePooling.pool
    along: ClassVar[Callable[..., Tensor]] = staticmethod(averages_along)

    def call(self, x: Tensor) -> Tensor:
        return super().call(as_floats(x, self.dtype))


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest element of each of a given number of windows of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise,
    of ``output_size``. Settings are those of ``AdaptivePooling``. Raises ShapeError for another number of axes.

    >>> AdaptiveMaxPooling1D(3).compute_output_shape((1, 7, 3))
    (1, 3, 3)
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest element of each of a given number of windows of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise, of ``output_size``. Settings are those of ``AdaptivePooling``. Raises ShapeError for another
    number of axes.

    >>> AdaptiveMaxPooling2D((3, 2)).compute_output_shape((1, 7, 5, 3))
    (1, 3, 2, 3)
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest element of each of a given number of windows of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise, of ``output_size``. Settings are those of ``AdaptivePooling``. Raises
    ShapeError for another number of axes.

    >>> AdaptiveMaxPooling3D((3, 2, 4)).compute_output_shape((1, 7, 5, 6, 3))
    (1, 3, 2, 4, 3)
    """

    rank = 3


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The average of each of a given number of windows of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise,
    of ``output_size``. Settings are those of ``AdaptivePooling``. Raises ShapeError for another number of axes.

    >>> AdaptiveAveragePooling1D(3).compute_output_shape((1, 7, 3))
    (1, 3, 3)
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The average of each of a given number of windows of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise, of ``output_size``. Settings are those of ``AdaptivePooling``. Raises ShapeError for another
    number of axes.

    >>> AdaptiveAveragePooling2D((3, 2)).compute_output_shape((1, 7, 5, 3))
    (1, 3, 2, 3)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The average of each of a given number of windows of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise, of ``output_size``. Settings are those of ``AdaptivePooling``. Raises
    ShapeError for another number of axes.

    >>> AdaptiveAveragePooling3D((3, 2, 4)).compute_output_shape((1, 7, 5, 6, 3))
    (1, 3, 2, 4, 3)
    """

    rank = 3
