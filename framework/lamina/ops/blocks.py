"""Ops that move blocks between space and batch or depth, and borders that mirror the inside."""

from __future__ import annotations

import math
from typing import Any

from lamina.dtypes import ALL, ARITHMETIC
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.indexing import basic_index
from lamina.ops.shaping import concat, flip, pad, reshape, transpose
from lamina.ops.windows import checked_format
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, as_pairs, as_shape

Pairs = tuple[tuple[int, int], ...]


def _part(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    ranges = [(0, size, 1) for size in x.shape]
    ranges[axis] = (start, stop, 1)
    return basic_index(x, tuple(ranges))


def _mirrored(x: Any, paddings: Pairs, mode: str) -> Spec:
    for axis, (size, pair) in enumerate(zip(x.shape, paddings, strict=True)):
        most = size - 1 if mode == "reflect" else size
        if max(pair) > max(most, 0):
            raise ShapeError(
                f"mirror_pad(x, paddings, {mode!r}): x is {x.shape} and paddings[{axis}] is {pair}.",
                expected=f"at most {max(most, 0)} elements before and after axis {axis}.",
            )
    return Spec(tuple(b + s + a for s, (b, a) in zip(x.shape, paddings, strict=True)), x.dtype)


@composite_op(result=_mirrored, dtypes=ALL)
def mirror_pad(x: TensorLike, paddings: Any, mode: str) -> Tensor:
    """x continued beyond its borders by its mirror image; paddings is a list of (before, after) for each axis.

    In mode "reflect" the border itself is not repeated, in mode "symmetric" it is. As ``numpy.pad`` with these modes.
    Every copy of an element takes part in its gradient. Raises ShapeError if a padding is larger than the image,
    ArgumentError for another mode.

    >>> mirror_pad([1, 2, 3], [(2, 1)], "reflect").tolist()
    [3, 2, 1, 2, 3, 2]
    >>> mirror_pad([1, 2, 3], [(2, 1)], "symmetric").tolist()
    [2, 1, 1, 2, 3, 3]
    """
    padded: Tensor = x
    skipped = 1 if mode == "reflect" else 0
    for axis, (before, after) in enumerate(paddings):
        size = x.shape[axis]
        parts = [padded]
        if before:
            parts.insert(0, flip(_part(padded, axis, skipped, skipped + before), axis))
        if after:
            parts.append(flip(_part(padded, axis, size - skipped - after, size - skipped), axis))
        padded = concat(*parts, axis=axis) if len(parts) > 1 else padded
    return padded


@mirror_pad.settings
def _(x: Tensor, paddings: Any, mode: Any) -> dict[str, Any]:
    if mode not in ("reflect", "symmetric"):
        raise ArgumentError(f"mirror_pad: mode is {mode!r}.", expected="'reflect' or 'symmetric'.")
    return {"paddings": as_pairs(paddings, "paddings", x.ndim), "mode": mode}


def _blocks(x: Tensor, block_shape: Any, given: Any, name: str) -> dict[str, Any]:
    sizes = as_shape(block_shape, "block_shape")
    if x.ndim <= len(sizes) or 0 in sizes:
        raise ShapeError(
            f"x is {x.shape} and block_shape is {sizes}.",
            expected="x with a batch axis before those of block_shape, and blocks of at least one element.",
        )
    return {"block_shape": sizes, name: as_pairs(given, name, len(sizes))}


def _to_space(x: Any, block_shape: tuple[int, ...], crops: Pairs) -> Spec:
    count = math.prod(block_shape)
    spatial = x.shape[1 : 1 + len(block_shape)]
    sizes = tuple(s * b - sum(c) for s, b, c in zip(spatial, block_shape, crops, strict=True))
    if x.shape[0] % count or min(sizes, default=0) < 0:
        raise ShapeError(
            f"batch_to_space_nd(x, {block_shape}, {crops}): x is {x.shape}.",
            expected=f"a batch that {count} divides, and crops that leave no axis below 0.",
        )
    return Spec((x.shape[0] // count, *sizes, *x.shape[1 + len(block_shape) :]), x.dtype)


@composite_op(result=_to_space, dtypes=ALL)
def batch_to_space_nd(x: TensorLike, block_shape: Any, crops: Any) -> Tensor:
    """Entries of the batch interleaved into the axes after it, in blocks, and cropped. As TensorFlow.

    x is (batch, spatial axes, others), with a spatial axis for each number of ``block_shape``; ``crops`` is a list of
    (before, after) for each of them. The batch shrinks by the product of block_shape, each spatial axis grows by its
    number. The reverse of ``space_to_batch_nd``.

    Raises ShapeError for a batch, a number of axes or crops that do not fit.

    >>> batch_to_space_nd([[1, 3], [2, 4]], [2], [(0, 0)]).tolist()
    [[1, 2, 3, 4]]
    """
    many = len(block_shape)
    spatial, rest = x.shape[1 : 1 + many], x.shape[1 + many :]
    batch = x.shape[0] // math.prod(block_shape)
    apart = reshape(x, (*block_shape, batch, *spatial, *rest))
    order = [many, *(a for i in range(many) for a in (many + 1 + i, i)), *range(2 * many + 1, apart.ndim)]
    grown = tuple(s * b for s, b in zip(spatial, block_shape, strict=True))
    joined = reshape(transpose(apart, order), (batch, *grown, *rest))
    kept = [(before, size - after, 1) for size, (before, after) in zip(grown, crops, strict=True)]
    return basic_index(joined, ((0, batch, 1), *kept, *((0, size, 1) for size in rest)))


@batch_to_space_nd.settings
def _(x: Tensor, block_shape: Any, crops: Any) -> dict[str, Any]:
    return _blocks(x, block_shape, crops, "crops")


def _to_batch(x: Any, block_shape: tuple[int, ...], paddings: Pairs) -> Spec:
    many = len(block_shape)
    padded = [s + sum(p) for s, p in zip(x.shape[1 : 1 + many], paddings, strict=True)]
    if any(s % b for s, b in zip(padded, block_shape, strict=True)):
        raise ShapeError(
            f"space_to_batch_nd(x, {block_shape}, {paddings}): x is {x.shape}.",
            expected="padded sizes that block_shape divides.",
        )
    sizes = (s // b for s, b in zip(padded, block_shape, strict=True))
    return Spec((x.shape[0] * math.prod(block_shape), *sizes, *x.shape[1 + many :]), x.dtype)


@composite_op(result=_to_batch, dtypes=ARITHMETIC)
def space_to_batch_nd(x: TensorLike, block_shape: Any, paddings: Any) -> Tensor:
    """x padded with zeros, and the places within each block made entries of the batch. As TensorFlow.

    x is (batch, spatial axes, others), with a spatial axis for each number of ``block_shape``; ``paddings`` is a list
    of (before, after) for each of them. Raises ShapeError if block_shape does not divide the padded sizes.

    >>> space_to_batch_nd([[1, 2, 3, 4]], [2], [(0, 0)]).tolist()
    [[1, 3], [2, 4]]
    """
    many = len(block_shape)
    rest = x.shape[1 + many :]
    padded = pad(x, [(0, 0), *paddings, *((0, 0) for _ in rest)])
    sizes = [s // b for s, b in zip(padded.shape[1:], block_shape, strict=False)]
    pairs = [n for pair in zip(sizes, block_shape, strict=True) for n in pair]
    apart = reshape(padded, (x.shape[0], *pairs, *rest))
    order = [*range(2, 2 * many + 1, 2), 0, *range(1, 2 * many + 1, 2), *range(2 * many + 1, apart.ndim)]
    return reshape(transpose(apart, order), (x.shape[0] * math.prod(block_shape), *sizes, *rest))


@space_to_batch_nd.settings
def _(x: Tensor, block_shape: Any, paddings: Any) -> dict[str, Any]:
    return _blocks(x, block_shape, paddings, "paddings")


def _image_settings(x: Tensor, block_size: Any, data_format: Any) -> dict[str, Any]:
    size = as_int(block_size, "block_size", minimum=2)
    if x.ndim != 4:
        raise ShapeError(f"x is {x.shape}.", expected="a batch of images: four axes.")
    return {"block_size": size, "data_format": checked_format(data_format)}


def _image(x: Any, data_format: str) -> tuple[int, int, int, int]:
    n, *sizes = x.shape
    height, width, channels = sizes if data_format == "channels_last" else (*sizes[1:], sizes[0])
    return n, height, width, channels


def _image_shape(n: int, height: int, width: int, channels: int, data_format: str) -> tuple[int, ...]:
    return (n, height, width, channels) if data_format == "channels_last" else (n, channels, height, width)


def _deep_to_wide(x: Any, block_size: int, data_format: str) -> Spec:
    n, height, width, channels = _image(x, data_format)
    if channels % block_size**2:
        raise ShapeError(
            f"depth_to_space(x, {block_size}, {data_format!r}): x is {x.shape}.",
            expected=f"channels that block_size ** 2 = {block_size**2} divides.",
        )
    shape = _image_shape(n, height * block_size, width * block_size, channels // block_size**2, data_format)
    return Spec(shape, x.dtype)


@composite_op(result=_deep_to_wide, dtypes=ALL)
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels spread into blocks of height and width (Shi et al. 2016, arXiv:1609.05158). As TensorFlow.

    x is (batch, height, width, channels), or (batch, channels, height, width) with data_format "channels_first"; the
    result is ``block_size`` times as high and wide, with channels / block_size ** 2. Raises ShapeError if that is no
    whole number.

    Raises ArgumentError for a block_size below 2 or another data_format.

    >>> depth_to_space([[[[1, 2, 3, 4]]]], 2).tolist()
    [[[[1], [2]], [[3], [4]]]]
    """
    n, height, width, channels = _image(x, data_format)
    b, kept = block_size, channels // block_size**2
    if data_format == "channels_last":
        order, shape = (0, 1, 3, 2, 4, 5), (n, height, width, b, b, kept)
    else:
        order, shape = (0, 3, 4, 1, 5, 2), (n, b, b, kept, height, width)
    return reshape(transpose(reshape(x, shape), order), _image_shape(n, height * b, width * b, kept, data_format))


depth_to_space.settings(_image_settings)


def _wide_to_deep(x: Any, block_size: int, data_format: str) -> Spec:
    n, height, width, channels = _image(x, data_format)
    if height % block_size or width % block_size:
        raise ShapeError(
            f"space_to_depth(x, {block_size}, {data_format!r}): x is {x.shape}.",
            expected=f"height and width that block_size = {block_size} divides.",
        )
    shape = _image_shape(n, height // block_size, width // block_size, channels * block_size**2, data_format)
    return Spec(shape, x.dtype)


@composite_op(result=_wide_to_deep, dtypes=ALL)
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of height and width stacked into channels: the reverse of ``depth_to_space``. As TensorFlow.

    Raises ShapeError if height or width are no multiples of block_size.

    >>> space_to_depth([[[[1], [2]], [[3], [4]]]], 2).tolist()
    [[[[1, 2, 3, 4]]]]
    """
    n, height, width, channels = _image(x, data_format)
    b, high, wide = block_size, height // block_size, width // block_size
    if data_format == "channels_last":
        order, shape = (0, 1, 3, 2, 4, 5), (n, high, b, wide, b, channels)
    else:
        order, shape = (0, 3, 5, 1, 2, 4), (n, channels, high, b, wide, b)
    return reshape(transpose(reshape(x, shape), order), _image_shape(n, high, wide, channels * b * b, data_format))


space_to_depth.settings(_image_settings)
