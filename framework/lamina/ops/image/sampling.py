"""Pixels of images at places between pixels: what cropping and warping are made of."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.ops.elementwise import (
    add,
    cast,
    ceil,
    clip,
    floor,
    greater_equal,
    less,
    logical_and,
    multiply,
    stop_gradient,
    subtract,
    where,
)
from lamina.ops.indexing import gather, scatter_add
from lamina.ops.reduction import sum as sum_of
from lamina.ops.shaping import broadcast_to, expand_dims, reshape
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, broadcast_shapes

_PLACES = ("batch", "rows", "columns")


def wide(x: Tensor) -> str:
    """The dtype to compute places in: whether a place is inside or nearer to a pixel hangs on the last bits."""
    return "float64" if x._backend is None or x._backend.supports("float64") is None else x.dtype


def within(places: Tensor, size: int) -> Tensor:
    """Whether each place is one of an axis; NaN is none."""
    return logical_and(greater_equal(places, 0.0), less(places, size))


def sample_nearest(images: Tensor, batch: Tensor, rows: Tensor, columns: Tensor, fill: Any) -> Tensor:
    """The pixels nearest to places, halves towards the end; ``fill`` beyond the border."""
    rows, columns = (floor(add(stop_gradient(places), 0.5)) for places in (rows, columns))
    inside = logical_and(within(rows, images.shape[1]), within(columns, images.shape[2]))
    found = gather(_pixels(images), _position(images.shape, batch, rows, columns), axis=0)
    return where(expand_dims(inside, -1), found, fill)


def _sampled(images: Any, batch: Any, rows: Any, columns: Any, fill: float | None) -> Spec:
    shape = broadcast_shapes("sample_bilinear", _PLACES, (batch.shape, rows.shape, columns.shape))
    return Spec((*shape, images.shape[-1]), images.dtype)


@composite_op(
    result=_sampled,
    dtypes={"images": FLOATING, "batch": ("int32",), "rows": FLOATING, "columns": FLOATING},
    promote=False,
    public=False,
)
def sample_bilinear(
    images: TensorLike, batch: TensorLike, rows: TensorLike, columns: TensorLike, fill: float | None = None
) -> Tensor:
    """Images (batch, height, width, channels) at rows and columns between pixels, by linear interpolation along both.

    ``batch``, ``rows`` and ``columns`` are broadcast; a new last axis holds the channels. Pixels beyond the border are
    ``fill``, or those at the border if it is None. On a pixel the slope is the mean of those on both sides.

    >>> sample_bilinear([[[[1.0], [3.0]]]], 0, 0.0, [0.5, 1.0]).tolist()
    [[2.0], [3.0]]
    """
    pixels = _pixels(images)
    total: Tensor | None = None
    for place, weight, beyond in _corners(images, batch, rows, columns, fill):
        part = multiply(gather(pixels, place, axis=0), expand_dims(weight, -1))
        total = part if total is None else add(total, part)
        if beyond is not None:
            total = add(total, multiply(expand_dims(beyond, -1), fill))
    assert total is not None
    return total


@sample_bilinear.gradient("images")
def _(dy: Tensor, *, images: Tensor, batch: Tensor, rows: Tensor, columns: Tensor, fill: float | None) -> Tensor:
    count = images.shape[0] * images.shape[1] * images.shape[2]
    total: Tensor | None = None
    for place, weight, _ in _corners(images, batch, rows, columns, fill):
        part = scatter_add(multiply(dy, expand_dims(weight, -1)), broadcast_to(place, dy.shape[:-1]), 0, count)
        total = part if total is None else add(total, part)
    assert total is not None
    return reshape(total, images.shape)


@sample_bilinear.gradient("rows")
def _(dy: Tensor, *, images: Tensor, batch: Tensor, rows: Tensor, columns: Tensor, fill: float | None) -> Tensor:
    low, high = floor(stop_gradient(rows)), ceil(stop_gradient(rows))
    ahead, here, there, behind = (
        sample_bilinear(images, batch, at, columns, fill=fill) for at in (add(low, 1.0), low, high, subtract(high, 1.0))
    )
    return _slope(dy, ahead, here, there, behind, rows.dtype)


@sample_bilinear.gradient("columns")
def _(dy: Tensor, *, images: Tensor, batch: Tensor, rows: Tensor, columns: Tensor, fill: float | None) -> Tensor:
    low, high = floor(stop_gradient(columns)), ceil(stop_gradient(columns))
    ahead, here, there, behind = (
        sample_bilinear(images, batch, rows, at, fill=fill) for at in (add(low, 1.0), low, high, subtract(high, 1.0))
    )
    return _slope(dy, ahead, here, there, behind, columns.dtype)


def _slope(dy: Tensor, ahead: Tensor, here: Tensor, there: Tensor, behind: Tensor, dtype: str) -> Tensor:
    twice = add(subtract(ahead, here), subtract(there, behind))
    return cast(multiply(sum_of(multiply(dy, twice), axis=-1), 0.5), dtype)


def _corners(
    images: Tensor, batch: Tensor, rows: Tensor, columns: Tensor, fill: float | None
) -> list[tuple[Tensor, Tensor, Tensor | None]]:
    """The four pixels around each place: where they lie, their weights, and the weights beyond the border."""
    found: list[tuple[Tensor, Tensor, Tensor | None]] = []
    for row, down in _neighbours(rows):
        for column, across in _neighbours(columns):
            weight = cast(multiply(down, across), images.dtype)
            place = _position(images.shape, batch, row, column)
            if fill is None:
                found.append((place, weight, None))
                continue
            inside = logical_and(within(row, images.shape[1]), within(column, images.shape[2]))
            found.append((place, where(inside, weight, 0.0), where(inside, 0.0, weight)))
    return found


def _neighbours(places: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The whole places before and after each place, and their weights."""
    low = floor(stop_gradient(places))
    part = subtract(places, low)
    return [(low, subtract(1.0, part)), (add(low, 1.0), part)]


def _pixels(images: Tensor) -> Tensor:
    return reshape(images, (images.shape[0] * images.shape[1] * images.shape[2], images.shape[3]))


def _position(shape: tuple[int, ...], batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Positions among all pixels of all images; places beyond the border are taken to the border."""
    row, column = (cast(clip(p, 0.0, float(n - 1)), "int32") for p, n in zip((rows, columns), shape[1:3], strict=True))
    return add(multiply(add(multiply(batch, shape[1]), row), shape[2]), column)
