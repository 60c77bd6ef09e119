"""A model trains on JAX as it does on NumPy, with its step compiled as a whole."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers


def trained(backend: str) -> list[float]:
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 8, 8, 1)).astype("float32")
    y = random.integers(0, 3, 64)
    lamina.random.set_seed(1)
    with lamina.backend_scope(backend):
        model = lamina.Sequential(
            [
                layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dropout(0.2),
                layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        losses: list[float] = model.fit(x, y, epochs=4, batch_size=16, verbose=0).history["loss"]
    return losses


def test_the_same_losses_as_on_numpy() -> None:
    found = trained("jax")
    assert found[-1] < found[0]
    np.testing.assert_allclose(found, trained("numpy"), rtol=1e-5)


def test_a_tensor_that_does_not_fit_is_an_error_of_lamina() -> None:
    with lamina.backend_scope("jax"), pytest.raises(lamina.errors.OutOfMemoryError, match="of the backend 'jax'"):
        lamina.zeros((2**46,))
