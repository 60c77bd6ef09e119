"""Pooling of the windows of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from lamina import ops
from lamina.layers.arguments import choice
from lamina.layers.checks import check_window
from lamina.layers.integers import as_floats
from lamina.layers.spatial import SpatialLayer, as_format, per_axis
from lamina.runtime.tensor import Tensor


class Pooling(SpatialLayer):
    """Base of pooling layers.

    ``pool_size`` and ``strides`` are an integer, or one for each spatial axis; ``strides`` None means those of the
    window. ``padding`` is 'valid' (none) or 'same' (so that the size divides by the strides only).
    """

    pool: ClassVar[dict[int, Callable[..., Tensor]]]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.pool_size: tuple[int, ...] = per_axis(pool_size, self.rank, "pool_size")
        self.strides: tuple[int, ...] = self.pool_size if strides is None else per_axis(strides, self.rank, "strides")
        self.padding: str = choice(
            padding.lower() if isinstance(padding, str) else padding, "padding", ("valid", "same")
        )
        self.data_format: str = as_format(data_format)

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        check_window(self, input_shape, self.pool_size)

    def call(self, x: Tensor) -> Tensor:
        pool = self.pool[self.rank]
        return pool(x, self.pool_size, self.strides, self.padding, data_format=self.data_format)


class MaxPooling(Pooling):
    """Base of layers that give the largest element of each window; padding never wins."""

    pool: ClassVar[dict[int, Callable[..., Tensor]]] = {1: ops.max_pool1d, 2: ops.max_pool, 3: ops.max_pool3d}


class AveragePooling(Pooling):
    """Base of layers that give the average of each window; padding is left out of it, and integers give floats."""

    pool: ClassVar[dict[int, Callable[..., Tensor]]] = {1: ops.avg_pool1d, 2: ops.avg_pool, 3: ops.avg_pool3d}

    def call(self, x: Tensor) -> Tensor:
        return super().call(as_floats(x, self.dtype))


class MaxPooling1D(MaxPooling):
    """The largest element of each window of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise.
    Settings are those of ``Pooling``. The first of equal elements takes the gradient. Raises ShapeError for an
    input that does not fit.

    >>> MaxPooling1D(2).compute_output_shape((1, 4, 3))
    (1, 2, 3)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest element of each window of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise. Settings are those of ``Pooling``. The first of equal elements takes the gradient. Raises
    ShapeError for an input that does not fit.

    >>> MaxPooling2D(2).compute_output_shape((1, 4, 6, 3))
    (1, 2, 3, 3)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest element of each window of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise. Settings are those of ``Pooling``. The first of equal elements takes the
    gradient. Raises ShapeError for an input that does not fit.

    >>> MaxPooling3D(2).compute_output_shape((1, 4, 6, 2, 3))
    (1, 2, 3, 1, 3)
    """

    rank = 3


class AveragePooling1D(AveragePooling):
    """The average of each window of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise.
    Settings are those of ``Pooling``. Padding is left out of the average. Raises ShapeError for an input that does
    not fit.

    >>> AveragePooling1D(2).compute_output_shape((1, 4, 3))
    (1, 2, 3)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """The average of each window of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise. Settings are those of ``Pooling``. Padding is left out of the average. Raises ShapeError for an
    input that does not fit.

    >>> AveragePooling2D(2).compute_output_shape((1, 4, 6, 3))
    (1, 2, 3, 3)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """The average of each window of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise. Settings are those of ``Pooling``. Padding is left out of the average. Raises
    ShapeError for an input that does not fit.

    >>> AveragePooling3D(2).compute_output_shape((1, 4, 6, 2, 3))
    (1, 2, 3, 1, 3)
    """

    rank = 3
