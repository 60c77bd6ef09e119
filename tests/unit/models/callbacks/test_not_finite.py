"""TerminateOnNaN: the bad step is not applied, and it is said where the first number came from."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Sequential, callbacks, layers, ops, optimizers

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = X[:, :1] * 2.0


class Log(layers.Layer):
    def call(self, x):
        return ops.log(x)


class Root(layers.Layer):
    """The square root of the square: finite, with a gradient that is not at 0."""

    def call(self, x):
        return ops.sqrt(ops.square(x))


def make(*stack, optimizer="adam", loss="mse", **settings):
    lamina.random.set_seed(2)
    model = Sequential([layers.Input((3,)), *stack])
    model.compile(optimizer, loss, **settings)
    return model


def run(model, x, y=Y, **settings):
    """Fits until it stops; the callback, what was printed, and whether the state is that after the last good step."""
    told = callbacks.TerminateOnNaN()
    good = []
    keeper = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: good.append([v.numpy() for v in state(model)])
    )
    with np.errstate(all="ignore"):
        history = model.fit(
            x, y, **{"batch_size": 5, "epochs": 3, "shuffle": False, **settings}, callbacks=[keeper, told], verbose=0
        )
    for values in good:
        assert all(np.isfinite(v).all() for v in values)
    if len(good) > 1:
        for a, b in zip(good[-2], good[-1], strict=True):
            np.testing.assert_array_equal(a, b)
    return told, len(good), history


def state(model):
    metrics = {id(v) for m in model.metrics for v in m.variables}
    return [v for v in model.state_variables() if id(v) not in metrics]


def with_bad_rows(*rows):
    x = X.copy()
    x[list(rows)] = np.nan
    return x


def test_good_training_is_as_without():
    one, other = (
        make(layers.Dense(4, activation="tanh"), layers.Dropout(0.3, seed=1), layers.Dense(1)) for _ in range(2)
    )
    other.set_weights(one.get_weights())
    a = one.fit(X, Y, epochs=3, seed=1, verbose=0).history
    b = other.fit(X, Y, epochs=3, seed=1, verbose=0, callbacks=callbacks.TerminateOnNaN()).history
    assert a["loss"] == pytest.approx(b["loss"], rel=1e-6)
    for v, w in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_layers_output(run_eagerly):
    x = np.abs(X)
    x[11] = 0.0
    model = make(
        layers.Dense(3, kernel_initializer="identity", name="in"),
        Log(name="log"),
        layers.Dense(1, name="out"),
        optimizer=optimizers.SGD(0.0),
        run_eagerly=run_eagerly,
    )
    told, steps, history = run(model, x)
    assert told.culprit == "the output of the layer 'log' (Log)"
    assert steps == 3
    assert np.isnan(history.history["loss"][0]) or np.isinf(history.history["loss"][0])
    assert len(history.epoch) == 1


def test_the_data():
    told, steps, _ = run(make(layers.BatchNormalization(), layers.Dense(1)), with_bad_rows(7))
    assert told.culprit == "the input data x"
    assert steps == 2


def test_the_loss():
    model = make(layers.Dense(1), loss=lambda y, p: ops.log(ops.abs(p)) * 0.0 + ops.log(y))
    told, _, _ = run(model, X, np.abs(Y) * 0.0)
    assert told.culprit == "the loss, of outputs that are finite"


def test_a_gradient():
    model = make(layers.Dense(2, name="first", use_bias=False), Root(), layers.Dense(1))
    x = X.copy()
    x[6] = 0.0
    told, steps, _ = run(model, x)
    assert told.culprit == "the gradient of 'first/kernel', in the layer 'first' (Dense)"
    assert steps == 2


def test_the_update():
    model = make(layers.Dense(1), optimizer=optimizers.SGD(3e38))
    told, steps, _ = run(model, X * 1e3)
    assert told.culprit == "the optimizer's update, of gradients that are finite"
    assert steps == 1


def test_within_a_group_of_steps():
    model = make(layers.Dense(1, name="d"), steps_per_execution=4)
    before = model.get_weights()
    told, _, _ = run(model, with_bad_rows(1))
    assert told.culprit == "the input data x"
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_raised():
    with pytest.raises(RuntimeError, match="batch 1: a number is not finite, first in the input data x"):
        make(layers.Dense(1)).fit(
            with_bad_rows(7), Y, batch_size=5, shuffle=False, verbose=0, callbacks=callbacks.TerminateOnNaN(True)
        )


def test_printed(capsys):
    run(make(layers.Dense(1)), with_bad_rows(0))
    assert capsys.readouterr().out == (
        "batch 0: a number is not finite, first in the input data x; this step was not applied, and training ends.\n"
    )


def test_a_step_of_ones_own():
    class Own(lamina.Model):
        def train_step(self, data):
            super().train_step(data)
            return {"loss": self.metrics[0].result()}

    x = lamina.Input((3,))
    model = Own(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    told, steps, _ = run(model, with_bad_rows(12))
    assert (told.culprit, steps) == ("the input data x", 3)


def test_at_the_second_fit():
    model, told = make(layers.Dense(1)), callbacks.TerminateOnNaN()
    model.fit(X, Y, callbacks=told, verbose=0)
    assert told.culprit is None
    found, steps, _ = run(model, with_bad_rows(6))
    assert (found.culprit, steps) == ("the input data x", 2)
    model.fit(X, Y, callbacks=found, verbose=0)
    assert found.culprit is None
