"""Ragged tensors: values in a row, and splits that say where each row begins and ends.

Row i of a ragged axis is ``values[splits[i]:splits[i + 1]]``, as in TensorFlow.js. Which value goes where is worked out
on the host; values move by gather, so that gradients follow. Sizes of results depend on values: a step that uses these
ops is not replayed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.dtypes import FLOATING, INTEGER, promote_dtypes
from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.ops.elementwise import add, cast, multiply
from lamina.ops.indexing import gather
from lamina.ops.shaping import broadcast_to, concatenate, expand_dims
from lamina.ops.sparse import as_default
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, host_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int

Array = np.ndarray[Any, Any]


class RaggedRows(NamedTuple):
    """A ragged tensor: the splits of each ragged axis, outermost first, and the values."""

    nested_splits: tuple[Tensor, ...]
    values: Tensor


class RaggedRange(NamedTuple):
    """Ranges one after the other: range i is ``values[splits[i]:splits[i + 1]]``."""

    splits: Tensor
    values: Tensor


def ragged_gather(
    params_nested_splits: Sequence[TensorLike],
    params_dense_values: TensorLike,
    indices: TensorLike,
    output_ragged_rank: int | None = None,
) -> RaggedRows:
    """The rows of a ragged tensor at integer positions; ``indices`` of n axes adds n - 1 axes to the result.

    ``output_ragged_rank``, if it is given, must be their number of axes - 1 plus that of the splits. As TensorFlow's
    RaggedGather; the gradient reaches the values. Raises ArgumentError for splits that are none or do not fit,
    OutOfRangeError for a row that is not there, ShapeError, DTypeError.

    >>> found = ragged_gather([[0, 2, 2, 5]], [1.0, 2.0, 3.0, 4.0, 5.0], [2, 0])
    >>> found.nested_splits[0].tolist(), found.values.tolist()
    ([0, 3, 5], [3.0, 4.0, 5.0, 1.0, 2.0])
    """
    values, indices = to_tensor(params_dense_values), to_tensor(indices)
    if not params_nested_splits or not values.shape:
        raise ArgumentError(
            f"ragged_gather: {len(params_nested_splits)} splits and values of shape {values.shape}.",
            expected="at least one of params_nested_splits, and params_dense_values with an axis.",
        )
    rank = indices.ndim - 1 + len(params_nested_splits)
    if output_ragged_rank is not None and as_int(output_ragged_rank, "output_ragged_rank") != rank:
        raise ArgumentError(f"ragged_gather: output_ragged_rank is {output_ragged_rank}.", expected=f"{rank}.")
    *splits, rows = ragged_rows(indices, *params_nested_splits, count=values.shape[0])
    return RaggedRows(tuple(splits), gather(values, rows))


def _gathered(indices: Any, *splits: Any, count: int) -> tuple[Spec, ...]:
    if any(s.ndim != 1 for s in splits):
        raise ShapeError(f"ragged_gather: the splits have the shapes {[s.shape for s in splits]}.", expected="vectors.")
    sizes = [Spec((math.prod(indices.shape[: i + 1]) + 1,), splits[0].dtype) for i in range(indices.ndim - 1)]
    first = [Spec((indices.size + 1,), splits[0].dtype)] if indices.ndim else []
    return (*sizes, *first, *(Spec((0,), s.dtype) for s in splits[1:]), Spec((0,), indices.dtype))


@host_op(result=_gathered, dtypes=INTEGER, promote=False, public=False)
def ragged_rows(*tensors: TensorLike, count: int) -> Any:
    """New splits for the rows at ``tensors[0]`` of nested splits ``tensors[1:]``, and which of ``count`` values stay.

    >>> [t.tolist() for t in ragged_rows([1, 0], [0, 2, 3], count=3)]
    [[0, 1, 3], [2, 0, 1]]
    """
    indices, *nested = tensors
    _check_nested(nested, count)
    rows = indices.reshape(-1)
    if rows.size and not 0 <= rows.min() <= rows.max() < len(nested[0]) - 1:
        raise OutOfRangeError(
            f"ragged_gather: indices go from {rows.min()} to {rows.max()}.",
            expected=f"rows from 0 to {len(nested[0]) - 2}.",
        )
    found = [
        np.arange(math.prod(indices.shape[: i + 1]) + 1, dtype=nested[0].dtype) * indices.shape[i + 1]
        for i in range(indices.ndim - 1)
    ]
    for splits in nested:
        lengths = splits[rows + 1] - splits[rows]
        found.append(_splits_of(lengths, splits.dtype))
        rows = _ranges(splits[rows], lengths)
    return (*(found if indices.ndim else found[1:]), rows.astype(indices.dtype))


def _check_nested(nested: Sequence[Array], count: int) -> None:
    """Splits start at 0 or later, never fall, and do not point past what they split."""
    for i, splits in enumerate(nested):
        size = len(nested[i + 1]) - 1 if i + 1 < len(nested) else count
        if not splits.size or splits[0] < 0 or splits[-1] > size or np.any(splits[1:] < splits[:-1]):
            raise ArgumentError(
                f"ragged_gather: params_nested_splits[{i}] is {splits.tolist()} for {size} rows or values.",
                expected=f"numbers from 0 to {size} that never fall.",
            )


def _splits_of(lengths: Array, dtype: Any) -> Array:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(dtype)


def _ranges(starts: Array, lengths: Array) -> Array:
    """start, start + 1, ... for each start, as many as its length, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    found: Array = np.arange(total) + np.repeat(starts - ends + lengths, lengths)
    return found


