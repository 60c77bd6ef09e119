"""Models with a call, a step or a loss of their own: they train, save their weights and load them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import lamina
from lamina import autodiff, callbacks, layers, losses, metrics, ops, optimizers
from lamina.errors import DataError, ModelFileError, NotBuiltError, SerializationError

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype(np.float32)


class Own(lamina.Model):
    """Two layers, joined by a call."""

    def __init__(self, **common):
        super().__init__(**common)
        self.hidden = layers.Dense(4, activation="tanh")
        self.head = layers.Dense(1)

    def call(self, x, training=False):
        return self.head(self.hidden(x))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


class TestWeights:
    def test_saved_and_loaded(self, tmp_path):
        model = Own()
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=2, verbose=0)
        model.save_weights(tmp_path / "w")
        other = Own()
        other(X)
        other.load_weights(tmp_path / "w")
        assert same(model, other)
        np.testing.assert_array_equal(model.predict(X), other.predict(X))

    def test_checkpoints(self, tmp_path):
        model = Own()
        model.compile("adam", "mse")
        model.fit(
            X, Y, callbacks=callbacks.ModelCheckpoint(tmp_path / "w", save_weights_only=True), epochs=2, verbose=0
        )
        other = Own()
        other(X)
        other.load_weights(tmp_path / "w")
        assert same(model, other)

    def test_of_a_graph_that_was_made_later(self, tmp_path):
        def make():
            return lamina.Sequential([layers.Dense(2, input_shape=(3,)), layers.BatchNormalization(), layers.Dense(1)])

        one, other = make(), make()
        one.save_weights(tmp_path / "w")
        other.load_weights(tmp_path / "w")
        assert same(one, other)

    def test_of_other_shapes(self, tmp_path):
        model = lamina.Sequential([layers.Dense(2, input_shape=(3,))])
        model.save_weights(tmp_path / "w")
        with pytest.raises(ModelFileError):
            lamina.Sequential([layers.Dense(3, input_shape=(3,))]).load_weights(tmp_path / "w")

    def test_before_there_are_any(self, tmp_path):
        with pytest.raises(NotBuiltError, match="has no weights yet"):
            Own().save_weights(tmp_path / "w")
        model = Own()
        model(X)
        model.save_weights(tmp_path / "w")
        with pytest.raises(NotBuiltError, match="has no weights yet"):
            Own().load_weights(tmp_path / "w")

    def test_resumed(self, tmp_path):
        def fit(epochs):
            lamina.random.set_seed(3)
            model = Own()
            model.compile("adam", "mse")
            told = callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
            model.fit(X, Y, batch_size=5, epochs=epochs, callbacks=told, verbose=0)
            return model

        fit(2)
        resumed = fit(4)
        lamina.random.set_seed(3)
        whole = Own()
        whole.compile("adam", "mse")
        whole.fit(X, Y, batch_size=5, epochs=4, verbose=0)
        assert same(resumed, whole)


class TestLosses:
    def test_add_loss_only(self):
        class Penalty(layers.Layer):
            def call(self, x):
                self.add_loss(ops.mean(ops.square(x)) * 0.5)
                return x

        model = lamina.Sequential([layers.Dense(2, input_shape=(3,), kernel_regularizer="l2"), Penalty()])
        model.compile(optimizers.SGD(0.1))
        kernel = model.get_weights()[0]
        expected = 0.5 * np.mean(np.square(X @ kernel)) + 0.01 * np.square(kernel).sum()
        assert model.evaluate(X, batch_size=24) == pytest.approx(expected, rel=1e-5)
        history = model.fit(X, epochs=5, verbose=0).history["loss"]
        assert history[-1] < history[0]

    def test_add_loss_beside_a_loss(self):
        class Model(Own):
            def call(self, x, training=False):
                y = super().call(x)
                self.add_loss(ops.mean(y) * 0.0 + 3.0)
                return y

        model = Model()
        model.compile("sgd", "mse", metrics=["mse"])
        loss, mse = model.evaluate(X, Y)
        assert loss == pytest.approx(mse + 3.0, rel=1e-5)

    def test_none_at_all(self):
        model = lamina.Sequential([layers.Dense(2, input_shape=(3,))])
        model.compile("sgd")
        for call in (model.fit, model.evaluate, model.train_on_batch):
            with pytest.raises(NotBuiltError, match="has no loss"):
                call(X, Y)

    def test_a_compute_loss_of_ones_own(self):
        class Model(Own):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                return ops.mean(ops.abs(y_pred - y)) + (1.0 if training else 0.0)

        model = Model()
        model.compile(optimizers.SGD(0.05))
        history = model.fit(X, Y, epochs=5, validation_data=(X, Y), verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        assert history["val_loss"][-1] == pytest.approx(np.mean(np.abs(model.predict(X) - Y)), rel=1e-5)
        assert history["loss"][-1] > history["val_loss"][-1] + 0.5

    def test_loss_scale(self):
        plain, scaled = Own(), Own()
        plain(X), scaled(X)
        scaled.set_weights(plain.get_weights())
        plain.compile(optimizers.SGD(0.1), "mse")
        scaled.compile(optimizers.SGD(0.1, loss_scale_factor=8.0), "mse")
        histories = [model.fit(X, Y, epochs=3, seed=1, verbose=0).history["loss"] for model in (plain, scaled)]
        np.testing.assert_allclose(*histories, rtol=1e-5)


class TestSteps:
    def test_a_step_written_out(self):
        class Model(Own):
            def train_step(self, data):
                x, y = data
                loss, gradients = autodiff.variable_grads(
                    lambda: self.compute_loss(y=y, y_pred=self(x, training=True)), self.trainable_weights
                )
                self.optimizer.apply_gradients(gradients)
                for metric in self.metrics:
                    if metric.name == "loss":
                        metric.update_state(loss)
                    else:
                        metric.update_state(y, self(x))
                return {m.name: m.result() for m in self.metrics}

        model = Model()
        model.compile("adam", "mse", metrics=["mae"])
        history = model.fit(X, Y, epochs=4, batch_size=6, verbose=0).history
        assert list(history) == ["loss", "mae"]
        assert history["loss"][-1] < history["loss"][0]

    def test_two_networks_with_optimizers_of_their_own(self):
        class Pair(lamina.Model):
            """Two networks that are trained in turn; the model itself has no call."""

            def __init__(self):
                super().__init__()
                self.maker = lamina.Sequential([layers.Dense(3, input_shape=(2,))])
                self.judge = lamina.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
                self.tracker = metrics.Mean(name="judge_loss")

            def compile(self, maker_optimizer, judge_optimizer):
                super().compile()
                self.maker_optimizer, self.judge_optimizer = maker_optimizer, judge_optimizer
                self.bce = losses.BinaryCrossentropy(from_logits=True)

            def train_step(self, data):
                noise = ops.random.normal((6, 2))
                for network, optimizer, label in (
                    (self.judge, self.judge_optimizer, 0.0),
                    (self.maker, self.maker_optimizer, 1.0),
                ):
                    cost = optimizer.minimize(
                        lambda label=label: self.bce(ops.ones((6, 1)) * label, self.judge(self.maker(noise))),
                        True, network.trainable_weights,
                    )  # fmt: skip
                self.tracker.update_state(cost)
                return {"judge_loss": self.tracker.result(), "cost": cost}

        def fit(**settings):
            lamina.random.set_seed(4)
            model = Pair()
            model.compile(optimizers.Adam(0.01), optimizers.Adam(0.02))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                history = model.fit(X, batch_size=6, verbose=0, **settings).history
            return model, history

        model, history = fit(epochs=3)
        assert list(history) == ["judge_loss", "cost"]
        assert model._steps["train"].programs  # it is replayed
        assert len(model._optimizers()) == 3
        assert {id(v) for v in model.maker_optimizer.variables} <= {id(v) for v in model.state_variables()}
        assert same(model, fit(epochs=3)[0])

    def test_names_that_scripts_of_keras_use(self):
        class Model(Own):
            def __init__(self):
                super().__init__()
                self.tracker = metrics.Mean(name="loss")

            @property
            def metrics(self):
                return [self.tracker]

            def compile(self, optimizer, loss):
                super().compile(optimizer)
                self.loss = losses.get(loss)

            def train_step(self, data):
                cost = self.optimizer.minimize(
                    lambda: self.loss(data.y, self(data.x, training=True)), True, self.trainable_weights
                )
                self.tracker.update_state(cost)
                return {m.name: m.result() for m in self.metrics}

        model = Model()
        model.compile("adam", "mse")
        history = model.fit(X, Y, batch_size=6, epochs=3, verbose=0).history
        assert list(history) == ["loss"]
        assert history["loss"][-1] < history["loss"][0]

    def test_a_step_that_knows_its_batch_size(self):
        class Model(Own):
            def train_step(self, data):
                super().train_step(data)
                return {"sum": ops.sum(ops.ones((8, 1)) * data.y)}

        model = Model()
        model.compile("sgd", "mse")
        history = model.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history
        assert history["sum"] == [pytest.approx(Y[16:].sum(), rel=1e-4)]
        assert int(model.optimizer.iterations.numpy()) == 3

    def test_metrics_kept_in_attributes(self):
        class Counting(layers.Layer):
            def __init__(self, **common):
                super().__init__(**common)
                self.size = metrics.Mean(name="size")

            def call(self, x):
                self.size.update_state(ops.mean(ops.abs(x)))
                return x

        model = lamina.Sequential([Counting(input_shape=(3,)), layers.Dense(1)])
        model.compile("sgd", "mse", metrics=[metrics.MeanAbsoluteError(name="mae")])
        logs = model.evaluate(X, Y, batch_size=24, return_dict=True)
        assert list(logs) == ["loss", "size", "mae"]
        assert logs["size"] == pytest.approx(np.abs(X).mean(), rel=1e-5)
        assert [m.name for m in model.metrics] == ["loss", "size", "mae"]
        assert len(model.weights) == 2
        assert model.evaluate(X, Y, batch_size=24, return_dict=True) == logs

    def test_compute_metrics_of_ones_own(self):
        class Model(Own):
            def compute_metrics(self, x, y, y_pred, sample_weight=None):
                found = super().compute_metrics(x, y, y_pred, sample_weight)
                return {**self.get_metrics_result(), "largest": ops.max(y_pred), **found}

        model = Model()
        model.compile("sgd", "mse", metrics=["mae"])
        logs = model.evaluate(X, Y, batch_size=24, return_dict=True)
        assert list(logs) == ["loss", "mae", "largest"]
        assert logs["largest"] == pytest.approx(model.predict(X).max())

    def test_a_test_step_and_a_predict_step(self):
        class Model(Own):
            def test_step(self, data):
                return {"own": ops.mean(data.x)}

            def predict_step(self, x):
                return {"twice": self(x) * 2.0}

        model = Model()
        model.compile("sgd", "mse")
        assert model.evaluate(X, Y, batch_size=24) == pytest.approx(X.mean(), rel=1e-5)
        np.testing.assert_allclose(model.predict(X, batch_size=7)["twice"], np.asarray(model(X)) * 2.0, rtol=1e-5)

    def test_targets_are_missed(self):
        model = Own()
        model.compile("sgd", "mse")
        with pytest.raises(DataError, match="y is None"):
            model.fit(X, verbose=0)


def test_frozen_normalization_runs_as_in_inference():
    model = lamina.Sequential([layers.BatchNormalization(input_shape=(3,)), layers.Dense(1)])
    model.compile(optimizers.SGD(0.0), "mse")
    model.layers[0].trainable = False
    before = model.get_weights()
    expected = model.evaluate(X, Y)
    assert model.fit(X, Y, shuffle=False, verbose=0).history["loss"] == [pytest.approx(expected, rel=1e-6)]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Kept(layers.Layer):
    """A layer whose config cannot be read off its arguments."""

    def __init__(self, size):
        super().__init__()
        self.inner = layers.Dense(size)

    def call(self, x):
        return self.inner(x)


def test_weights_of_layers_without_a_config(tmp_path):
    def make():
        x = lamina.Input((3,))
        return lamina.Model(x, Kept(2)(x))

    first, second = make(), make()
    with pytest.raises(SerializationError, match="size"):
        first.save(tmp_path / "whole")
    first.save_weights(tmp_path / "w")
    second.load_weights(tmp_path / "w")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("given", [("x",), ("x", "y"), ("x", "y", "sample_weight")])
def test_a_step_unpacks_what_was_given(given):
    seen = []

    class Watches(lamina.Model):
        def train_step(self, data):
            seen.append((len(tuple(data)), data._replace(y=1).y, data.sample_weight is None))
            return {"first": lamina.ops.sum(data.x)}

    x = lamina.Input((2,))
    model = Watches(x, lamina.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    arrays = {"x": np.ones((4, 2)), "y": np.ones((4, 1)), "sample_weight": np.ones(4)}
    model.fit(**{key: arrays[key] for key in given}, verbose=0)
    assert set(seen) == {(len(given), 1, len(given) < 3)}
