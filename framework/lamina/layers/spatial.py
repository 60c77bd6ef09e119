"""Layers on images: what their sizes mean along one, two or three axes, and where channels are.

An image is a sequence, a picture or a volume; its axes other than the batch and the channels are called spatial.
"""

from __future__ import annotations

from typing import Any, ClassVar

from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import LARGEST_SIZE, choice
from lamina.layers.checks import check_axes
from lamina.layers.layer import Layer
from lamina.ops.windows import AXES, FORMATS
from lamina.ops.windows import per_axis as _per_axis
from lamina.shapes import as_int


class SpatialLayer(Layer):
    """Base of layers on images of ``rank`` spatial axes, with the channels last or first."""

    rank: ClassVar[int]
    data_format: str = FORMATS[0]

    @property
    def channel_axis(self) -> int:
        """The axis of the channels: -1 or 1."""
        return -1 if self.data_format == FORMATS[0] else 1

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes between the batch and the channels, or behind both."""
        first = 1 if self.data_format == FORMATS[0] else 2
        return tuple(range(first, first + self.rank))

    def check_input(self, input_shape: Any) -> None:
        check_axes(self, input_shape, image_form(self.rank, self.data_format))


def as_format(data_format: Any) -> str:
    """'channels_last', also for None, or 'channels_first'."""
    return choice(FORMATS[0] if data_format is None else data_format, "data_format", FORMATS)


def image_form(rank: int, data_format: str) -> str:
    """The axes of a batch of images, for messages.

    >>> image_form(2, "channels_first")
    '(batch, channels, height, width)'
    """
    spatial = ("steps",) if rank == 1 else AXES[-rank:]
    inner = (*spatial, "channels") if data_format == FORMATS[0] else ("channels", *spatial)
    return f"({', '.join(('batch', *inner))})"


def per_axis(value: Any, rank: int, name: str, minimum: int = 1) -> tuple[int, ...]:
    """One integer for all spatial axes, or one for each, at least ``minimum``.

    >>> per_axis(3, 2, "kernel_size")
    (3, 3)
    """
    sizes = _per_axis(value, rank, name, minimum)
    return tuple(as_int(size, name, maximum=LARGEST_SIZE) for size in sizes)


def pairs_per_axis(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """(before, after) for each spatial axis, from an integer for all, one for each axis, or the pairs themselves.

    For a single axis a pair is (before, after).

    >>> pairs_per_axis((1, 2), 2, "padding"), pairs_per_axis((1, 2), 1, "padding")
    (((1, 1), (2, 2)), ((1, 2),))
    """
    if hasattr(value, "__index__"):
        value = (value,) * rank
    elif rank == 1:
        value = (value,) if isinstance(value, (list, tuple)) and len(value) == 2 else value
    if not isinstance(value, (list, tuple)) or len(value) != rank:
        raise ArgumentError(f"{name} is {value!r}.", expected=_pairs_expected(rank))
    return tuple(_pair(entry, rank, name) for entry in value)


def _pair(entry: Any, rank: int, name: str) -> tuple[int, int]:
    sizes = (entry, entry) if hasattr(entry, "__index__") else entry
    if not isinstance(sizes, (list, tuple)) or len(sizes) != 2:
        raise ArgumentError(f"{name} has the entry {entry!r}.", expected=_pairs_expected(rank))
    before, after = (as_int(size, name, minimum=0, maximum=LARGEST_SIZE) for size in sizes)
    return (before, after)


def _pairs_expected(rank: int) -> str:
    if rank == 1:
        return "an integer, or a pair (before, after)."
    return f"an integer, {rank} integers, or {rank} pairs (before, after)."


def known_channels(layer: SpatialLayer, input_shape: Any) -> int:
    """The number of channels of an input. Raises ShapeError if it is unknown, for weights depend on it."""
    found: int | None = input_shape[layer.channel_axis]
    if found is None:
        raise ShapeError(
            f"{type(layer).__name__} got an input of shape {input_shape}: the number of channels is unknown.",
            expected="it to be known when the layer is built.",
            fix="give the input's shape in full.",
        )
    return found