def ragged_range(starts: TensorLike, limits: TensorLike, deltas: TensorLike = 1) -> RaggedRange:
    """start, start + delta, start + 2 * delta, ... before each limit: one range per row, all in one vector.

    The arguments are vectors of one size, or scalars for all rows. As ``tf.ragged.range``; the gradient reaches starts
    and deltas. Raises ShapeError for other shapes, DTypeError for what is neither integer nor floating, ArgumentError
    for a delta of 0.

    >>> found = ragged_range([0, 5], [3, 2], [1, -2])
    >>> found.splits.tolist(), found.values.tolist()
    ([0, 3, 5], [0, 1, 2, 5, 3])
    """
    tensors = [to_tensor(t) for t in (starts, limits, deltas)]
    dtype = promote_dtypes(promote_dtypes(tensors[0].dtype, tensors[1].dtype), tensors[2].dtype)
    if dtype not in INTEGER + FLOATING:
        raise DTypeError(f"ragged_range: the arguments have dtype {dtype}.", expected="integer or floating numbers.")
    starts, limits, deltas = (cast(t, dtype) for t in tensors)
    splits, rows, steps = ragged_steps(starts, limits, deltas)
    count = splits.shape[0] - 1
    begin, by = (gather(broadcast_to(t, (count,)), rows) for t in (starts, deltas))
    return RaggedRange(splits, add(begin, multiply(cast(steps, dtype), by)))


def _stepped(starts: Any, limits: Any, deltas: Any) -> tuple[Spec, Spec, Spec]:
    shapes = [t.shape for t in (starts, limits, deltas)]
    sizes = {shape[0] for shape in shapes if shape}
    if any(len(shape) > 1 for shape in shapes) or len(sizes) > 1:
        raise ShapeError(
            f"ragged_range: starts, limits and deltas are {', '.join(map(str, shapes))}.",
            expected="vectors of one size, or scalars.",
        )
    return Spec(((sizes.pop() if sizes else 1) + 1,), "int32"), Spec((0,), "int32"), Spec((0,), "int32")


