"""Training that is recorded and replayed: equal on all levels, falls back where it must, moves between backends."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import lamina
from lamina import Sequential, layers, ops, optimizers
from lamina.errors import HostReadError

GENERATOR = np.random.default_rng(6)
IMAGES = GENERATOR.normal(size=(22, 6, 6, 1)).astype(np.float32)
CLASSES = GENERATOR.integers(0, 3, 22).astype(np.int32)
WORDS = GENERATOR.integers(0, 7, (22, 4)).astype(np.int32)
NUMBERS = GENERATOR.normal(size=(22, 3)).astype(np.float32)


def convolutional():
    stack = [
        # No bias: before a normalization its gradient is 0, and Adam would take whole steps by the rounding of that.
        layers.Conv2D(4, 3, input_shape=(6, 6, 1), padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.3, seed=1),
        layers.Dense(3, activation="softmax"),
    ]
    return Sequential(stack), IMAGES, CLASSES, "sparse_categorical_crossentropy"


def recurrent():
    stack = [
        layers.Embedding(7, 4, mask_zero=True, input_length=4),
        layers.LSTM(5, dropout=0.2, seed=2),
        layers.Dense(1),
    ]
    return Sequential(stack), WORDS, NUMBERS[:, :1], "mse"


def branching():
    x = lamina.Input(shape=(3,), name="x")
    shared = layers.Dense(3, activation="tanh", name="shared", kernel_regularizer="l2")
    joined = layers.Concatenate()([shared(x), layers.Add()([x, shared(shared(x))])])
    model = lamina.Model(x, layers.Dense(1, kernel_constraint="max_norm")(joined))
    return model, NUMBERS, NUMBERS[:, :1], "mse"


MODELS = {"convolutional": convolutional, "recurrent": recurrent, "branching": branching}


def trained(name, *, level=None, run_eagerly=False, optimizer="adam", monkeypatch=None):
    """The state after training: weights, optimizer state, history."""
    lamina.random.set_seed(9)
    model, x, y, loss = MODELS[name]()
    model.compile(optimizer=optimizer, loss=loss, run_eagerly=run_eagerly)
    if level is not None:
        monkeypatch.setenv("LAMINA_REPLAY", level)
    history = model.fit(x, y, batch_size=5, epochs=4, seed=1, verbose=0).history
    return [*model.get_weights(), *model.optimizer.get_weights()], history["loss"], model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
class TestLevels:
    def test_levels_give_the_same_up_to_rounding(self, name, optimizer, monkeypatch):
        state, losses, _ = trained(name, optimizer=optimizer)
        for level in ("off", "interpret", "nopasses"):
            found, found_losses, _ = trained(name, level=level, optimizer=optimizer, monkeypatch=monkeypatch)
            for a, b in zip(found, state, strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5, err_msg=level)
            np.testing.assert_allclose(found_losses, losses, rtol=1e-4)

    def test_on_is_what_is_used_unless_told_otherwise(self, name, optimizer, monkeypatch):
        (state, losses, _), (same, same_losses, _) = (
            trained(name, level=level, optimizer=optimizer, monkeypatch=monkeypatch) for level in (None, "on")
        )
        for a, b in zip(same, state, strict=True):
            np.testing.assert_array_equal(a, b)
        assert same_losses == losses

    def test_the_same_level_twice_gives_the_same_bits(self, name, optimizer):
        (one, _, _), (other, _, _) = trained(name, optimizer=optimizer), trained(name, optimizer=optimizer)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_eager_is_the_same_up_to_rounding(self, name, optimizer):
        state, losses, _ = trained(name, optimizer=optimizer)
        found, found_losses, _ = trained(name, optimizer=optimizer, run_eagerly=True)
        for a, b in zip(found, state, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)
        np.testing.assert_allclose(found_losses, losses, rtol=1e-4)


def test_fit_replays():
    """After the recordings no op runs eagerly."""
    model, x, y, loss = branching()
    model.compile(optimizer="adam", loss=loss)
    model.fit(x[:20], y[:20], batch_size=5, epochs=1, verbose=0, shuffle=False)
    calls = []
    kernels = model.weights[0].backend.kernels.functions
    original = dict(kernels)

    def counted(name, kernel):
        def run(*args, **kwargs):
            calls.append(name)
            return kernel(*args, **kwargs)

        return run

    try:
        kernels.update({name: counted(name, kernel) for name, kernel in original.items()})
        model.fit(x[:20], y[:20], batch_size=5, epochs=2, verbose=0, shuffle=False)
    finally:
        kernels.update(original)
    assert "matmul" not in calls


class ReadsTheHost(layers.Layer):
    """Scales by a number that it reads."""

    def call(self, x):
        return x * float(ops.mean(ops.abs(x)).item())

    def compute_output_shape(self, input_shape):
        return input_shape


class TestFallback:
    def make(self):
        model = Sequential([layers.Dense(3, input_shape=(3,), name="d"), ReadsTheHost(name="reads"), layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        return model

    def test_one_warning_that_says_why(self):
        model = self.make()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(NUMBERS, NUMBERS[:, :1], batch_size=22, epochs=6, verbose=0).history
        assert len(caught) == 1
        message = str(caught[0].message)
        assert "train_step" in message
        assert "runs eagerly" in message
        assert "test_replayed_training.py" in message
        assert history["loss"][-1] < history["loss"][0]

    def test_eagerly_there_is_no_warning(self):
        model = self.make()
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
        model.fit(NUMBERS, NUMBERS[:, :1], epochs=3, verbose=0)
        model.predict(NUMBERS)

    def test_the_result_is_that_of_eager(self):
        one, other = self.make(), self.make()
        other.set_weights(one.get_weights())
        other.compile(optimizer="sgd", loss="mse", run_eagerly=True)
        with pytest.warns(UserWarning, match="runs eagerly"):
            one.fit(NUMBERS, NUMBERS[:, :1], epochs=3, seed=1, verbose=0)
        other.fit(NUMBERS, NUMBERS[:, :1], epochs=3, seed=1, verbose=0)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_strictly_it_is_an_error(self):
        layer = ReadsTheHost()
        step = lamina.function(lambda x: layer(x))
        with pytest.raises(HostReadError):
            step(lamina.ones((2, 3)))

    def test_a_model_whose_own_call_reads_values(self):
        class Own(lamina.Model):
            def __init__(self, **common):
                super().__init__(**common)
                self.d = layers.Dense(1)

            def call(self, x, training=False):
                return self.d(x) * float(ops.max(x).item())

        model = Own()
        model.compile(optimizer="sgd", loss="mse")
        with pytest.warns(UserWarning, match="runs eagerly"):
            history = model.fit(NUMBERS, NUMBERS[:, :1], batch_size=22, epochs=3, verbose=0).history
        assert len(history["loss"]) == 3

    def test_a_branch_that_flips(self):
        class Alternates(layers.Layer):
            count = 0

            def call(self, x):
                if x.backend is None:
                    return x
                self.count += 1
                return x * 2.0 if self.count % 2 else x + 1.0

            def compute_output_shape(self, input_shape):
                return input_shape

        model = Sequential([Alternates(input_shape=(3,)), layers.Dense(1)])
        with pytest.warns(UserWarning, match="two recordings of it differ"):
            _ = [model.predict(NUMBERS) for _ in range(3)]


class TestAnotherBackend:
    def make(self):
        lamina.random.set_seed(3)
        model = Sequential(
            [layers.Dense(4, activation="tanh", input_shape=(3,)), layers.BatchNormalization(), layers.Dense(1)]
        )
        model.compile(optimizer=optimizers.Adam(0.01), loss="mse", metrics=["mae"])
        return model

    def test_to_torch_mid_training_and_back(self):
        pytest.importorskip("torch", reason="torch is not installed")
        stays, moves = self.make(), self.make()
        settings = {"batch_size": 5, "seed": 2, "verbose": 0}
        expected = stays.fit(NUMBERS, NUMBERS[:, :1], epochs=6, **settings).history["loss"]
        found = []
        for backend, first in (("numpy", 0), ("torch", 2), ("numpy", 4)):
            assert moves.to(backend) is moves
            assert {v.backend.name for v in moves.state_variables()} == {backend}
            history = moves.fit(NUMBERS, NUMBERS[:, :1], initial_epoch=first, epochs=first + 2, **settings)
            found += history.history["loss"]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        for a, b in zip(moves.get_weights(), stays.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(moves.predict(NUMBERS), stays.predict(NUMBERS), rtol=1e-4, atol=1e-5)

    def test_predictions_and_random_streams_on_torch(self):
        pytest.importorskip("torch", reason="torch is not installed")
        stays, moves = convolutional()[0], convolutional()[0]
        moves.set_weights(stays.get_weights())
        moves.to("torch")
        np.testing.assert_allclose(moves.predict(IMAGES), stays.predict(IMAGES), rtol=1e-4, atol=1e-5)
        for model in (stays, moves):
            model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
            model.fit(IMAGES, CLASSES, batch_size=5, epochs=2, seed=1, verbose=0)
        for a, b in zip(moves.get_weights(), stays.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)

    def test_built_on_torch(self):
        pytest.importorskip("torch", reason="torch is not installed")
        with lamina.backend_scope("torch"):
            model = self.make()
        assert {w.backend.name for w in model.weights} == {"torch"}
        history = model.fit(NUMBERS, NUMBERS[:, :1], batch_size=5, seed=2, epochs=3, verbose=0).history["loss"]
        expected = self.make().fit(NUMBERS, NUMBERS[:, :1], batch_size=5, seed=2, epochs=3, verbose=0).history["loss"]
        np.testing.assert_allclose(history, expected, rtol=1e-5)
        assert isinstance(model.predict(NUMBERS), np.ndarray)

    def test_to_an_unknown_backend_moves_nothing(self):
        model = self.make()
        before = [w.backend for w in model.weights]
        with pytest.raises(lamina.errors.BackendNotAvailableError):
            model.to("nompy")
        assert [w.backend for w in model.weights] == before
