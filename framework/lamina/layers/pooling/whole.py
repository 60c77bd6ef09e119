"""Pooling of whole sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import flag
from lamina.layers.spatial import SpatialLayer, as_format
from lamina.runtime.tensor import Tensor


class GlobalPooling(SpatialLayer):
    """Base of layers that give one element for each channel; with ``keepdims`` the spatial axes stay, of size 1."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **common: Any) -> None:
        super().__init__(**common)
        self.data_format: str = as_format(data_format)
        self.keepdims: bool = flag(keepdims, "keepdims")


class GlobalMaxPooling(GlobalPooling):
    """Base of layers that give the largest element of each channel."""

    def call(self, x: Tensor) -> Tensor:
        return ops.max(x, self.spatial_axes, self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Base of layers that give the average of each channel."""

    def call(self, x: Tensor) -> Tensor:
        return ops.mean(x, self.spatial_axes, self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest element of each channel of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output (batch,
    channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another number of axes.

    >>> GlobalMaxPooling1D().compute_output_shape((2, 4, 3))
    (2, 3)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest element of each channel of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output (batch, channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another number of axes.

    >>> GlobalMaxPooling2D().compute_output_shape((2, 4, 6, 3))
    (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest element of each channel of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output (batch, channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another
    number of axes.

    >>> GlobalMaxPooling3D().compute_output_shape((2, 4, 6, 5, 3))
    (2, 3)
    """

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The average of each channel of a sequence.

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output (batch,
    channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another number of axes. With a mask
    (batch, steps) only the steps where it is True count, and a sequence without one gives NaN; as Keras, while
    TensorFlow.js ignores masks.

    >>> GlobalAveragePooling1D().compute_output_shape((2, 4, 3))
    (2, 3)
    """

    rank = 1
    supports_masking = True

    def call(self, x: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return super().call(x)
        counted = ops.expand_dims(ops.cast(mask, x.dtype), self.channel_axis)
        (steps,) = self.spatial_axes
        total = ops.sum(ops.multiply(x, counted), steps, self.keepdims)
        return ops.divide(total, ops.sum(counted, steps, self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The average of each channel of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output (batch, channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another number of axes.

    >>> GlobalAveragePooling2D().compute_output_shape((2, 4, 6, 3))
    (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The average of each channel of a volume.

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output (batch, channels). Settings are those of ``GlobalPooling``. Raises ShapeError for another
    number of axes.

    >>> GlobalAveragePooling3D().compute_output_shape((2, 4, 6, 5, 3))
    (2, 3)
    """

    rank = 3
