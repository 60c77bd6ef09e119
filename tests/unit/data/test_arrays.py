"""Data in memory: what is taken, in which form it comes out, how it is cut."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.data import ArrayData, class_weights
from lamina.errors import ArgumentError, DataError, DTypeError

X = np.arange(14, dtype=np.float32).reshape(7, 2)
Y = np.arange(7)
BACKEND = lamina.get_backend()


def batches(data, size):
    return [(b.x.numpy(), None if b.y is None else b.y.numpy()) for b in data.batches(size, BACKEND)]


def test_batches_in_order_the_last_one_smaller():
    found = batches(ArrayData(X, Y), 3)
    assert [len(x) for x, _ in found] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in found]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y in found]), Y)
    assert ArrayData(X).steps(3) == 3
    assert ArrayData(X).steps(7) == 1


def test_in_a_given_order():
    order = np.array([6, 0, 3, 1, 2, 5, 4])
    data = ArrayData(X, Y)
    found = [data.batch(arrays, BACKEND) for arrays in data.slices(4, order)]
    np.testing.assert_array_equal(np.concatenate([b.x.numpy() for b in found]), X[order])
    np.testing.assert_array_equal(np.concatenate([b.y.numpy() for b in found]), order)


def test_structures_are_kept():
    data = ArrayData({"a": X, "b": [X, Y]}, [Y, X], {"w": Y})
    (batch,) = data.batches(7, BACKEND)
    assert list(batch.x) == ["a", "b"]
    np.testing.assert_array_equal(batch.x["b"][1].numpy(), Y)
    np.testing.assert_array_equal(batch.y[1].numpy(), X)
    assert list(batch.sample_weight) == ["w"]


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (X, "float32"),
        (X.astype(np.float64), "float32"),
        (X.astype(np.float16), "float32"),
        (X.astype(np.int64), "int64"),
        (X.astype(np.uint8), "uint8"),
        (X > 3, "bool"),
        (X.tolist(), "float32"),
        (Y.tolist(), "int32"),
        (tuple(Y.tolist()), "int32"),
        (lamina.tensor(X), "float32"),
        (range(7), "int32"),
    ],
    ids=["float32", "float64", "float16", "int64", "uint8", "bool", "nested list", "list", "tuple", "tensor", "range"],
)
def test_what_is_taken(given, dtype):
    data = ArrayData(given)
    assert data.count == 7
    (batch,) = data.batches(7, BACKEND)
    assert batch.x.dtype == dtype


def test_another_floating_dtype():
    assert ArrayData(X, dtype="float64").x.dtype == np.float64


def test_views_and_other_orders():
    for x in (X[::-1], X.T.copy().T, X[:, ::-1]):
        np.testing.assert_array_equal(np.concatenate([b for b, _ in batches(ArrayData(x), 2)]), x)


class TestSplit:
    @pytest.mark.parametrize(("fraction", "sizes"), [(0.2, (5, 2)), (0.5, (3, 4)), (0.85, (1, 6)), (0.1, (6, 1))])
    def test_the_last_part(self, fraction, sizes):
        first, last = ArrayData(X, Y, Y).split(fraction)
        assert (first.count, last.count) == sizes
        np.testing.assert_array_equal(np.concatenate([first.y, last.y]), Y)
        np.testing.assert_array_equal(last.sample_weight, Y[-sizes[1] :])

    @pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan"), 1, True, "0.2"])
    def test_out_of_range(self, fraction):
        with pytest.raises(ArgumentError, match="validation_split"):
            ArrayData(X, Y).split(fraction)

    def test_nothing_left(self):
        with pytest.raises(ArgumentError, match="at least one example"):
            ArrayData(X[:1]).split(0.5)


def test_form_tells_structures_shapes_and_dtypes_apart():
    forms = [
        ArrayData(x, y).form()
        for x, y in (
            (X, Y),
            (X, None),
            ([X], Y),
            ({"a": X}, Y),
            ({"b": X}, Y),
            (X[:, :1], Y),
            (Y, X),
            (X, Y.astype(np.int32)),
        )
    ]
    assert len(set(forms)) == len(forms)
    assert ArrayData(X[:3], Y[:3]).form() == ArrayData(X, Y).form()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((None,), DataError),
        (([X, None],), DataError),
        (([],), DataError),
        (({},), DataError),
        ((3.0,), DataError),
        ((X[:0],), DataError),
        ((X, Y[:6]), DataError),
        ((X, Y, Y[:6]), DataError),
        (([X, X[:6]],), DataError),
        ((X, np.array([np.nan] * 7)), DataError),
        ((X, ["a"] * 7), DataError),
        ((np.array(["a"] * 7),), DataError),
        ((np.array([object()] * 7),), DataError),
        ((X.astype(np.uint16),), DTypeError),
        ((np.array(["2020-01-01"] * 7, "datetime64[D]"),), DTypeError),
    ],
)
def test_refused(arguments, error):
    with pytest.raises(error):
        ArrayData(*arguments)


class TestClassWeights:
    def test_by_number(self):
        assert class_weights(np.array([0, 2, 2]), {0: 1.0, 2: 0.5}).tolist() == [1.0, 0.5, 0.5]
        assert class_weights(np.array([[0], [1]]), {0: 1.0, 1: 3.0}).tolist() == [1.0, 3.0]
        assert class_weights(np.array([0.0, 1.0]), {0: 1.0, 1: 3.0}).tolist() == [1.0, 3.0]

    def test_by_one_hot_row(self):
        assert class_weights(np.eye(3)[[2, 0]], {0: 1.0, 1: 2.0, 2: 3.0}).tolist() == [3.0, 1.0]

    def test_a_class_without_one(self):
        with pytest.raises(DataError, match="the class 2"):
            class_weights(np.array([0, 2]), {0: 1.0})

    def test_several_targets(self):
        with pytest.raises(DataError, match="one array"):
            class_weights(np.zeros((2, 3, 4)), {0: 1.0})


def test_what_comes_out_of_a_model_is_the_callers_own():
    x = lamina.Input(shape=(2,))
    given = X.copy()
    found = lamina.Model(x, x).predict(given)
    found[:] = 99.0
    np.testing.assert_array_equal(given, X)


def test_training_does_not_change_the_data():
    model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    model.compile(optimizer="sgd", loss="mse")
    x, y = X.copy(), Y.astype(np.float32)
    model.fit(x, y, epochs=3, batch_size=3, verbose=0)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
