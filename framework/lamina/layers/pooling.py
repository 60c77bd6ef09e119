"""Pooling layers."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import choice
from lamina.layers.checks import check_axes, check_window, image_axes
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_pair


class MaxPooling2D(Layer):
    """The largest element of each window of an image.

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width).

    >>> MaxPooling2D()(ops.ones((1, 4, 4, 3))).shape
    (1, 2, 2, 3)
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.pool_size = as_pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else as_pair(strides, "strides")
        self.padding = choice(padding, "padding", ("valid", "same"))
        self.data_format = choice(data_format or "channels_last", "data_format", ("channels_last", "channels_first"))

    def check_input(self, input_shape: Any) -> None:
        check_axes(self, input_shape, image_axes(self))
        check_window(self, input_shape, self.pool_size)

    def call(self, x: Tensor) -> Tensor:
        return ops.max_pool(x, self.pool_size, self.strides, self.padding, data_format=self.data_format)
