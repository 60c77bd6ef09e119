"""Checks of the shapes that layers are given, before anything runs; unknown sizes are None."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentTypeError, ShapeError


def check_one(layer: Any, input_shape: Any) -> None:
    """Refuses several tensors, in a list or a dict."""
    if not isinstance(input_shape, tuple):
        raise ArgumentTypeError(
            f"{type(layer).__name__} was called on a {type(input_shape).__name__} of {len(input_shape)} tensors.",
            expected="one tensor.",
        )


def check_size(layer: Any, input_shape: Any, axis: int, size: int) -> None:
    """Refuses an input whose size along ``axis`` is not the one that the layer was built for."""
    at = axis % len(input_shape)
    if input_shape[at] != size:
        wanted = tuple(size if i == at else None for i in range(len(input_shape)))
        raise ShapeError(
            f"{type(layer).__name__} got an input of shape {input_shape}.",
            expected=f"axis {at} to be {size}, as in the {wanted} it was built for.",
            fix=f"check the layer before, or make a new {type(layer).__name__}.",
        )


def check_axes(layer: Any, input_shape: Any, expected: str) -> None:
    """Refuses an input that has not as many axes as the form ``expected``, such as "(batch, time, features)"."""
    check_one(layer, input_shape)
    count = expected.count(",") + 1
    if len(input_shape) != count:
        raise ShapeError(
            f"{type(layer).__name__} got an input of shape {input_shape}.", expected=f"{count} axes: {expected}."
        )


def check_window(layer: Any, input_shape: Any, window: tuple[int, ...]) -> None:
    """Refuses an image that is smaller than the window that slides over it, unless it is padded."""
    sizes = input_shape[1:-1] if layer.data_format == "channels_last" else input_shape[2:]
    too_small = any(size is not None and size < w for size, w in zip(sizes, window, strict=True))
    if layer.padding == "valid" and too_small:
        raise ShapeError(
            f"{type(layer).__name__} got an input of shape {input_shape}, which is smaller than its window {window}.",
            expected="each size to be at least that of the window.",
            fix="pass padding='same', or take a smaller window.",
        )


def channel_axis(layer: Any) -> int:
    """Where the channels of a layer's images are."""
    return -1 if layer.data_format == "channels_last" else 1


def image_axes(layer: Any) -> str:
    """The form of a layer's images, for messages."""
    names = ("height", "width")
    inner = (*names, "channels") if layer.data_format == "channels_last" else ("channels", *names)
    return f"({', '.join(('batch', *inner))})"
