"""Cases of ops that pick and place slices by coordinates, and of sums by segment."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case


def _gather(x: Any, indices: Any, axis: int = 0, batch_dims: int = 0) -> Any:
    batch = batch_dims % (indices.ndim + 1) if batch_dims >= 0 else batch_dims + indices.ndim
    if not batch:
        return np.take(x, indices, axis)
    inner = axis % x.ndim - 1
    return np.stack([_gather(a, i, inner, batch - 1) for a, i in zip(x, indices, strict=True)])


case("gather", [normal(2, 4, 3), ints(2, 5, low=-4, high=4)], axis=1, batch_dims=1, reference=_gather)
case("gather", [normal(2, 2, 4, 3), ints(2, 5, low=0, high=3)], axis=-1, batch_dims=1, reference=_gather)
case("gather", [normal(2, 2, 4), ints(2, 2, low=0, high=4)], axis=2, batch_dims=2, reference=_gather)
case("gather", [normal(2, 4), ints(2, 1, low=0, high=4, dtype="uint8")], axis=1, batch_dims=-1, reference=_gather)
case("gather", [strings([["a", "b"], ["c", "d"]]), values([[1], [0]])], axis=1, batch_dims=1, reference=_gather)
case("gather", [normal(1, 3), ints(1, 0, low=0, high=1)], axis=1, batch_dims=1, reference=_gather, gradient=False)
case("gather", [normal(2, 4), ints(2, 1)], axis=0, batch_dims=1, raises=OutOfRangeError)
case("gather", [normal(2, 4), ints(3, 1)], axis=1, batch_dims=1, raises=ShapeError)
case("gather", [normal(2, 4), ints(2)], axis=1, batch_dims=2, raises=ShapeError)
case("gather", [normal(2, 0), ints(2, 1)], axis=1, batch_dims=1, raises=OutOfRangeError)


def _ravel(indices: Any, shape: Any) -> Any:
    wrapped = np.where(indices < 0, indices + np.array(shape, int), indices)
    flat = np.zeros(indices.shape[:-1], np.int64)
    for axis, size in enumerate(shape):
        flat = flat * size + wrapped[..., axis]
    return flat


case("flat_positions", [ints(4, 2, low=-2, high=2)], shape=(2, 3), reference=_ravel)
case("flat_positions", [ints(2, 3, 1, low=0, high=5, dtype="int64")], shape=(5,), reference=_ravel)
case("flat_positions", [ints(2, low=0, high=2, dtype="uint8")], shape=(300, 2), reference=_ravel)
case("flat_positions", [ints(3, 0)], shape=(), reference=_ravel)
case("flat_positions", [values([[1, 2]], "int64")], shape=(3, 2**31), reference=_ravel)
case("flat_positions", [ints(3, 2)], shape=(4,), raises=ShapeError)
case("flat_positions", [ints(3, 2)], shape=(4, 0), raises=OutOfRangeError)


def _last_writer(positions: Any, size: int) -> Any:
    writer = np.full(size, -1)
    for number, position in enumerate(positions.tolist()):
        writer[position] = number
    return writer


case("last_writer", [values([2, 0, 2, 3, 0], "int32")], size=5, reference=_last_writer)
case("last_writer", [values([0, 0], "int64")], size=1, reference=_last_writer)
case("last_writer", [ints(0)], size=2, reference=_last_writer)


def _gather_nd(x: Any, indices: Any) -> Any:
    return x[tuple(np.moveaxis(indices, -1, 0))]


case("gather_nd", [normal(3, 4), ints(5, 2, low=-3, high=3)], reference=_gather_nd)
case("gather_nd", [normal(3, 4, 2), ints(2, 2, 1, low=0, high=3)], reference=_gather_nd)
case("gather_nd", [normal(3, 4), ints(2, low=0, high=3)], reference=_gather_nd)
case("gather_nd", [normal(3, 4), ints(2, 0)], reference=lambda x, indices: np.stack([x, x]))
case("gather_nd", [non_contiguous(3, 4), ints(2, 2, low=0, high=3, dtype="int64")], reference=_gather_nd)
case("gather_nd", [complex_normal(3, 4), ints(2, 1, low=0, high=3)], reference=_gather_nd)
case("gather_nd", [strings(["a", "b"]), values([[1], [0]], "int32")], reference=_gather_nd)
case("gather_nd", [normal(1, 3), ints(2, 1, low=0, high=1)], reference=_gather_nd)
case("gather_nd", [empty(0, 3), ints(0, 1)], reference=_gather_nd)
case("gather_nd", [normal(3), ints(2, 2)], raises=ShapeError)
case("gather_nd", [normal(3), values(1, "int32")], raises=ShapeError)
case("gather_nd", [normal(3), normal(1, 1)], raises=DTypeError)
case("gather_nd", [empty(0, 3), ints(1, 1)], raises=OutOfRangeError)


def _scatter_nd(indices: Any, updates: Any, shape: Any) -> Any:
    result = np.zeros(shape, updates.dtype)
    np.add.at(result, tuple(np.moveaxis(indices, -1, 0)), updates)
    return result


case("scatter_nd", [ints(5, 1, low=-4, high=4), normal(5, 3)], shape=(4, 3), reference=_scatter_nd)
case("scatter_nd", [ints(2, 3, 2, low=0, high=3), normal(2, 3)], shape=(3, 4), reference=_scatter_nd)
case("scatter_nd", [values([[1], [1]], "int64"), ints(2)], shape=3, reference=_scatter_nd)
case("scatter_nd", [values([[0], [2]]), complex_normal(2, 2)], shape=(3, 2), reference=_scatter_nd)
case("scatter_nd", [ints(1, 1, low=0, high=3), normal(1, 2)], shape=(3, 2), reference=_scatter_nd)
case("scatter_nd", [ints(0, 1), empty(0, 2)], shape=(3, 2), reference=_scatter_nd)
case("scatter_nd", [ints(3, 1, low=0, high=3), non_contiguous(3, 2)], shape=(3, 2), reference=_scatter_nd)
case("scatter_nd", [ints(3, 1), normal(3, 4)], shape=(5, 3), raises=ShapeError)
case("scatter_nd", [values(1), normal(2)], shape=(5,), raises=ShapeError)
case("scatter_nd", [ints(2, 2), normal(2)], shape=(5,), raises=ShapeError)
case("scatter_nd", [normal(2, 1), normal(2)], shape=(5,), raises=DTypeError)
case("scatter_nd", [ints(2, 1), bools(2)], shape=(5,), raises=DTypeError)
case("scatter_nd", [ints(2, 1), normal(2)], shape=(-5,), raises=ArgumentError)


def _scatter_update(tensor: Any, indices: Any, updates: Any) -> Any:
    result = tensor.copy()
    for place in np.ndindex(*indices.shape[:-1]):
        result[tuple(indices[place])] = updates[place]
    return result


_twice = values([[1], [3], [1]], "int32")
case("scatter_update", [normal(4, 2), _twice, normal(3, 2)], reference=_scatter_update)
case("scatter_update", [normal(3, 4), ints(2, 3, 2, low=-3, high=3), normal(2, 3)], reference=_scatter_update)
case("scatter_update", [normal(4), _twice, ints(3)], reference=_scatter_update)
case("scatter_update", [ints(4), _twice, ints(3)], reference=_scatter_update)
case("scatter_update", [bools(4), _twice, bools(3)], reference=_scatter_update)
case("scatter_update", [complex_normal(4), _twice, normal(3)], reference=_scatter_update)
case("scatter_update", [strings(["a", "b"]), values([[0]]), strings(["c"])], reference=_scatter_update)
case("scatter_update", [normal(4, 2), ints(0, 1), empty(0, 2)], reference=_scatter_update)
case("scatter_update", [non_contiguous(3, 2), values([[0]]), normal(1, 2)], reference=_scatter_update)
case("scatter_update", [normal(4), _twice, normal(2)], raises=ShapeError)
case("scatter_update", [normal(4), values(1), normal(1)], raises=ShapeError)
case("scatter_update", [ints(4), _twice, normal(3)], raises=DTypeError)
case("scatter_update", [normal(4), normal(3, 1), normal(3)], raises=DTypeError)
case("scatter_update", [empty(0), ints(1, 1), normal(1)], raises=OutOfRangeError)


def _segment_sum(x: Any, segment_ids: Any, num_segments: int) -> Any:
    result = np.zeros((num_segments, *x.shape[segment_ids.ndim :]), x.dtype)
    for place in np.ndindex(*segment_ids.shape):
        if 0 <= segment_ids[place] < num_segments:
            result[segment_ids[place]] += x[place]
    return result


case("unsorted_segment_sum", [normal(6, 2), ints(6, low=-2, high=5)], num_segments=3, reference=_segment_sum)
case("unsorted_segment_sum", [normal(2, 3), ints(2, 3, low=0, high=4)], num_segments=4, reference=_segment_sum)
case("unsorted_segment_sum", [ints(4), ints(4, low=0, high=9, dtype="uint8")], num_segments=300, reference=_segment_sum)
case("unsorted_segment_sum", [complex_normal(3), ints(3, low=0, high=2)], num_segments=2, reference=_segment_sum)
case("unsorted_segment_sum", [normal(1), ints(1, low=0, high=1)], num_segments=1, reference=_segment_sum)
case("unsorted_segment_sum", [empty(0, 2), ints(0)], num_segments=2, reference=_segment_sum)
case("unsorted_segment_sum", [normal(3), ints(3)], num_segments=0, reference=_segment_sum, gradient=False)
case("unsorted_segment_sum", [non_contiguous(3, 2), ints(3, low=0, high=2)], num_segments=2, reference=_segment_sum)
case("unsorted_segment_sum", [normal(3), ints(2)], num_segments=2, raises=ShapeError)
case("unsorted_segment_sum", [normal(3), normal(3)], num_segments=2, raises=DTypeError)
case("unsorted_segment_sum", [normal(3), ints(3)], num_segments=-1, raises=ArgumentError)
