"""Borders of sequences, images and volumes: cut off, or zeros around them."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.spatial import SpatialLayer, as_format, pairs_per_axis
from lamina.runtime.tensor import Tensor


class Cropping(SpatialLayer):
    """Base of Cropping1D, Cropping2D and Cropping3D."""

    cropping: Any

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """How many elements are cut off before and after each axis."""
        return pairs_per_axis(self.cropping, self.rank, "cropping")

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        for axis, pair in zip(self.spatial_axes, self.pairs, strict=True):
            size = input_shape[axis]
            if size is not None and size <= sum(pair):
                raise ShapeError(
                    f"{type(self).__name__} got an input of shape {input_shape}.",
                    expected=f"axis {axis} to have more than the {sum(pair)} elements that are cut off.",
                )

    def call(self, x: Tensor) -> Tensor:
        kept = [slice(None)] * x.ndim
        for axis, (before, after) in zip(self.spatial_axes, self.pairs, strict=True):
            kept[axis] = slice(before, x.shape[axis] - after)
        return x[tuple(kept)]


class ZeroPadding(SpatialLayer):
    """Base of ZeroPadding1D, ZeroPadding2D and ZeroPadding3D."""

    padding: Any

    def call(self, x: Tensor) -> Tensor:
        around = [(0, 0)] * x.ndim
        for axis, pair in zip(self.spatial_axes, pairs_per_axis(self.padding, self.rank, "padding"), strict=True):
            around[axis] = pair
        return ops.pad(x, around)


class Cropping1D(Cropping):
    """Cuts off steps at the ends of sequences.

    Input (batch, steps, channels). ``cropping`` is an integer for both ends, or a pair (before, after). Raises
    ShapeError for an input that nothing would be left of.

    >>> Cropping1D(1).compute_output_shape((1, 8, 3))
    (1, 6, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **common: Any) -> None:
        super().__init__(**common)
        self.cropping: Any = pairs_per_axis(cropping, 1, "cropping")[0]


class Cropping2D(Cropping):
    """Cuts off the borders of images.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width).
    ``cropping`` is an integer for all sides, one for each axis, or ((top, bottom), (left, right)). Raises
    ShapeError for an input that nothing would be left of.

    >>> Cropping2D(1).compute_output_shape((1, 8, 6, 3))
    (1, 6, 4, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.cropping: Any = pairs_per_axis(cropping, 2, "cropping")
        self.data_format: str = as_format(data_format)


class Cropping3D(Cropping):
    """Cuts off the borders of volumes.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width). ``cropping`` is an integer for all sides, one for each axis, or a pair (before, after) for each.
    Raises ShapeError for an input that nothing would be left of.

    >>> Cropping3D(1).compute_output_shape((1, 8, 6, 4, 3))
    (1, 6, 4, 2, 3)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.cropping: Any = pairs_per_axis(cropping, 3, "cropping")
        self.data_format: str = as_format(data_format)


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after sequences.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps). ``padding`` is an
    integer for both ends, or a pair (before, after). Raises ShapeError for another number of axes.

    >>> ZeroPadding1D(1).compute_output_shape((1, 8, 3))
    (1, 10, 3)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.padding: Any = pairs_per_axis(padding, 1, "padding")[0]
        self.data_format: str = as_format(data_format)


class ZeroPadding2D(ZeroPadding):
    """Zeros around images.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width).
    ``padding`` is an integer for all sides, one for each axis, or ((top, bottom), (left, right)). Raises ShapeError
    for another number of axes.

    >>> ZeroPadding2D(1).compute_output_shape((1, 8, 6, 3))
    (1, 10, 8, 3)
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.padding: Any = pairs_per_axis(padding, 2, "padding")
        self.data_format: str = as_format(data_format)


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width). ``padding`` is an integer for all sides, one for each axis, or a pair (before, after) for each.
    Raises ShapeError for another number of axes.

    >>> ZeroPadding3D(1).compute_output_shape((1, 8, 6, 4, 3))
    (1, 10, 8, 6, 3)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.padding: Any = pairs_per_axis(padding, 3, "padding")
        self.data_format: str = as_format(data_format)
