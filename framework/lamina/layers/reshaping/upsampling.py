"""More elements along the spatial axes: each repeated, or interpolated between them."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.layers.arguments import choice, positive
from lamina.layers.integers import in_floats
from lamina.layers.spatial import SpatialLayer, as_format, per_axis
from lamina.runtime.tensor import Tensor

INTERPOLATIONS: Final = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
CORNERS: Final = "bilinear_corners"
"""Interpolation that takes the corner of a pixel for its centre, as TensorFlow.js does."""


def repeated(x: Tensor, axes: tuple[int, ...], times: tuple[int, ...]) -> Tensor:
    """x with each element along some axes repeated, all axes in one copy."""
    by_axis = dict(zip(axes, times, strict=True))
    apart: list[int] = []
    spread: list[int] = []
    for axis, size in enumerate(x.shape):
        apart += [size, 1] if axis in by_axis else [size]
        spread += [size, by_axis[axis]] if axis in by_axis else [size]
    shape = tuple(size * by_axis.get(axis, 1) for axis, size in enumerate(x.shape))
    return ops.reshape(ops.broadcast_to(ops.reshape(x, apart), spread), shape)


class UpSampling1D(SpatialLayer):
    """Each step of a sequence ``size`` times: (batch, steps, channels) becomes (batch, steps * size, channels).

    Raises ShapeError for another number of axes.

    >>> UpSampling1D(2)(ops.tensor([[[1.0], [2.0]]])).tolist()
    [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1

    def __init__(self, size: int = 2, **common: Any) -> None:
        super().__init__(**common)
        self.size: int = positive(size[0] if isinstance(size, (list, tuple)) and len(size) == 1 else size, "size")

    def call(self, x: Tensor) -> Tensor:
        return repeated(x, self.spatial_axes, (self.size,))


class UpSampling2D(SpatialLayer):
    """Images with ``size`` times as many rows and columns, each pixel repeated or interpolated.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise. ``size`` is an integer, or one for the height and one for the width. ``interpolation`` is 'nearest'
    (repeats pixels), 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5', as ``lamina.image.resize`` has them; integers
    are rounded. As Keras, where TensorFlow.js's 'bilinear' takes the corner of a pixel for its centre: that is
    'bilinear_corners' here, which models from there get. Raises ShapeError for another number of axes.

    >>> UpSampling2D((1, 2), interpolation="bilinear")(ops.tensor([[[[0.0], [4.0]]]])).tolist()
    [[[[0.0], [1.0], [3.0], [4.0]]]]
    """

    rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **common: Any
    ) -> None:
        super().__init__(**common)
        self.size: tuple[int, ...] = per_axis(size, 2, "size")
        self.data_format: str = as_format(data_format)
        self.interpolation: str = choice(interpolation, "interpolation", (*INTERPOLATIONS, CORNERS))

    def call(self, x: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return repeated(x, self.spatial_axes, self.size)
        return in_floats(x, self._interpolated)

    def _interpolated(self, x: Tensor) -> Tensor:
        size = tuple(x.shape[axis] * times for axis, times in zip(self.spatial_axes, self.size, strict=True))
        if self.interpolation != CORNERS:
            return ops.image.resize(x, size, self.interpolation, data_format=self.data_format)
        if self.data_format == "channels_last":
            return ops.image.resize_bilinear(x, size)
        return ops.transpose(ops.image.resize_bilinear(ops.transpose(x, (0, 2, 3, 1)), size), (0, 3, 1, 2))


class UpSampling3D(SpatialLayer):
    """Each element of a volume ``size`` times along depth, height and width.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise. ``size`` is an integer, or one for each axis. Raises ShapeError for another number
    of axes.

    >>> UpSampling3D((1, 2, 3)).compute_output_shape((1, 4, 4, 4, 2))
    (1, 4, 8, 12, 2)
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.size: tuple[int, ...] = per_axis(size, 3, "size")
        self.data_format: str = as_format(data_format)

    def call(self, x: Tensor) -> Tensor:
        return repeated(x, self.spatial_axes, self.size)
