"""What all convolutional layers have: a window, how it moves, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina import ops
from lamina.layers.arguments import choice
from lamina.layers.checks import check_size, check_window
from lamina.layers.kernel import BiasLayer
from lamina.layers.spatial import SpatialLayer, as_format, known_channels, per_axis
from lamina.runtime.tensor import Tensor

CONVOLVE: Final[dict[int, Callable[..., Tensor]]] = {1: ops.conv1d, 2: ops.conv2d, 3: ops.conv3d}
"""The op for each number of spatial axes."""


class WindowLayer(SpatialLayer, BiasLayer):
    """Base of convolutional layers.

    ``kernel_size``, ``strides`` and ``dilation_rate`` are an integer, or one for each spatial axis. ``padding`` is
    'valid' (none), 'same' (zeros, so that the size divides by the strides only), or along one axis 'causal' (zeros
    before the first step only, so that no output sees a later input). ``data_format`` is 'channels_last' or
    'channels_first'; kernels are stored channels-last in either.
    """

    lends_settings = True
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.kernel_size: tuple[int, ...] = per_axis(kernel_size, self.rank, "kernel_size")
        self.strides: tuple[int, ...] = per_axis(strides, self.rank, "strides")
        allowed = (*self.paddings, "causal") if self.rank == 1 and self.may_be_causal else self.paddings
        self.padding: str = choice(padding.lower() if isinstance(padding, str) else padding, "padding", allowed)
        self.data_format: str = as_format(data_format)
        self.dilation_rate: tuple[int, ...] = per_axis(dilation_rate, self.rank, "dilation_rate")
        self.reach: tuple[int, ...] = tuple(
            (size - 1) * gap + 1 for size, gap in zip(self.kernel_size, self.dilation_rate, strict=True)
        )
        """The size of the window, with the gaps in it."""

    may_be_causal = True

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        if self.built:
            check_size(self, input_shape, self.channel_axis, self.channels)
        self.check_window(input_shape)

    def check_window(self, input_shape: Any) -> None:
        """Refuses an input that is smaller than the window."""
        check_window(self, input_shape, self.reach)

    def build(self, input_shape: Any) -> None:
        self.channels: int = known_channels(self, input_shape)

    def convolve(self, x: Tensor, kernel: Any, groups: int = 1) -> Tensor:
        """x convolved with a kernel by this layer's settings."""
        pads: Any = ((self.reach[0] - 1, 0),) if self.padding == "causal" else self.padding
        convolve = CONVOLVE[self.rank]
        return convolve(x, kernel, self.strides, pads, self.dilation_rate, groups, data_format=self.data_format)

    def with_bias(self, x: Tensor) -> Tensor:
        """x + bias along the channels, if there is a bias."""
        if not self.use_bias or self.channel_axis == -1:
            return super().with_bias(x)
        return ops.add(x, ops.reshape(self.bias, (-1, *(1,) * self.rank)))
