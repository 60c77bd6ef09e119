"""Sparse tensors: positions (count, axes), values (count,) and the shape of the whole.

Which value goes where is worked out on the host, for it depends on positions; values then move by gather and scatter,
so that gradients follow. Sizes of results depend on positions: a step that uses these ops is not replayed.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lamina.dtypes import INTEGER, NUMERIC, promote_dtypes, weak_dtype
from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.ops.elementwise import cast, divide, maximum
from lamina.ops.indexing import gather, scatter_add
from lamina.ops.scattering import scatter_update
from lamina.ops.shaping import broadcast_to, concatenate
from lamina.ops.shaping import reshape as _reshape
from lamina.runtime.convert import SCALARS, to_tensor
from lamina.runtime.op import TensorLike, host_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_shape, resolve_reshape

Array = np.ndarray[Any, Any]

__all__ = ["FilledRows", "ReshapedSparse", "fill_empty_rows", "reshape", "segment_mean", "segment_sum"]


class FilledRows(NamedTuple):
    """A sparse matrix without empty rows, which rows were empty, and where each given value went."""

    indices: Tensor
    values: Tensor
    empty_row_indicator: Tensor
    reverse_index_map: Tensor


class ReshapedSparse(NamedTuple):
    """Positions in the new shape, and that shape."""

    indices: Tensor
    shape: Tensor


def sparse_to_dense(
    indices: TensorLike, values: TensorLike, output_shape: Any, default_value: TensorLike = 0
) -> Tensor:
    """A tensor of ``output_shape`` with values at given positions and ``default_value`` elsewhere.

    ``indices`` are positions (count, axes), or (count,) or a single one along one axis; ``values`` has one for each
    position, or one for all. The last one for a position wins, as in TensorFlow.js. The gradient reaches values and
    default_value. Raises ShapeError for shapes that do not fit, DTypeError for positions that are no integers,
    OutOfRangeError for a position outside the shape where the backend can tell without waiting for the device.

    >>> sparse_to_dense([[0, 1], [1, 0]], [5.0, 6.0], (2, 2)).tolist()
    [[0.0, 5.0], [6.0, 0.0]]
    """
    indices, values = to_tensor(indices), to_tensor(values)
    default = as_default(default_value, values)
    shape = as_shape(output_shape, "output_shape")
    count, axes = (*indices.shape, 1, 1)[:2] if indices.ndim != 1 else (indices.shape[0], 1)
    if indices.ndim > 2 or axes != len(shape) or values.shape not in ((), (count,)) or default.shape:
        raise ShapeError(
            f"sparse_to_dense: indices is {indices.shape}, values {values.shape}, output_shape {shape}, default_value "
            f"{default.shape}.",
            expected="indices (count, axes), values (count,), a size for each axis, and default_value without axes.",
        )
    dtype = promote_dtypes(values.dtype, default.dtype)
    background = broadcast_to(cast(default, dtype), shape)
    return scatter_update(background, _reshape(indices, (count, axes)), broadcast_to(values, (count,)))


def as_default(value: TensorLike, values: Tensor) -> Tensor:
    """A default as a tensor; a Python number takes the dtype of the values where it can."""
    if isinstance(value, SCALARS) and not isinstance(value, np.generic) and values.dtype != "string":
        return to_tensor(value, weak_dtype(type(value), values.dtype))
    return to_tensor(value)


def fill_empty_rows(
    indices: TensorLike, values: TensorLike, dense_shape: TensorLike, default_value: TensorLike
) -> FilledRows:
    """A sparse tensor with ``default_value`` at the start of each row (place along axis 0) that has no value.

    ``indices`` (count, axes) are positions, ``values`` (count,) what lies there. The result is sorted by rows. As
    ``tf.sparse.fill_empty_rows``; the gradient reaches values and default_value. Raises ShapeError for wrong shapes,
    DTypeError for positions that are no integers, OutOfRangeError for a row outside ``dense_shape``.

    >>> found = fill_empty_rows([[0, 1], [2, 0]], [7, 8], [3, 2], -1)
    >>> found.indices.tolist(), found.values.tolist()
    ([[0, 1], [1, 0], [2, 0]], [7, -1, 8])
    >>> found.empty_row_indicator.tolist(), found.reverse_index_map.tolist()
    ([False, True, False], [0, 2])
    """
    values = to_tensor(values)
    default = as_default(default_value, values)
    if default.shape or values.ndim != 1:
        raise ShapeError(
            f"fill_empty_rows: values is {values.shape} and default_value is {default.shape}.",
            expected="values to have one axis and default_value none.",
        )
    positions, source, empty, moved = sparse_empty_rows(indices, dense_shape, count=values.shape[0])
    pool = concatenate([values, _reshape(default, (1,))])
    return FilledRows(positions, gather(pool, source), empty, moved)


def _filled(indices: Any, dense_shape: Any, count: int) -> tuple[Spec, ...]:
    _check_positions("fill_empty_rows", indices, dense_shape)
    if indices.shape[0] != count:
        raise ShapeError(
            f"fill_empty_rows: indices is {indices.shape} for {count} values.", expected="a position for each value."
        )
    row = Spec((0,), indices.dtype)
    return Spec((0, indices.shape[1]), indices.dtype), row, Spec((0,), "bool"), Spec((count,), indices.dtype)


@host_op(result=_filled, dtypes=INTEGER, promote=False, outputs=("positions", "source", "empty", "moved"), public=False)
def sparse_empty_rows(indices: TensorLike, dense_shape: TensorLike, count: int) -> Any:
    """Where values and fillings of empty rows go: the values' source is ``count`` for a filling.

    >>> sparse_empty_rows([[1, 1]], [2, 2], 1)[1].tolist()
    [1, 0]
    """
    rows = int(dense_shape[0]) if dense_shape.size else 0
    wrong = (indices[:, 0] < 0) | (indices[:, 0] >= rows)
    if np.any(wrong):
        raise OutOfRangeError(
            f"fill_empty_rows: indices[{int(np.argmax(wrong))}] is in row {int(indices[wrong][0, 0])}.",
            expected=f"rows from 0 to {rows - 1}, as dense_shape is {dense_shape.tolist()}.",
        )
    empty = np.bincount(indices[:, 0], minlength=rows) == 0
    fillings = np.zeros((int(empty.sum()), indices.shape[1]), indices.dtype)
    fillings[:, 0] = np.flatnonzero(empty)
    positions = np.concatenate([indices, fillings])
    order = np.argsort(positions[:, 0], kind="stable").astype(indices.dtype)
    moved = np.empty_like(order)
    moved[order] = np.arange(len(order), dtype=indices.dtype)
    return positions[order], np.minimum(order, count).astype(indices.dtype), empty, moved[:count]


def reshape(indices: TensorLike, shape: TensorLike, new_shape: TensorLike) -> ReshapedSparse:
    """The positions of a sparse tensor's values after a reshape; one size of ``new_shape`` may be -1.

    ``indices`` (count, axes) are positions in a tensor of ``shape``, row-major. As ``tf.sparse.reshape``. Raises
    ShapeError if the number of elements would change, DTypeError for numbers that are no integers, OutOfRangeError for
    a position outside ``shape``.

    >>> found = reshape([[0, 1], [2, 3]], [3, 4], [2, -1])
    >>> found.indices.tolist(), found.shape.tolist()
    ([[0, 1], [1, 5]], [2, 6])
    """
    return ReshapedSparse(*sparse_reshape(indices, shape, new_shape))


def _reshaped(indices: Any, shape: Any, new_shape: Any) -> tuple[Spec, Spec]:
    _check_positions("sparse.reshape", indices, shape)
    if new_shape.ndim != 1:
        raise ShapeError(f"sparse.reshape: new_shape is {new_shape.shape}.", expected="new_shape to have one axis.")
    axes = new_shape.shape[0]
    return Spec((indices.shape[0], axes), indices.dtype), Spec((axes,), new_shape.dtype)


@host_op(result=_reshaped, dtypes=INTEGER, promote=False, outputs=("positions", "sizes"), public=False)
def sparse_reshape(indices: TensorLike, shape: TensorLike, new_shape: TensorLike) -> Any:
    """Positions after a reshape, and the new shape: see ``lamina.sparse.reshape``.

    >>> sparse_reshape([[1, 1]], [2, 2], [4])[0].tolist()
    [[3]]
    """
    old = tuple(shape.tolist())
    new = resolve_reshape(old, new_shape.tolist())
    if math.prod(old) >= 2**63:
        raise ArgumentError(f"sparse.reshape: shape is {old}.", expected="less than 2**63 elements.")
    if np.any((indices < 0) | (indices >= shape)):
        raise OutOfRangeError(
            f"sparse.reshape: a position in indices is outside of shape {old}.", expected="positions in the shape."
        )
    flat = indices.astype(np.int64) @ _steps(old)
    positions = flat[:, None] // _steps(new) % np.maximum(np.array(new, np.int64), 1)
    return positions.astype(indices.dtype), np.array(new, new_shape.dtype)


def _steps(shape: tuple[int, ...]) -> Array:
    """How far apart neighbours along each axis lie in row-major order, at least 1."""
    return np.array([max(1, math.prod(shape[i + 1 :])) for i in range(len(shape))], np.int64)


def _check_positions(op: str, indices: Any, shape: Any) -> None:
    if indices.ndim != 2 or shape.ndim != 1 or indices.shape[1] != shape.shape[0] or not indices.shape[1]:
        raise ShapeError(
            f"{op}: indices is {indices.shape} and the shape has the shape {shape.shape}.",
            expected="indices (count, axes) and a size for each axis.",
        )


def segment_sum(data: TensorLike, indices: TensorLike, segment_ids: TensorLike) -> Tensor:
    """Sums of rows of data: row s is the sum of ``data[indices[i]]`` over all i with ``segment_ids[i]`` = s.

    ``indices`` and ``segment_ids`` are vectors of one size; ids are sorted, an id without rows gives zeros. As
    ``tf.sparse.segment_sum``; the gradient reaches data. Raises ShapeError, DTypeError, OutOfRangeError for a row that
    is not there, ArgumentError for ids that fall or are negative.

    >>> segment_sum([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 2, 1], [0, 0, 2]).tolist()
    [[6.0, 8.0], [0.0, 0.0], [3.0, 4.0]]
    """
    return _segment_sum("segment_sum", data, indices, segment_ids)[0]


def segment_mean(data: TensorLike, indices: TensorLike, segment_ids: TensorLike) -> Tensor:
    """Means of rows of data: ``segment_sum`` divided by the number of rows; zeros for an id without rows.

    Integers give float32. As ``tf.sparse.segment_mean``; the gradient reaches data. Raises as ``segment_sum``.

    >>> segment_mean([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 2, 1], [0, 0, 2]).tolist()
    [[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]
    """
    total, counts = _segment_sum("segment_mean", data, indices, segment_ids)
    shape = (counts.shape[0], *(1,) * (total.ndim - 1))
    total = cast(total, "float32") if total.dtype in INTEGER else total
    return divide(total, _reshape(cast(maximum(counts, 1), total.dtype), shape))


def _segment_sum(op: str, data: TensorLike, indices: TensorLike, segment_ids: TensorLike) -> tuple[Tensor, Tensor]:
    """The sums, and how many rows are in each."""
    data, indices, ids = to_tensor(data), to_tensor(indices), to_tensor(segment_ids)
    if data.dtype not in NUMERIC:
        raise DTypeError(f"{op}: data has dtype {data.dtype}.", expected=f"data to be one of {', '.join(NUMERIC)}.")
    if not data.shape:
        raise ShapeError(f"{op}: data is a scalar.", expected="data to have rows.")
    counts = sparse_segment_sizes(indices, ids, rows=data.shape[0])
    return scatter_add(gather(data, indices), ids, 0, counts.shape[0]), counts


def _segments(indices: Any, segment_ids: Any, rows: int) -> Spec:
    if indices.ndim != 1 or indices.shape != segment_ids.shape:
        raise ShapeError(
            f"segments: indices is {indices.shape} and segment_ids is {segment_ids.shape}.",
            expected="two vectors of one size.",
        )
    return Spec((0,), "int32")


@host_op(result=_segments, dtypes=INTEGER, promote=False, public=False)
def sparse_segment_sizes(indices: TensorLike, segment_ids: TensorLike, rows: int) -> Any:
    """How many rows each segment has, after checking that rows and ids are as they must be.

    >>> sparse_segment_sizes([0, 2, 1], [0, 0, 2], 3).tolist()
    [2, 0, 1]
    """
    if indices.size and not 0 <= indices.min() <= indices.max() < rows:
        raise OutOfRangeError(
            f"segments: indices go from {indices.min()} to {indices.max()}.", expected=f"rows from 0 to {rows - 1}."
        )
    if segment_ids.size and (segment_ids[0] < 0 or np.any(segment_ids[1:] < segment_ids[:-1])):
        raise ArgumentError(
            f"segments: segment_ids is {segment_ids.tolist()}.", expected="numbers from 0 on that never fall."
        )
    return np.bincount(segment_ids).astype(np.int32)
