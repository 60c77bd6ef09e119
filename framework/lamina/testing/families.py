"""A training run of each family of models on a backend, compared with the same run on NumPy, op by op.

The other run starts with the same weights and is not recorded, so that NumPy's own recorded steps are held against
something too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pytest

import lamina
from lamina import layers, models
from lamina.contract import Backend
from lamina.runtime.backends import find_backend, on_backend
from lamina.testing.base import BackendTests
from lamina.testing.inputs import Array

EPOCHS: Final = 3
MOVED: Final = 7
"""Epochs of three batches before and after a move: more than 20 steps."""
BATCH: Final = 8
ROWS: Final = 20
"""Two whole batches and one of half the size, which is another recorded step."""


class Family(NamedTuple):
    """A small model with its data, and how it is trained."""

    model: Callable[[], models.Model]
    data: Callable[[np.random.Generator], tuple[Any, Any]]
    loss: str
    optimizer: Callable[[], Any]


class Training(NamedTuple):
    """What came of a run: the loss of each epoch, and what the model predicts after it."""

    losses: list[float]
    predictions: Array


def train(family: Family, backend: Backend, epochs: int = EPOCHS) -> Training:
    """Trains a family's model on a backend, always from the same weights."""
    with on_backend(backend):
        model, x, y = prepared(family)
        losses = model.fit(x, y, epochs=epochs, batch_size=BATCH, verbose=0).history["loss"]
        return Training(losses, outputs(model, x))


def prepared(family: Family) -> tuple[models.Model, Any, Any]:
    """A family's model on the active backend, compiled, with the weights it always starts with, and its data."""
    lamina.random.set_seed(11)
    generator = np.random.default_rng(5)
    x, y = family.data(generator)
    model = family.model()
    model.set_weights([_start(w, generator) for w in model.get_weights()])
    model.compile(family.optimizer(), family.loss)
    return model, x, y


def outputs(model: models.Model, x: Any) -> Array:
    """What a model predicts, its outputs one after the other."""
    predicted = model.predict(x, verbose=0)
    parts = predicted if isinstance(predicted, (list, tuple)) else [predicted]
    return np.concatenate([np.ravel(part) for part in parts])


def _start(weight: Array, generator: np.random.Generator) -> Array:
    """Constants stay; others are drawn by NumPy, for initializers may use a library's factorizations."""
    if weight.size == 0 or np.ptp(weight) == 0.0:
        return weight
    return np.asarray(generator.standard_normal(weight.shape) * np.std(weight), weight.dtype)


