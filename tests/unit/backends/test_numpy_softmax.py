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
