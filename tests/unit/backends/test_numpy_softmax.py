"""NumPy's softmax on arrays of several blocks."""

from __future__ import annotations

import numpy as np
import pytest

import lamina

X = np.random.default_rng(0).normal(size=(5, 70, 300)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_large_arrays_are_exact_to_the_last_place(axis: int, order: tuple[int, ...]) -> None:
    x = X.transpose(order)
    exponentials = np.exp(x.astype(np.float64))
    expected = exponentials / exponentials.sum(axis, keepdims=True)
    tensor = lamina.transpose(lamina.tensor(X), order)
    np.testing.assert_array_max_ulp(lamina.softmax(tensor, axis).numpy(), expected.astype(np.float32), 1)
    np.testing.assert_allclose(lamina.log_softmax(tensor, axis).numpy(), np.log(expected), rtol=1e-6)


def test_one_row_longer_than_a_block() -> None:
    x = np.random.default_rng(0).normal(size=(2, 50_000)).astype(np.float32)
    assert lamina.softmax(x).numpy().sum(1) == pytest.approx(1.0, rel=1e-5)


INFINITE = np.array(
    [[np.inf, 1, -2], [1, 2, 3], [np.inf, 0, np.inf], [np.nan, np.inf, 1], [-np.inf, 0, 1], [-np.inf, np.inf, 0]]
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1], ids=["columns", "rows"])
@pytest.mark.parametrize("repeats", [1, 20], ids=["few classes", "many"])
def test_the_logarithm_of_an_infinite_share_is_the_same_in_a_recorded_step(dtype, axis, repeats) -> None:
    """Of 1 where the element is infinite itself, of 0 beside it, and NaN where there is one in the row."""
    x = np.tile(INFINITE.astype(dtype), (1, repeats))
    x = np.ascontiguousarray(x if axis else x.T)
    expected = lamina.log_softmax(lamina.tensor(x), axis).numpy()
    assert (np.isneginf(expected)).any()
    step = lamina.function(lambda x: lamina.log_softmax(x * 1.0, axis))
    for _ in range(4):
        np.testing.assert_allclose(step(lamina.tensor(x)).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 4, 64), (1100, 64), (3, 50), (2, 3, 1), (2, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_of_rows_in_a_recorded_step_is_that_of_the_eager_kernel(shape: tuple[int, ...], dtype: str) -> None:
    x = np.random.default_rng(0).normal(scale=9, size=shape).astype(dtype)
    step = lamina.function(lambda x: lamina.softmax(x * 1.0))
    for scale in (1.0, 1.0, 1.0, 40.0):
        found = step(lamina.tensor(x * x.dtype.type(scale))).numpy()
        expected = lamina.softmax(lamina.tensor(x * x.dtype.type(scale))).numpy()
        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-30)


@pytest.mark.parametrize("classes", [48, 50])
def test_an_infinite_or_missing_number_stays_in_its_row_of_a_recorded_softmax(classes: int) -> None:
    x = np.zeros((5, classes), np.float32)
    x[1, 7], x[2, 3], x[3, :] = np.inf, np.nan, -np.inf
    x[4, 1:] = -np.inf
    step = lamina.function(lambda x: lamina.softmax(x * 1.0))
    for rows in (slice(None), slice(2, None), slice(None), slice(2, None), slice(None), slice(2, None)):
        found = step(lamina.tensor(x[rows])).numpy()[-5:]
        np.testing.assert_array_equal(np.isnan(found).all(1)[-3:], [True, True, False])
        assert found[-1, 0] == 1.0
        assert found[-1, 1:].sum() == 0.0
        if len(found) == 5:
            assert found[1, 7] == 1.0
            np.testing.assert_allclose(found[0], 1 / classes, rtol=1e-6)
