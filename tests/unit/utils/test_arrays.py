"""One-hot rows and vectors of length 1."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, OutOfRangeError
from lamina.utils import normalize, to_categorical


class TestToCategorical:
    def test_rows(self):
        np.testing.assert_array_equal(to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
        assert to_categorical([0]).dtype == np.float64
        assert to_categorical(np.array([1.0, 0.0])).tolist() == [[0, 1], [1, 0]]
        assert to_categorical([False, True]).tolist() == [[1, 0], [0, 1]]

    def test_shapes(self):
        assert to_categorical(np.zeros((4, 1), int), 3).shape == (4, 3)
        assert to_categorical(np.zeros((4, 2), int), 3).shape == (4, 2, 3)
        assert to_categorical(1, 3).tolist() == [0, 1, 0]
        assert to_categorical([], 3).shape == (0, 3)

    @pytest.mark.parametrize("backend", ["numpy", "torch"])
    def test_tensors(self, backend):
        with scope(backend):
            found = to_categorical(lamina.tensor([1, 0]), 3)
        assert isinstance(found, lamina.Tensor)
        assert found.tolist() == [[0, 1, 0], [1, 0, 0]]

    @pytest.mark.parametrize("wrong", [[-1, 0], [0.5], ["a"], [1j], [float("nan")]])
    def test_what_is_no_class_number(self, wrong):
        with pytest.raises(DataError):
            to_categorical(wrong)

    def test_classes_beyond(self):
        with pytest.raises(DataError, match="class number 5"):
            to_categorical([0, 5], 3)
        with pytest.raises(DataError, match="empty"):
            to_categorical([])
        with pytest.raises(ArgumentError):
            to_categorical([0], 0)


class TestNormalize:
    def test_lengths(self):
        x = np.array([[3.0, 4.0], [0.0, 0.0]])
        assert normalize(x).tolist() == [[0.6, 0.8], [0, 0]]
        assert normalize(x, axis=0).tolist() == [[1, 1], [0, 0]]
        assert normalize(x, order=1)[0].tolist() == pytest.approx([3 / 7, 4 / 7])
        assert normalize(x, order=np.inf)[0].tolist() == [0.75, 1]
        assert normalize([3, 4]).tolist() == pytest.approx([0.6, 0.8])

    def test_tensors(self):
        found = normalize(lamina.tensor([[3.0, 4.0], [0.0, 0.0]]))
        assert isinstance(found, lamina.Tensor)
        np.testing.assert_allclose(found.numpy(), [[0.6, 0.8], [0, 0]], rtol=1e-6)

    def test_what_is_refused(self):
        with pytest.raises(ArgumentTypeError):
            normalize([1.0], order="fro")
        with pytest.raises(OutOfRangeError):
            normalize([1.0], axis=1)
