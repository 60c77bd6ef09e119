"""Axes moved, joined and split, so that a layer for images serves for other tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lamina.models.exporting.lowering.plans import Block, Refused

Shape = Sequence[int | None]


def sizes(x: Any) -> tuple[int | None, ...]:
    """The sizes of a symbolic tensor without the batch."""
    return tuple(x.shape[1:])


def check_known(shape: Shape, axes: Sequence[int] | None = None) -> None:
    """Raises Refused if a size is unknown along some axes of a shape with the batch, or along more than one of all."""
    if axes is not None and any(shape[axis] is None for axis in axes):
        raise Refused(f"a size of its input {tuple(shape)} is unknown.", "give the input's shape in full.")
    if axes is None and sum(size is None for size in shape[1:]) > 1:
        raise Refused(f"several sizes of its input {tuple(shape)} are unknown.", "give the input's shape in full.")


def product(given: Shape) -> int | None:
    """How many elements there are along axes; None if that is unknown."""
    return None if any(size is None for size in given) else math.prod(given)  # type: ignore[arg-type]


def reshaped(block: Block, x: Any, target: Shape) -> Any:
    """x in other sizes, of which one may be unknown."""
    if tuple(target) == sizes(x):
        return x
    return block("Reshape", x, target_shape=tuple(-1 if size is None else size for size in target))


def permuted(block: Block, x: Any, order: Sequence[int]) -> Any:
    """x with its axes, the first after the batch being 1, in another order."""
    return x if list(order) == sorted(order) else block("Permute", x, dims=tuple(order))


def channels_last(block: Block, x: Any) -> Any:
    """x with the channels, which come first, behind the other axes."""
    return permuted(block, x, [*range(2, len(x.shape)), 1])


def channels_first(block: Block, x: Any) -> Any:
    """The reverse of ``channels_last``."""
    last = len(x.shape) - 1
    return permuted(block, x, [last, *range(1, last)])


def pads_of_a_volume(layer: Any, shape: Shape, window: Sequence[int]) -> list[tuple[int, int]] | None:
    """What ``padding="same"`` adds along each axis of a volume, if TensorFlow.js must be told; None if it must not.

    Where a stride is longer than the window and reaches beyond the end, TensorFlow.js has the windows of volumes begin
    behind the first element, though not those of images. Raises Refused where what is added depends on unknown sizes.
    """
    if layer.rank < 3 or layer.padding != "same" or all(n >= s for n, s in zip(window, layer.strides, strict=True)):
        return None
    check_known(shape, [axis for axis, n in zip(layer.spatial_axes, window, strict=True) if n > 1])
    totals = [
        0 if n == 1 else (-(-shape[axis] // s) - 1) * s + n - shape[axis]
        for axis, n, s in zip(layer.spatial_axes, window, layer.strides, strict=True)
    ]
    return [(max(0, total) // 2, max(0, total) - max(0, total) // 2) for total in totals]


def along_axis(block: Block, x: Any, axis: int, kind: str, **settings: Any) -> Any:
    """x, after a layer for images worked along one axis of it, which is made the width of a picture."""
    given = sizes(x)
    before, after = given[: axis - 1], given[axis:]
    picture = block(kind, reshaped(block, x, (product(before), given[axis - 1], product(after))), **settings)
    return reshaped(block, picture, (*before, sizes(picture)[1], *after))


def padded(block: Block, x: Any, axis: int, pair: Sequence[int]) -> Any:
    """x with zeros before and after it along an axis."""
    return along_axis(block, x, axis, "ZeroPadding2D", padding=((0, 0), tuple(pair))) if any(pair) else x


def cropped(block: Block, x: Any, axis: int, pair: Sequence[int]) -> Any:
    """x without its borders along an axis."""
    return along_axis(block, x, axis, "Cropping2D", cropping=((0, 0), tuple(pair))) if any(pair) else x


def repeated(block: Block, x: Any, axis: int, times: int) -> Any:
    """x with each element along an axis so many times, side by side.

    UpSampling2D would do for predictions; TensorFlow.js's CPU backend has a wrong gradient for it.
    """
    if times == 1:
        return x
    given = sizes(x)
    rows = reshaped(block, x, (product(given[:axis]), product(given[axis:])))
    size = given[axis - 1]
    wanted = (*given[: axis - 1], None if size is None else size * times, *given[axis:])
    return reshaped(block, block("Concatenate", [rows] * times, axis=-1), wanted)
