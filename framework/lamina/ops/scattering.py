"""Ops that pick and place slices by coordinates, and sums by segment."""

from __future__ import annotations

import math
from typing import Any

from lamina.dtypes import ALL, INTEGER, NUMERIC, promote_dtypes
from lamina.errors import DTypeError, ShapeError
from lamina.ops.elementwise import cast, greater_equal, identity, less, logical_and, maximum, where
from lamina.ops.indexing import basic_index, flat_positions, last_writer, scatter_add, take
from lamina.ops.shaping import reshape
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, as_shape


def _picked(x: Any, indices: Any) -> Spec:
    depth = indices.shape[-1] if indices.shape else None
    if depth is None or depth > x.ndim:
        raise ShapeError(
            f"gather_nd(x, indices): x is {x.shape} and indices is {indices.shape}.",
            expected="indices with at least one axis, the last of a size of at most the axes of x.",
        )
    return Spec((*indices.shape[:-1], *x.shape[depth:]), x.dtype)


@composite_op(result=_picked, dtypes={"x": ALL, "indices": INTEGER}, promote=False)
def gather_nd(x: TensorLike, indices: TensorLike) -> Tensor:
    """The elements or slices of x at coordinates: y[i, ...] = x[indices[i, 0], indices[i, 1], ...]. As TensorFlow.

    The last axis of ``indices`` holds the coordinates, for as many of the first axes of x; negative ones count from
    the end. Raises OutOfRangeError for a coordinate outside its axis where the backend can tell without waiting for
    the device.

    Raises ShapeError for more coordinates than x has axes, or indices without axes.

    >>> gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).tolist()
    [2, 3]
    """
    depth = indices.shape[-1]
    rows = reshape(x, (math.prod(x.shape[:depth]), *x.shape[depth:]))
    return take(rows, flat_positions(indices, x.shape[:depth]), 0)


def _check_updates(name: str, indices: Any, updates: Any, shape: tuple[int, ...]) -> None:
    depth = indices.shape[-1] if indices.shape else len(shape) + 1
    if depth > len(shape) or updates.shape != (*indices.shape[:-1], *shape[depth:]):
        raise ShapeError(
            f"{name}: indices is {indices.shape} and updates is {updates.shape}, for a tensor of shape {shape}.",
            expected="indices with at least one axis, the last of size k, and updates of shape "
            "indices.shape[:-1] + shape[k:].",
        )


def _scattered(indices: Any, updates: Any, shape: tuple[int, ...]) -> Spec:
    _check_updates("scatter_nd", indices, updates, shape)
    return Spec(shape, updates.dtype)


@composite_op(result=_scattered, dtypes={"indices": INTEGER, "updates": NUMERIC}, promote=False)
def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Any) -> Tensor:
    """Zeros of a shape with ``updates`` added at coordinates; those for one place add up. As TensorFlow.

    The last axis of ``indices`` holds the coordinates, as in ``gather_nd``, of which this is the reverse. Raises
    ShapeError if updates is not of shape ``indices.shape[:-1] + shape[k:]``.

    Raises ArgumentError for a negative size.

    >>> scatter_nd([[0], [2], [0]], [1.0, 2.0, 3.0], (4,)).tolist()
    [4.0, 0.0, 2.0, 0.0]
    """
    depth = indices.shape[-1]
    count = math.prod(shape[:depth])
    positions = reshape(flat_positions(indices, shape[:depth]), (math.prod(indices.shape[:-1]),))
    rows = reshape(updates, (*positions.shape, *shape[depth:]))
    return reshape(scatter_add(rows, positions, 0, count), shape)


@scatter_nd.settings
def _(indices: Tensor, updates: Tensor, shape: Any) -> dict[str, Any]:
    return {"shape": as_shape(shape)}


def _updated(tensor: Any, indices: Any, updates: Any) -> Spec:
    _check_updates("scatter_update", indices, updates, tensor.shape)
    if promote_dtypes(tensor.dtype, updates.dtype) != tensor.dtype:
        raise DTypeError(
            f"scatter_update: tensor has dtype {tensor.dtype} and updates {updates.dtype}.",
            expected=f"updates that fit into {tensor.dtype}.",
            fix=f"convert them first, for example updates.cast({tensor.dtype!r}).",
        )
    return Spec(tensor.shape, tensor.dtype)


@composite_op(result=_updated, dtypes={"tensor": ALL, "indices": INTEGER, "updates": ALL}, promote=False)
def scatter_update(tensor: TensorLike, indices: TensorLike, updates: TensorLike) -> Tensor:
    """A copy of a tensor with ``updates`` at coordinates in place of its own; the last one for a place wins.

    The last axis of ``indices`` holds the coordinates, as in ``gather_nd``. As ``tf.tensor_scatter_nd_update``; no
    gradient flows to what was replaced. Raises ShapeError if updates is not of shape
    ``indices.shape[:-1] + tensor.shape[k:]``, DTypeError if it does not fit into the tensor's dtype.

    Raises OutOfRangeError if there is nothing to update.

    >>> scatter_update([1.0, 1.0, 1.0], [[0], [2], [0]], [5.0, 6.0, 7.0]).tolist()
    [7.0, 1.0, 6.0]
    """
    depth, many = indices.shape[-1], math.prod(indices.shape[:-1])
    if not many:
        return identity(tensor)
    count, rest = math.prod(tensor.shape[:depth]), tensor.shape[depth:]
    positions = reshape(flat_positions(indices, tensor.shape[:depth]), (many,))
    writer = last_writer(positions, count)
    written = reshape(greater_equal(writer, 0), (count, *(1,) * len(rest)))
    new = take(reshape(cast(updates, tensor.dtype), (many, *rest)), maximum(writer, 0), 0)
    return reshape(where(written, new, reshape(tensor, (count, *rest))), tensor.shape)


def _summed(x: Any, segment_ids: Any, num_segments: int) -> Spec:
    if not segment_ids.shape or x.shape[: segment_ids.ndim] != segment_ids.shape:
        raise ShapeError(
            f"unsorted_segment_sum: x is {x.shape} and segment_ids is {segment_ids.shape}.",
            expected="segment_ids to have the shape of the first axes of x, at least one.",
        )
    return Spec((num_segments, *x.shape[segment_ids.ndim :]), x.dtype)


@composite_op(result=_summed, dtypes={"x": NUMERIC, "segment_ids": INTEGER}, promote=False)
def unsorted_segment_sum(x: TensorLike, segment_ids: TensorLike, num_segments: int) -> Tensor:
    """y[s] = the sum of the slices x[i] with segment_ids[i] = s, for s from 0 to num_segments - 1. As TensorFlow.

    Slices with an id outside these are dropped; a segment without slices is 0.

    Raises ShapeError if segment_ids do not count the first axes of x, ArgumentError for a negative num_segments.

    >>> unsorted_segment_sum([1.0, 2.0, 3.0, 4.0], [0, 2, 0, -1], 3).tolist()
    [4.0, 0.0, 2.0]
    """
    ids = cast(segment_ids, "int64" if segment_ids.dtype == "int64" else "int32")
    ids = where(logical_and(greater_equal(ids, 0), less(ids, num_segments)), ids, num_segments)
    sums = scatter_add(x, ids, 0, num_segments + 1)
    whole = [(0, size, 1) for size in sums.shape[1:]]
    return basic_index(sums, ((0, num_segments, 1), *whole))


@unsorted_segment_sum.settings
def _(x: Tensor, segment_ids: Tensor, num_segments: Any) -> dict[str, Any]:
    return {"num_segments": as_int(num_segments, "num_segments", minimum=0)}
