"""Sparse and ragged tensors: what only values can tell, and steps that use them."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentError, OutOfRangeError, ShapeError


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_outside_the_shape(row):
    with pytest.raises(OutOfRangeError, match=f"row {row}"):
        lamina.sparse.fill_empty_rows([[0, 0], [row, 0]], [1.0, 2.0], [3, 2], 0.0)


def test_values_where_there_are_no_rows():
    with pytest.raises(OutOfRangeError):
        lamina.sparse.fill_empty_rows([[0, 0]], [1.0], [0, 2], 0.0)


@pytest.mark.parametrize("shape", [[5, 3], [-1, 7], [-1, -1], [0, -1]])
def test_a_shape_of_another_size(shape):
    with pytest.raises(ShapeError, match="reshape"):
        lamina.sparse.reshape([[0, 1]], [3, 4], shape)


def test_a_negative_size():
    with pytest.raises(ArgumentError, match=r"shape\[1\] is -7"):
        lamina.sparse.reshape([[0, 1]], [3, 4], [1, -7])


def test_a_shape_beyond_all_numbers():
    with pytest.raises(ArgumentError, match="elements"):
        lamina.sparse.reshape(np.zeros((1, 2), np.int64), np.array([2**32, 2**32]), np.array([-1]))


def test_a_position_outside_the_shape():
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.sparse.reshape([[0, 4]], [3, 4], [12])


@pytest.mark.parametrize("op", [lamina.sparse.segment_sum, lamina.sparse.segment_mean])
def test_rows_and_segments_must_be_there_and_in_order(op):
    for rows in ([0, 3], [-1, 0]):
        with pytest.raises(OutOfRangeError, match="indices"):
            op([1.0, 2.0, 3.0], rows, [0, 1])
    for ids in ([1, 0], [-1, 0]):
        with pytest.raises(ArgumentError, match="segment_ids"):
            op([1.0, 2.0, 3.0], [0, 1], ids)


@pytest.mark.parametrize("splits", [[0, 3, 2], [-1, 3], [0, 4], []])
def test_splits_that_are_none(splits):
    with pytest.raises(ArgumentError, match="params_nested_splits"):
        lamina.ragged_gather([np.array(splits, np.int32)], [1.0, 2.0, 3.0], [0])


@pytest.mark.parametrize("row", [-1, 1])
def test_a_ragged_row_that_is_not_there(row):
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.ragged_gather([[0, 3]], [1.0, 2.0, 3.0], [row])


def test_ranges_that_never_end():
    with pytest.raises(ArgumentError, match="deltas is 0"):
        lamina.ragged_range([0, 1], [2, 2], [1, 0])
    with pytest.raises(ArgumentError, match="no end"):
        lamina.ragged_range(0.0, np.inf, 1.0)
    with pytest.raises(ArgumentError, match="no end"):
        lamina.ragged_range(np.int64(0), np.int64(2**40), np.int64(1))


@pytest.mark.parametrize(
    ("partition", "kind", "error"),
    [
        ([0, 2, 1, 3], "ROW_SPLITS", ArgumentError),
        ([1, 3], "ROW_SPLITS", ArgumentError),
        ([0, 2], "ROW_SPLITS", ArgumentError),
        ([0, 4], "ROW_SPLITS", ArgumentError),
        ([0, 3], "VALUE_ROWIDS", ArgumentError),
    ],
)
def test_partitions_that_do_not_fit(partition, kind, error):
    with pytest.raises(error, match="ragged_tensor_to_tensor"):
        lamina.ragged_tensor_to_tensor([-1, -1], [1.0, 2.0, 3.0], 0.0, [partition], [kind])


@pytest.mark.parametrize("rowids", [[0, 1, 0], [0, 1, 2], [-1, 0, 1]])
def test_rows_of_values_are_there_and_in_order(rowids):
    with pytest.raises(ArgumentError, match="in rows"):
        lamina.ragged_tensor_to_tensor(None, [1.0, 2.0, 3.0], 0.0, [2, rowids], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"])


@pytest.mark.parametrize("shape", [[1, 3, 5], [-2, 3, 2], 4])
def test_sizes_that_do_not_fit_the_values(shape):
    with pytest.raises(ShapeError, match="ragged_tensor_to_tensor"):
        lamina.ragged_tensor_to_tensor(shape, np.ones((3, 2)), 0.0, [[0, 3]], ["ROW_SPLITS"])


def test_all_sizes_by_the_longest_row():
    found = lamina.ragged_tensor_to_tensor(None, [1, 2, 3], 0, [[0, 1, 3]], ["ROW_SPLITS"])
    assert found.tolist() == [[1, 0], [2, 3]]


def test_a_step_with_sparse_ops_runs_without_replay():
    step = lamina.function(lambda x, ids: lamina.sparse.segment_sum(x, ids * 0, ids))
    for size in range(1, 5):
        ids = np.arange(size, dtype=np.int32)
        assert step(np.ones(4, np.float32), ids).tolist() == [1.0] * size
    step.explain()


def test_a_position_outside_the_dense_shape():
    with pytest.raises(OutOfRangeError):
        lamina.sparse_to_dense([[0, 2]], [1.0], (2, 2))


def test_a_default_takes_the_dtype_of_the_values():
    assert lamina.sparse_to_dense([1], np.float64([1.0]), (2,), 0.5).dtype == "float64"
    assert lamina.sparse_to_dense([1], np.int8([1]), (2,), 2).dtype == "int8"
    assert lamina.sparse_to_dense([1], np.int8([1]), (2,), 0.5).dtype == "float32"
    assert lamina.sparse.fill_empty_rows([[0]], np.float16([1]), [2], -1).values.dtype == "float16"


def test_a_dense_tensor_is_made_again_in_a_replayed_step():
    step = lamina.function(lambda places, x: lamina.sparse_to_dense(places, x, (4,)))
    for place in range(4):
        found = step(np.array([place, 0], np.int32), np.array([place, 9], np.float32))
        assert found.tolist()[place] == (place or 9.0)
    assert step.programs


def test_rows_of_rows():
    splits = [[0, 1, 3, 3, 5, 6], [0, 0, 2, 3, 5, 8, 9]]
    found = lamina.ragged_gather(splits, np.arange(1, 10), [2, 1, 0, 2, 3], 2)
    assert [s.tolist() for s in found.nested_splits] == [[0, 0, 2, 3, 3, 5], [0, 2, 3, 3, 5, 8]]
    assert found.values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    found = lamina.ragged_gather([[0, 1, 3], [0, 0, 3, 4]], np.arange(8).reshape(4, 2), [0, 1, 0], 2)
    assert [s.tolist() for s in found.nested_splits] == [[0, 1, 3, 4], [0, 0, 3, 4, 4]]
    assert found.values.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_positions_in_any_order_are_sorted_by_rows():
    found = lamina.sparse.fill_empty_rows([[3, 1], [0, 2], [3, 0]], [1, 2, 3], [5, 4], 0)
    assert found.indices.tolist() == [[0, 2], [1, 0], [2, 0], [3, 1], [3, 0], [4, 0]]
    assert found.values.tolist() == [2, 0, 0, 1, 3, 0]
    assert found.reverse_index_map.tolist() == [3, 0, 4]