@functools.cache
def on_numpy(name: str) -> Training:
    """A family's run on NumPy without recorded steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_REPLAY", "off")
        return train(FAMILIES[name], find_backend("numpy"))


class FamilyTests(BackendTests):
    """Models of layers, trained by ``fit``."""

    area = "training runs"

    @pytest.mark.parametrize("family", ["dense", "convolutional", "sequence", "recurrent", "attention", "text",
                                        "autoencoder", "graph"])  # fmt: skip
    def test_training_agrees_with_numpy(self, backend: Backend, family: str) -> None:
        found, expected = train(FAMILIES[family], backend), on_numpy(family)
        assert found.losses[-1] < found.losses[0]
        np.testing.assert_allclose(found.losses, expected.losses, 1e-5)
        np.testing.assert_allclose(found.predictions, expected.predictions, 1e-4, 1e-4)

    def test_a_model_moves_in_the_middle_of_training(self, backend: Backend) -> None:
        """From NumPy to the backend and back, with the state of its optimizer: as if it had stayed."""
        there, here = (backend, find_backend("numpy"))
        np.testing.assert_allclose(_moving([here, there, here]), _moving([here] * 3), 1e-5)


def _moving(places: Sequence[Backend]) -> list[float]:
    """The losses of a model that trains on one backend after the other."""
    with on_backend(places[0]):
        model, x, y = prepared(FAMILIES["dense"])
    losses: list[float] = []
    for place in places:
        model.to(place.name, device=place.device)
        losses += model.fit(x, y, epochs=MOVED, batch_size=BATCH, verbose=0).history["loss"]
        assert {variable.backend for variable in model.state_variables()} == {place}
    return losses


def _classes(*shape: int, count: int = 3) -> Callable[[np.random.Generator], tuple[Array, Array]]:
    """Normal numbers, and a class for each example that follows from them."""

    def data(generator: np.random.Generator) -> tuple[Array, Array]:
        x = generator.standard_normal((ROWS, *shape)).astype(np.float32)
        score = x.reshape(ROWS, -1).mean(1)
        return x, np.digitize(score, np.quantile(score, [1 / 3, 2 / 3])[: count - 1]).astype(np.int32)

    return data


def _sentences(generator: np.random.Generator) -> tuple[Array, Array]:
    """Words by number, 0 after the last one; and whether there is a 7 among them."""
    words = generator.integers(1, 12, (ROWS, 6)).astype(np.int32)
    words[np.arange(6) >= generator.integers(2, 7, (ROWS, 1))] = 0
    return words, (words == 7).any(1).astype(np.float32)[:, None]


def _pictures(generator: np.random.Generator) -> tuple[Array, Array]:
    x = generator.uniform(0.0, 1.0, (ROWS, 6, 6, 1)).astype(np.float32)
    return x, x


def _pairs(generator: np.random.Generator) -> tuple[list[Array], list[Array]]:
    a, b = (generator.standard_normal((ROWS, 4)).astype(np.float32) for _ in range(2))
    return [a, b], [(a * b).sum(1, keepdims=True), (a - b)[:, :2]]


def _dense() -> models.Model:
    return models.Sequential([
        layers.Dense(16, activation="relu", input_shape=(6,)),
        layers.Dropout(0.25, seed=3),
        layers.BatchNormalization(),
        layers.Dense(8, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def _convolutional() -> models.Model:
    return models.Sequential([
        layers.Conv2D(4, 3, padding="same", use_bias=False, input_shape=(8, 8, 2)),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(2),
        layers.SeparableConv2D(6, 3, activation="relu"),
        layers.DepthwiseConv2D(2, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def _sequence() -> models.Model:
    return models.Sequential([
        layers.Conv1D(6, 3, padding="causal", activation="relu", input_shape=(10, 3)),
        layers.AveragePooling1D(2),
        layers.Conv1D(4, 2, dilation_rate=2, activation="elu"),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def _recurrent() -> models.Model:
    return models.Sequential([
        layers.LSTM(5, return_sequences=True, input_shape=(5, 3)),
        layers.Bidirectional(layers.GRU(4, return_sequences=True)),
        layers.SimpleRNN(4),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def _attention() -> models.Model:
    x = layers.Input((5, 6))
    attended = layers.MultiHeadAttention(2, 3)(x, x)
    joined = layers.LayerNormalization()(layers.Add()([x, attended]))
    hidden = layers.Dense(6)(layers.Dense(12, activation="gelu")(joined))
    last = layers.LayerNormalization()(layers.Add()([joined, hidden]))
    return models.Model(x, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(last)))


def _text() -> models.Model:
    return models.Sequential([
        layers.Embedding(12, 6, mask_zero=True, input_shape=(6,)),
        layers.GRU(5),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def _autoencoder() -> models.Model:
    return models.Sequential([
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", input_shape=(6, 6, 1)),
        layers.Conv2D(2, 3, padding="same", activation="tanh"),
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ])  # fmt: skip


def _graph() -> models.Model:
    left, right = layers.Input((4,)), layers.Input((4,))
    shared = layers.Dense(6, activation="selu", kernel_regularizer="l2")
    a, b = shared(left), shared(right)
    product = layers.Dense(1)(layers.Multiply()([a, b]))
    return models.Model([left, right], [product, layers.Dense(2)(layers.Concatenate()([a, b]))])


CROSS_ENTROPY: Final = "sparse_categorical_crossentropy"

FAMILIES: Final[dict[str, Family]] = {
    "dense": Family(_dense, _classes(6), CROSS_ENTROPY, lambda: lamina.optimizers.Adam(0.01)),
    "convolutional": Family(_convolutional, _classes(8, 8, 2), CROSS_ENTROPY,
                            lambda: lamina.optimizers.SGD(0.05, momentum=0.9, nesterov=True)),
    "sequence": Family(_sequence, _classes(10, 3), CROSS_ENTROPY, lambda: lamina.optimizers.RMSprop(0.005)),
    "recurrent": Family(_recurrent, _classes(5, 3), CROSS_ENTROPY, lambda: lamina.optimizers.Adamax(0.01)),
    "attention": Family(_attention, _classes(5, 6), CROSS_ENTROPY,
                        lambda: lamina.optimizers.AdamW(0.01, global_clipnorm=1.0)),
    "text": Family(_text, _sentences, "binary_crossentropy", lambda: lamina.optimizers.Adagrad(0.1)),
    "autoencoder": Family(_autoencoder, _pictures, "mean_squared_error", lambda: lamina.optimizers.SGD(0.5)),
    "graph": Family(_graph, _pairs, "mean_absolute_error", lambda: lamina.optimizers.SGD(0.05, momentum=0.5)),
}  # fmt: skip
"""Dense, convolutional, recurrent and attention networks, texts, autoencoders, several inputs and outputs."""
