"""What the table of cases does not say of linear algebra: conjugates, extreme sizes, orthonormality."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina.errors import ArgumentError


def test_a_conjugate_transpose_conjugates():
    x = lamina.tensor([[1 + 2j, 3 - 1j]])
    assert lamina.transpose(x, conjugate=True).tolist() == [[1 - 2j], [3 + 1j]]
    assert lamina.transpose(lamina.tensor([[1.0, 2.0]]), conjugate=True).tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e38, 1e-38])
def test_a_length_neither_overflows_nor_vanishes(size):
    x = lamina.tensor([3 * size / 4, -size])
    np.testing.assert_allclose(lamina.norm(x).item(), 1.25 * size, rtol=1e-6)
    np.testing.assert_allclose(lamina.grad(lamina.norm)(x).numpy(), [0.6, -0.8], rtol=1e-6)


def test_the_gradient_of_a_length_of_0_is_0():
    assert lamina.grad(lamina.norm)(lamina.tensor([0.0, 0.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("full", [False, True])
def test_factors_are_orthonormal_and_give_the_matrix_back(full):
    x = np.random.default_rng(0).standard_normal((2, 6, 4)).astype(np.float32)
    q, r = lamina.linalg.qr(x, full_matrices=full)
    columns = np.swapaxes(q.numpy(), -1, -2) @ q.numpy()
    np.testing.assert_allclose(columns, np.broadcast_to(np.eye(q.shape[-1]), columns.shape), atol=1e-5)
    np.testing.assert_allclose((q @ r).numpy(), x, atol=1e-5)
    assert not np.tril(r.numpy(), -1).any()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("singular", [np.zeros((2, 2)), [np.eye(2), np.ones((2, 2))]], ids=["one", "of several"])
def test_a_singular_matrix_is_refused_eagerly_and_in_a_recorded_step(backend, singular):
    with scope(backend):
        a, b = lamina.tensor(np.array(singular, np.float32)), lamina.tensor(np.ones((2, 1), np.float32))
        step = lamina.function(lambda a, b: lamina.linalg.solve(a, b) * 2.0)
        regular = a * 0.0 + lamina.eye(2)
        for _ in range(3):
            np.testing.assert_allclose(step(regular, b).numpy(), np.broadcast_to(2.0, (*a.shape[:-1], 1)))
        for solve in (lamina.linalg.solve, step):
            with pytest.raises(ArgumentError, match=r"a matrix in a is singular[^$]+Expected matrices of full rank"):
                solve(a, b)
        np.testing.assert_allclose(step(regular, b).numpy(), np.broadcast_to(2.0, (*a.shape[:-1], 1)))