@host_op(result=_stepped, dtypes=INTEGER + FLOATING, outputs=("splits", "rows", "steps"), public=False)
def ragged_steps(starts: TensorLike, limits: TensorLike, deltas: TensorLike) -> Any:
    """The splits of ranges, and for each value its range and its place there.

    >>> [t.tolist() for t in ragged_steps([0, 5], [2, 6], [1, 1])]
    [[0, 2, 3], [0, 0, 1], [0, 1, 0]]
    """
    if np.any(deltas == 0):
        raise ArgumentError("ragged_range: one of deltas is 0.", expected="deltas that lead somewhere.")
    kind = np.float64 if starts.dtype.kind != "i" and starts.dtype.kind != "u" else np.int64
    first, last, by = np.broadcast_arrays(*(np.atleast_1d(t).astype(kind) for t in (starts, limits, deltas)))
    sizes = np.ceil((last - first) / by) if kind is np.float64 else -((first - last) // by)
    if not np.all(np.isfinite(sizes)) or np.any(sizes >= 2**31):
        raise ArgumentError("ragged_range: a range has no end.", expected="less than 2**31 values in a range.")
    lengths = np.maximum(sizes, 0).astype(np.int64)
    rows = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    steps = _ranges(np.zeros_like(lengths), lengths).astype(np.int32)
    return _splits_of(lengths, np.int32), rows, steps


def ragged_tensor_to_tensor(
    shape: TensorLike | None,
    values: TensorLike,
    default_value: TensorLike,
    row_partition_tensors: Sequence[TensorLike],
    row_partition_types: Sequence[str],
) -> Tensor:
    """A ragged tensor as a rectangular one: rows are cut at the sizes of ``shape``, or filled with ``default_value``.

    ``shape`` gives the size of each axis; -1, or None for all of them, takes the longest row. The partitions go from
    the outermost ragged axis inwards, each with its type: "ROW_SPLITS" (row i is values[splits[i]:splits[i + 1]]) or
    "VALUE_ROWIDS" (the row of each value, in order), which needs "FIRST_DIM_SIZE" (the number of rows) before the
    first. ``default_value`` broadcasts to one of the values. As TensorFlow's RaggedTensorToTensor; the gradient
    reaches values and default_value. Raises ShapeError for a shape that does not fit, ArgumentError for partitions
    that do not.

    Raises DTypeError for a shape or partitions that are no integers.

    >>> ragged_tensor_to_tensor([2, -1], [1, 2, 3], 0, [[0, 1, 3]], ["ROW_SPLITS"]).tolist()
    [[1, 0], [2, 3]]
    """
    values = to_tensor(values)
    default = as_default(default_value, values)
    types = tuple(row_partition_types)
    if len(types) != len(row_partition_tensors) or not _are_types(types):
        raise ArgumentError(
            f"ragged_tensor_to_tensor: {len(row_partition_tensors)} partitions with the types {types}.",
            expected="a type for each: FIRST_DIM_SIZE or ROW_SPLITS, then VALUE_ROWIDS or ROW_SPLITS.",
        )
    if not values.shape or default.ndim >= values.ndim:
        raise ShapeError(
            f"ragged_tensor_to_tensor: values is {values.shape} and default_value is {default.shape}.",
            expected="values to have an axis more than default_value.",
        )
    wanted = to_tensor(np.int32(-1) if shape is None else shape)
    cells = ragged_cells(wanted, *row_partition_tensors, types=types, values=values.shape)
    pool = concatenate([values, expand_dims(broadcast_to(default, values.shape[1:]), 0)])
    return gather(pool, cells)


def _are_types(types: tuple[str, ...]) -> bool:
    first, rest = types[:1], types[1:]
    return first in (("FIRST_DIM_SIZE",), ("ROW_SPLITS",)) and set(rest) <= {"VALUE_ROWIDS", "ROW_SPLITS"}


def _cells(shape: Any, *partitions: Any, types: tuple[str, ...], values: tuple[int, ...]) -> Spec:
    rank = sum(t != "FIRST_DIM_SIZE" for t in types) + len(values)
    if shape.ndim > 1 or (shape.ndim and shape.shape[0] != rank):
        raise ShapeError(
            f"ragged_tensor_to_tensor: shape is {shape.shape} for a ragged tensor with {rank} axes.",
            expected=f"{rank} sizes, or one -1 for all of them.",
        )
    if any(p.ndim != (t != "FIRST_DIM_SIZE") for p, t in zip(partitions, types, strict=True)):
        raise ShapeError(
            f"ragged_tensor_to_tensor: the partitions have the shapes {[p.shape for p in partitions]}.",
            expected="a scalar for FIRST_DIM_SIZE, vectors for the others.",
        )
    return Spec((0,) * (rank - len(values) + 1), "int32")


@host_op(result=_cells, dtypes=INTEGER, promote=False, public=False)
def ragged_cells(*tensors: TensorLike, types: Any, values: Any) -> Any:
    """Which value comes into each cell of the ragged axes, or the number of values for the default.

    ``tensors`` are the wanted shape and the partitions, ``values`` the shape of the values.

    >>> ragged_cells(-1, [0, 1, 3], types=("ROW_SPLITS",), values=(3,)).tolist()
    [[0, 3], [1, 2]]
    """
    shape, *partitions = tensors
    first, rows = _rows_of(partitions, types)
    _check_rows(first, rows, values[0])
    columns = [_columns(row) for row in rows]
    widths = [first, *(int(c.max(initial=-1)) + 1 for c in columns)]
    sizes = _sizes(shape, widths, values[1:])
    place, inside = np.arange(first), np.arange(first) < sizes[0]
    for row, column, size in zip(rows, columns, sizes[1:], strict=True):
        place, inside = place[row] * size + column, inside[row] & (column < size)
    cells = np.full(math.prod(sizes), values[0], np.int32)
    cells[place[inside]] = np.flatnonzero(inside)
    return cells.reshape(sizes)


def _rows_of(partitions: Sequence[Array], types: Sequence[str]) -> tuple[int, list[Array]]:
    """The number of outermost rows, and for each ragged axis the row of each of its values."""
    rows = []
    for partition, kind in zip(partitions, types, strict=True):
        if kind == "ROW_SPLITS":
            if not partition.size or partition[0] != 0 or np.any(partition[1:] < partition[:-1]):
                raise ArgumentError(
                    f"ragged_tensor_to_tensor: row splits are {partition.tolist()}.",
                    expected="numbers that start with 0 and never fall.",
                )
            rows.append(np.repeat(np.arange(len(partition) - 1), np.diff(partition)))
        elif kind == "VALUE_ROWIDS":
            rows.append(partition)
    first = partitions[0]
    return int(first) if types[0] == "FIRST_DIM_SIZE" else len(first) - 1, rows


def _check_rows(first: int, rows: Sequence[Array], count: int) -> None:
    """Each axis's rows are those there are, in order, and its values as many as the next axis has rows."""
    for i, row in enumerate(rows):
        above = first if i == 0 else len(rows[i - 1])
        if row.size and (row[0] < 0 or row[-1] >= above or np.any(row[1:] < row[:-1])):
            raise ArgumentError(
                f"ragged_tensor_to_tensor: partition {i} has values in rows {row.tolist()}.",
                expected=f"rows from 0 to {above - 1}, in order.",
            )
    last = len(rows[-1]) if rows else first
    if last != count:
        raise ArgumentError(
            f"ragged_tensor_to_tensor: the partitions hold {last} values and there are {count}.",
            expected="as many values as the last partition holds.",
        )


def _columns(rows: Array) -> Array:
    """The place of each value within its row."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1)) if rows.size else np.zeros(0, np.int64)
    lengths = np.diff(np.append(starts, len(rows)))
    return np.arange(len(rows)) - np.repeat(starts, lengths)


def _sizes(shape: Array, widths: Sequence[int], element: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of the ragged axes: as wanted, or as wide as the rows."""
    given = shape.tolist() if shape.ndim else [-1] * (len(widths) + len(element))
    wrong = any(size not in (-1, e) for size, e in zip(given[len(widths) :], element, strict=True))
    if wrong or min(given) < -1 or (not shape.ndim and shape != -1):
        raise ShapeError(
            f"ragged_tensor_to_tensor: shape is {shape.tolist()} for values whose elements are {element}.",
            expected="sizes of at least 0 that end with those of an element, or -1.",
        )
    return tuple(width if size == -1 else size for size, width in zip(given, widths, strict=False))
