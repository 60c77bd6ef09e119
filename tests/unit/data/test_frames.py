"""Frames, columns and tensors of other libraries as arrays."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import lamina
from lamina.data import as_array, as_columns, is_frame
from lamina.errors import ArgumentTypeError, DataError, ShapeError

COLUMNS = {"a": [1, 2], "b": [1.5, 2.5]}


def _pandas(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def _polars(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def _arrow(columns):
    return pytest.importorskip("pyarrow").table(columns)


LIBRARIES = [_pandas, _polars, _arrow]


@pytest.mark.parametrize("library", LIBRARIES)
class TestFrames:
    def test_a_frame_is_one_array_of_its_columns(self, library):
        found = as_array(library(COLUMNS))
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, [[1, 1.5], [2, 2.5]])
        assert as_array(library({"a": [1, 2]})).dtype == np.int64

    def test_a_frame_is_a_dict_of_arrays(self, library):
        found = as_columns(library(COLUMNS))
        assert {name: array.dtype.name for name, array in found.items()} == {"a": "int64", "b": "float64"}

    def test_a_column_is_a_vector(self, library):
        frame = library(COLUMNS)
        assert is_frame(frame)
        assert not is_frame(frame["a"])
        np.testing.assert_array_equal(as_array(frame["a"]), [1, 2])
        assert as_array(library({"a": [True, False]})["a"]).dtype == bool

    def test_a_column_of_strings_is_refused_by_name(self, library):
        with pytest.raises(DataError, match="the column 'city' of x holds strings") as caught:
            as_array(library({"a": [1, 2], "city": ["Oslo", "Rome"]}))
        assert "encode" in str(caught.value)

    @pytest.mark.parametrize("values", [[1.0, None, None], [3, None, None], [True, None, None]], ids=str)
    def test_missing_numbers_are_refused_by_column_and_row(self, library, values):
        with pytest.raises(DataError, match="the column 'b' of x has missing values, first in row 1") as caught:
            as_array(library({"a": [1, 2, 3], "b": values}))
        assert "fill" in str(caught.value)

    def test_columns_are_chosen_by_name(self, library):
        frame = library({"city": ["Oslo", "Rome"], **COLUMNS})
        assert list(as_columns(frame, columns=["b", "a"])) == ["b", "a"]
        with pytest.raises(DataError, match="x has no column 'c'"):
            as_columns(frame, columns=["a", "c"])

    def test_an_empty_frame_is_refused(self, library):
        with pytest.raises(DataError, match="without columns"):
            as_array(library({}))

    def test_training_takes_columns(self, library):
        frame = library({"a": [0.0, 1.0], "b": [1.0, 0.0], "y": [0.0, 1.0]})
        x, y = as_array(frame[["a", "b"]] if library is not _arrow else frame.select(["a", "b"])), as_array(frame["y"])
        assert x.shape == (2, 2)
        assert y.shape == (2,)


def test_pandas_columns_of_other_kinds():
    pandas = pytest.importorskip("pandas")
    assert as_array(pandas.Series([1, 2], dtype="Int64")).dtype == np.int64
    assert as_array(pandas.Series([1, 2], dtype="category")).tolist() == [1, 2]
    assert as_array(pandas.Index([3, 4])).tolist() == [3, 4]
    assert as_array(pandas.DataFrame([[1, 2.0]])).tolist() == [[1.0, 2.0]]
    with pytest.raises(DataError, match="holds dates"):
        as_array(pandas.DataFrame({"day": pandas.to_datetime(["2020-01-01"])}))
    with pytest.raises(DataError, match="y has missing values"):
        as_array(pandas.Series([True, None]), "y")
    with pytest.raises(DataError, match="two columns 'a'"):
        as_array(pandas.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_lazy_frame_must_be_collected():
    with pytest.raises(ArgumentTypeError, match="no values yet"):
        as_array(pytest.importorskip("polars").DataFrame(COLUMNS).lazy())


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    assert as_array(torch.ones(2, requires_grad=True)).tolist() == [1, 1]
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert as_array(torch.tensor([1j]).conj()).tolist() == [-1j]
    assert as_array(torch.ones((2, 3)).T).shape == (3, 2)


def test_what_lamina_and_numpy_have():
    given = np.ones(2)
    assert as_array(given) is given
    assert as_array(lamina.ones((2,))).tolist() == [1, 1]
    assert as_array(lamina.Variable([1.0])).tolist() == [1.0]
    assert as_array([1, 2]).dtype == np.int32
    assert as_array([[1.0]]).dtype == np.float32
    assert as_array(2.0).shape == ()


def test_a_tensor_elsewhere_is_fetched():
    class Far:
        dtype = "float32"

        def __dlpack__(self):
            raise BufferError

        def __dlpack_device__(self):
            return 2, 0

        def get(self):
            return np.array([1.0, 2.0])

    assert as_array(Far()).tolist() == [1.0, 2.0]


def test_what_is_no_array_is_refused():
    with pytest.raises(ArgumentTypeError, match="not a tensor"):
        as_array(object())
    with pytest.raises(ShapeError, match="unequal"):
        as_array([[1], [2, 3]])
    with pytest.raises(ArgumentTypeError, match="frame with named columns"):
        as_columns([1])


def test_no_library_of_frames_is_imported():
    program = "import sys, lamina.data; sys.exit(any(m in sys.modules for m in ('pandas', 'polars', 'pyarrow')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
