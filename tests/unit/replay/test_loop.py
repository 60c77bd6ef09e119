"""What the loop around recorded steps does not do: record anew, keep without bound, read values at every step."""

from __future__ import annotations

import itertools
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import lamina
from lamina import Sequential, layers
from lamina.errors import ReplayError
from lamina.models.callbacks import Callback, progress
from lamina.replay import step as replay_step

X = np.random.default_rng(0).standard_normal((22, 3)).astype(np.float32)
Y = X[:, :1] * 2.0


@pytest.fixture
def model():
    made = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    made.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return made


@pytest.fixture
def recordings(monkeypatch):
    """Counts the recordings that are made."""
    made = []

    class Counted(replay_step.Recorder):
        def __init__(self, inputs):
            made.append([t.shape for t in inputs])
            super().__init__(inputs)

    monkeypatch.setattr(replay_step, "Recorder", Counted)
    return made


def test_a_ragged_last_batch_is_recorded_once_and_then_replayed_for_good(model, recordings):
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0)
    assert [shapes[0][0] for shapes in recordings] == [5, 5, 2]
    model.fit(X, Y, batch_size=5, epochs=4, verbose=0)
    model.fit(X, Y, batch_size=5, verbose=0)
    assert len(recordings) == 3


def test_another_size_and_back_records_only_the_new_one(model, recordings):
    for size in (11, 22, 11, 22):
        model.fit(X, Y, batch_size=size, epochs=2, verbose=0)
    assert [shapes[0][0] for shapes in recordings] == [11, 11, 22]


def test_what_is_recorded_once_computes_the_same(model, recordings):
    other = lamina.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.compile(optimizer="sgd", loss="mse", metrics=["mae"], run_eagerly=True)
    for size in (5, 7, 3, 22):
        replayed, eager = (m.fit(X, Y, batch_size=size, epochs=3, verbose=0, shuffle=False) for m in (model, other))
        np.testing.assert_allclose(replayed.history["mae"], eager.history["mae"], rtol=1e-5)
    assert [shapes[0][0] for shapes in recordings] == [5, 5, 2, 7, 1, 3, 22]  # 1 is also what 22 leaves of 3 and 7


def test_another_branch_for_another_size_is_recorded_twice_and_compared(recordings):
    calls = []

    @lamina.function
    def step(x):
        calls.append(x.shape)
        return x * float(len(calls)) + x if x.shape[0] > 3 else x * 2.0

    for _ in range(3):
        step(lamina.ones((2,)))
    np.testing.assert_array_equal(step(lamina.ones((3,))).numpy(), [2.0] * 3)
    assert len(recordings) == len(calls) == 3
    step(lamina.ones((4,)))
    with pytest.raises(ReplayError, match="two recordings of the step 'step' differ"):
        step(lamina.ones((4,)))


def test_other_static_arguments_and_variables_are_recorded_twice(recordings):
    w = [lamina.Variable(1.0), lamina.Variable(2.0)]

    @lamina.function
    def step(x, scale):
        return x * w[0 if x.shape[0] < 3 else 1] * scale

    for size, scale in ((1, 1.0), (2, 1.0), (1, 2.0), (3, 1.0)):
        for _ in range(3):
            expected = np.full(size, scale * (1.0 if size < 3 else 2.0))
            np.testing.assert_array_equal(step(lamina.ones((size,)), scale).numpy(), expected)
    assert [shapes[0] for shapes in recordings] == [(1,), (1,), (2,), (1,), (1,), (3,), (3,)]


def test_predictions_of_many_sizes_stay_within_the_cache(model, recordings, monkeypatch):
    monkeypatch.setattr(replay_step, "CACHE_SIZE", 3)
    expected = model(lamina.tensor(X), training=False).numpy()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for count in range(1, 9):
            for _ in range(3):
                np.testing.assert_allclose(model.predict(X[:count]), expected[:count], rtol=1e-6, atol=1e-6)
    assert len(recordings) == 2 + 1 + 1
    assert len(model.recorded_step("predict").programs) == 3
    assert len(caught) == 1
    assert "cache of recorded steps is full" in str(caught[0].message)


def reads(model, count, monkeypatch, **settings):
    """How often values come to the host in an epoch of so many batches."""
    model.fit(X[:10], Y[:10], batch_size=5, epochs=2, verbose=0)
    x, y = np.resize(X, (5 * count, 3)), np.resize(Y, (5 * count, 1))
    backend, read = type(lamina.get_backend()), []
    original = backend.to_host
    with monkeypatch.context() as patch:
        patch.setattr(backend, "to_host", lambda self, array: read.append(1) or original(self, array))
        model.fit(x, y, batch_size=5, shuffle=False, **settings)
    return len(read)


def test_losses_and_metrics_are_read_once_an_epoch(model, monkeypatch):
    assert reads(model, 2, monkeypatch, verbose=0) == reads(model, 40, monkeypatch, verbose=0) <= 2


class Bar:
    """A progress bar that nobody sees."""

    def __init__(self, **settings):
        self.n = 0

    def set_postfix_str(self, text, refresh):
        assert "mae" in text

    def update(self, count):
        self.n += count

    def close(self):
        pass


@pytest.mark.parametrize(("seconds", "redrawn"), [(1e9, 1), (0.0, 40)], ids=["seldom", "always"])
def test_a_progress_bar_reads_at_its_own_pace(model, monkeypatch, seconds, redrawn):
    """Two numbers, the loss and a metric, each time that it is drawn."""
    silent = reads(model, 40, monkeypatch, verbose=0)
    monkeypatch.setattr(progress, "_REDRAW_SECONDS", seconds)
    monkeypatch.setattr(progress.ProgbarLogger, "_wants_bar", lambda self: True)
    monkeypatch.setattr(progress, "_bar_class", lambda: Bar)
    ticking = itertools.count(10**10)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: next(ticking)))
    shown = reads(model, 40, monkeypatch, verbose=1)
    assert shown - silent == 2 * redrawn


def test_a_callback_that_does_not_look_at_the_logs_costs_no_reads(model, monkeypatch):
    class Counts(Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1

    callback = Counts()
    assert reads(model, 40, monkeypatch, verbose=0, callbacks=[callback]) <= 2
    assert callback.batches == 40


def test_hooks_that_no_callback_has_are_never_called(model, monkeypatch):
    told = []
    monkeypatch.setattr("lamina.models.callbacks.CallbackList.on_train_batch_begin", lambda *a: told.append(a))
    monkeypatch.setattr("lamina.models.callbacks.CallbackList.on_train_batch_end", lambda *a: told.append(a))
    model.fit(X, Y, batch_size=5, verbose=0)
    assert told == []
