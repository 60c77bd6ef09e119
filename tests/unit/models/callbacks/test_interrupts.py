"""Ctrl-C: the first one ends training at the next step, the second one at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import lamina
from lamina import Sequential, callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = X[:, :1] * 2.0


@pytest.fixture(autouse=True)
def heard():
    """Ctrl-C is heard, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def make():
    lamina.random.set_seed(1)
    model = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def pressing(*numbers, times=1):
    """A callback that presses Ctrl-C after some batches, counted from 0 over all epochs."""
    count = iter(range(10**6))

    def press(batch, logs):
        if next(count) in numbers:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)

    return callbacks.LambdaCallback(on_train_batch_end=press)


def test_the_first_one_ends_training_at_the_next_step():
    model, told = make(), []
    listener = callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: told.append(batch),
        on_epoch_end=lambda epoch, logs: told.append(f"epoch {epoch}"),
        on_train_end=lambda logs: told.append("end"),
    )
    history = model.fit(X, Y, batch_size=5, epochs=10, callbacks=[listener, pressing(5)], verbose=0)
    assert told == [0, 1, 2, 3, "epoch 0", 0, 1, "end"]
    assert history.epoch == [0, 1]
    assert len(history.history["loss"]) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not model.is_training
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


def test_the_weights_are_those_after_the_last_step():
    stopped, shorter = make(), make()
    stopped.fit(X, Y, batch_size=5, shuffle=False, epochs=10, callbacks=pressing(2), verbose=0)
    for start in (0, 5, 10):
        shorter.train_on_batch(X[start : start + 5], Y[start : start + 5])
    for a, b in zip(stopped.get_weights(), shorter.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_second_one_raises():
    model = make()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=5, epochs=10, callbacks=pressing(2, times=2), verbose=0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not model.is_training
    assert len(model.fit(X, Y, verbose=0).epoch) == 1


def test_during_validation():
    model = make()
    seen = []

    def press(batch, logs):
        seen.append(batch)
        os.kill(os.getpid(), signal.SIGINT)

    told = callbacks.LambdaCallback(on_test_batch_begin=press)
    history = model.fit(X, Y, batch_size=5, epochs=3, validation_data=(X, Y), callbacks=told, verbose=0)
    assert seen == [0]
    assert list(history.history) == ["loss"]


@pytest.mark.parametrize("batch", [3, 9, 10])
def test_an_interrupted_run_is_taken_up_again(tmp_path, batch):
    def fit(*told):
        model = make()
        stopping = callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True, mode="max")
        settings = {"batch_size": 5, "epochs": 6, "seed": 1, "verbose": 0, "validation_data": (X, Y)}
        history = model.fit(X, Y, callbacks=[*told, stopping], **settings)
        return history.history, history.epoch, [v.numpy() for v in model.state_variables()]

    whole = fit()
    fit(callbacks.BackupAndRestore(tmp_path / "b"), pressing(batch))
    found = fit(callbacks.BackupAndRestore(tmp_path / "b"))
    assert found[:2] == whole[:2]
    assert found[1] == list(range(6))
    for a, b in zip(found[2], whole[2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_handler_of_the_users_own_stays():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        history = make().fit(X, Y, batch_size=5, epochs=2, callbacks=pressing(1), verbose=0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert len(history.epoch) == 2


def test_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(make().fit(X, Y, epochs=2, verbose=0).epoch))
    thread.start()
    thread.join()
    assert found == [[0, 1]]


def test_a_process_of_its_own(tmp_path):
    script = textwrap.dedent("""
        import sys, time
        import numpy as np
        from lamina import Sequential, callbacks, layers
        model = Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        def slow(batch, logs):
            if batch == 3:
                print("ready", flush=True)
            time.sleep(0.01)
        told = [
            callbacks.LambdaCallback(on_train_batch_end=slow),
            callbacks.ModelCheckpoint(sys.argv[1], save_freq=1),
        ]
        history = model.fit(np.ones((5000, 3), "float32"), np.ones((5000, 1), "float32"), batch_size=5, callbacks=told,
                            verbose=0)
        print("history", len(history.epoch), np.isfinite(model.get_weights()[0]).all(), flush=True)
    """)
    for presses in (1, 2):
        place = tmp_path / f"saved{presses}"
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        if presses == 2:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        if process.returncode == 0:  # two signals may arrive as one
            assert out == b"history 1 True\n"
        else:
            assert presses == 2
            assert b"KeyboardInterrupt" in err
        assert lamina.load_model(place).count_params() == 11
        assert [name for name in os.listdir(place) if name.endswith(".tmp")] == []
