"""Padding, and windows of a series."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.errors import ArgumentError, ArgumentTypeError, DataError, DTypeError, ShapeError
from lamina.utils import pad_sequences, timeseries_dataset_from_array

RAGGED = [[1], [2, 3], [4, 5, 6]]


class TestPadding:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
            ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
            ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
            ({"maxlen": 2, "truncating": "post", "padding": "post", "value": 9}, [[1, 9], [2, 3], [4, 5]]),
            ({"maxlen": 4}, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 4, 5, 6]]),
        ],
    )
    def test_sides(self, settings, expected):
        found = pad_sequences(RAGGED, **settings)
        assert found.tolist() == expected
        assert found.dtype == np.int32

    def test_steps_of_several_numbers(self):
        found = pad_sequences([[[1, 2]], [[3, 4], [5, 6]], []])
        assert found.tolist() == [[[0, 0], [1, 2]], [[3, 4], [5, 6]], [[0, 0], [0, 0]]]

    def test_dtypes(self):
        assert pad_sequences([[1.7]]).tolist() == [[1]]
        assert pad_sequences([[1.5], []], dtype="float32", value=-1.0).tolist() == [[1.5], [-1.0]]
        assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]
        assert pad_sequences([[], []]).shape == (2, 0)
        assert pad_sequences([np.arange(3), range(2)]).tolist() == [[0, 1, 2], [0, 0, 1]]

    def test_what_is_refused(self):
        with pytest.raises(ArgumentTypeError, match="sequence 0"):
            pad_sequences([1, 2])
        with pytest.raises(ArgumentTypeError):
            pad_sequences(5)
        with pytest.raises(ArgumentTypeError):
            pad_sequences("abc")
        with pytest.raises(ArgumentTypeError):
            pad_sequences(["abc"])
        with pytest.raises(DTypeError, match="dtype=object"):
            pad_sequences(RAGGED, value="x")
        with pytest.raises(ShapeError, match="sequence 1"):
            pad_sequences([[[1, 2]], [[3]]])
        with pytest.raises(ShapeError, match="sequence 0"):
            pad_sequences([[[1, 2], [3]]])
        with pytest.raises(DataError, match="empty"):
            pad_sequences([])
        for wrong in ({"padding": "left"}, {"truncating": "x"}, {"maxlen": 0}, {"maxlen": -1}):
            with pytest.raises(ArgumentError):
                pad_sequences(RAGGED, **wrong)


def windows(*args, **settings):
    return [[part.tolist() for part in e] for e in timeseries_dataset_from_array(*args, batch_size=None, **settings)]


class TestWindows:
    def test_windows_and_targets(self):
        assert windows(range(5), range(10, 15), 3) == [[[0, 1, 2], 10], [[1, 2, 3], 11], [[2, 3, 4], 12]]

    def test_stride_and_rate(self):
        found = windows(range(10), range(10), 3, sequence_stride=2, sampling_rate=2)
        assert found == [[[0, 2, 4], 0], [[2, 4, 6], 2], [[4, 6, 8], 4]]

    def test_fewer_targets(self):
        assert len(windows(range(9), range(2), 3)) == 2

    def test_a_part_of_the_data(self):
        found = windows(range(10), range(10, 20), 2, start_index=3, end_index=7)
        assert found == [[[3, 4], 13], [[4, 5], 14], [[5, 6], 15]]
        assert windows(range(4), None, 2, end_index=4)[-1] == [2, 3]

    def test_batches(self):
        data = timeseries_dataset_from_array(np.arange(20).reshape(10, 2), np.arange(10), 3, batch_size=5)
        assert len(data) == 2
        shapes = [(x.shape, y.shape) for x, y in data]
        assert shapes == [((5, 3, 2), (5,)), ((3, 3, 2), (3,))]

    def test_shuffled(self):
        data = timeseries_dataset_from_array(np.arange(30), np.arange(30), 3, batch_size=4, shuffle=True, seed=2)
        first, second = ([int(n) for _, y in data for n in y] for _ in range(2))
        assert sorted(first) == sorted(second) == list(range(28))
        assert first != second
        assert all((x[:, 0] == y).all() for x, y in data)
        again = timeseries_dataset_from_array(np.arange(30), np.arange(30), 3, batch_size=4, shuffle=True, seed=2)
        assert [int(n) for _, y in again for n in y] == first

    @pytest.mark.parametrize(
        "settings",
        [
            {"sequence_length": 0},
            {"sequence_stride": 0},
            {"sequence_stride": 5},
            {"sampling_rate": 5},
            {"start_index": 5},
            {"start_index": -1},
            {"end_index": 6},
            {"start_index": 3, "end_index": 2},
            {"batch_size": 0},
        ],
    )
    def test_settings_beyond_the_data(self, settings):
        with pytest.raises(ArgumentError):
            timeseries_dataset_from_array(range(5), None, **{"sequence_length": 2, **settings})

    def test_no_window(self):
        with pytest.raises(DataError, match="no window of 4 steps"):
            timeseries_dataset_from_array(range(5), None, 4, sampling_rate=2)
