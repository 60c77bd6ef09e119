"""A run that is killed and taken up again ends as one that was never stopped, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import lamina
from lamina import Sequential, callbacks, layers, optimizers
from lamina.errors import ModelFileError

X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 40).astype(np.int32)


class Killed(BaseException):
    pass


def make():
    lamina.random.set_seed(5)
    model = Sequential(
        [
            layers.Dense(8, input_shape=(5,)),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.4),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizers.Adam(0.02, use_ema=True, ema_momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def watchers(folder):
    return [
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(monitor="val_loss", patience=1, factor=0.5),
        callbacks.ModelCheckpoint(str(folder / "best"), save_best_only=True),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.97),
    ]


def train(folder, backup, *, kill_at=None, data=None, **settings):
    """The state after a run; it dies after ``kill_at`` batches."""
    model, count = make(), 0

    def die(batch, logs):
        nonlocal count
        count += 1
        if count == kill_at:
            raise Killed

    watching = watchers(folder)
    told = [backup, *watching, callbacks.LambdaCallback(on_train_batch_begin=die)]
    given = (X, Y) if data is None else (data(),)
    history = model.fit(
        *given,
        **{"epochs": 4, "batch_size": 6, "validation_data": (X[:12], Y[:12]), "callbacks": told, **settings},
        verbose=0,
    )
    return {
        "weights": model.get_weights(),
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "history": history.history,
        "epoch": history.epoch,
        "seeds": [g.state.numpy() for g in model.seed_generators],
        "stream": lamina.ops.random.default_generator().state.numpy(),
        "best": watching[1].best,
        "wait": watching[1].wait,
        "csv": (folder / "log.csv").read_text(),
        "checkpoint": lamina.load_model(folder / "best").get_weights(),
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            assert len(value) == len(other[key])
            for a, b in zip(value, other[key], strict=True):
                np.testing.assert_array_equal(a, b, err_msg=key)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other[key], err_msg=key)
        else:
            assert value == other[key], key


def backup(folder, **settings):
    return callbacks.BackupAndRestore(folder / "backup", **settings)


@pytest.mark.parametrize("kill_at", [7, 8, 20])
@pytest.mark.parametrize("save_freq", ["epoch", 1, 4])
def test_killed_at_a_step(tmp_path, kill_at, save_freq):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    whole = train(one, backup(one, save_freq=save_freq), shuffle=True)
    with pytest.raises(Killed):
        train(other, backup(other, save_freq=save_freq), kill_at=kill_at)
    assert_same(train(other, backup(other, save_freq=save_freq)), whole)
    assert not (other / "backup").exists()


def test_killed_again_and_again(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    whole = train(one, backup(one, save_freq=2))
    for kill_at in (3, 5, 4, 6):
        with pytest.raises(Killed):
            train(other, backup(other, save_freq=2), kill_at=kill_at)
    assert_same(train(other, backup(other, save_freq=2)), whole)


def batches():
    for i in range(1000):
        chosen = np.arange(i * 5, i * 5 + 5) % 40
        yield X[chosen], Y[chosen]


class Numbered:
    def __len__(self):
        return 8

    def __getitem__(self, i):
        return X[i * 5 : i * 5 + 5], Y[i * 5 : i * 5 + 5]


class Loader:
    """An iterable that comes in another order each time, as a DataLoader with a seed."""

    def __init__(self):
        self.generator = np.random.default_rng(3)

    def __len__(self):
        return 8

    def __iter__(self):
        order = self.generator.permutation(40)
        return ((X[order[i : i + 5]], Y[order[i : i + 5]]) for i in range(0, 40, 5))


class Unsized(Loader):
    __len__ = None


@pytest.mark.parametrize("kill_at", [14])
@pytest.mark.parametrize("save_freq", ["epoch", 2])
@pytest.mark.parametrize(
    ("data", "steps"), [(batches, 6), (Numbered, None), (Numbered, 5), (Loader, None), (Loader, 5), (Unsized, None)]
)
def test_data_that_give_batches(tmp_path, kill_at, save_freq, data, steps):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    settings = {"data": data, "steps_per_epoch": steps, "batch_size": None, "epochs": 4}
    whole = train(one, backup(one, save_freq=save_freq), **settings)
    with pytest.raises(Killed):
        train(other, backup(other, save_freq=save_freq), kill_at=kill_at, **settings)
    assert_same(train(other, backup(other, save_freq=save_freq), **settings), whole)


def test_steps_per_epoch_of_arrays(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    whole = train(one, backup(one, save_freq=2), steps_per_epoch=4)
    with pytest.raises(Killed):
        train(other, backup(other, save_freq=2), kill_at=12, steps_per_epoch=4)
    assert_same(train(other, backup(other, save_freq=2), steps_per_epoch=4), whole)


SCRIPT = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    sys.path.insert(0, {tests!r})
    import test_resume
    from lamina import callbacks
    folder, kill_at, freq = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    freq = freq if freq == "epoch" else int(freq)
    count = 0
    def die(*_):
        global count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    test_resume.callbacks.LambdaCallback = lambda **_: callbacks.Callback()
    from lamina.models.callbacks import functions
    watch = functions.LambdaCallback(on_train_batch_begin=die, on_test_batch_end=die)
    if len(sys.argv) > 4:
        from lamina.io import filesystem
        replace, writes = filesystem.replace, iter(range(1, 10**6))
        def dying(*args):
            if next(writes) == int(sys.argv[4]):
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*args)
        filesystem.replace = dying
    original = test_resume.watchers
    test_resume.watchers = lambda f: [*original(f), watch]
    state = test_resume.train(folder, test_resume.backup(folder, save_freq=freq))
    flat = [*state["weights"], *state["optimizer"], *state["seeds"], *state["checkpoint"]]
    np.savez(folder / "state.npz", *flat)
    told = [state[name] for name in ("history", "epoch", "best", "wait", "csv")]
    (folder / "state.txt").write_text(repr(told))
""")


def run(folder, kill_at, freq, *kill_at_write):
    folder.mkdir(exist_ok=True)
    script = SCRIPT.format(tests=os.path.dirname(__file__))
    return subprocess.run(
        [sys.executable, "-c", script, str(folder), str(kill_at), str(freq), *map(str, kill_at_write)], check=False
    ).returncode


def test_sigkill_in_a_process_of_its_own(tmp_path):
    assert run(tmp_path / "whole", 0, 2) == 0
    for number, (kill_at, freq, *write) in enumerate(((11, 2), (14, "epoch"), (0, 1, 6))):
        folder = tmp_path / f"killed{number}"
        assert run(folder, kill_at, freq, *write) == -signal.SIGKILL
        assert run(folder, 0, freq) == 0
        assert (folder / "state.txt").read_text() == (tmp_path / "whole" / "state.txt").read_text()
        with np.load(folder / "state.npz") as found, np.load(tmp_path / "whole" / "state.npz") as whole:
            for name in whole:
                np.testing.assert_array_equal(found[name], whole[name])


class TestFiles:
    def start(self, folder, kill_at=20):
        with pytest.raises(Killed):
            train(folder, backup(folder), kill_at=kill_at)

    def test_a_damaged_generation_is_left_out(self, tmp_path):
        self.start(tmp_path)
        newest = max((tmp_path / "backup").iterdir(), key=lambda p: (p / "model.json").stat().st_mtime_ns)
        (newest / "model.json").write_bytes(b"{")
        model = make()
        begun = []
        told = [backup(tmp_path), callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))]
        model.fit(X, Y, epochs=4, batch_size=6, callbacks=told, verbose=0)
        assert begun == [1, 2, 3]

    def test_all_damaged(self, tmp_path):
        self.start(tmp_path)
        for path in (tmp_path / "backup").glob("*/model.json"):
            path.write_bytes(b"{")
        with pytest.raises(ModelFileError):
            train(tmp_path, backup(tmp_path))

    def test_of_another_model(self, tmp_path):
        self.start(tmp_path)
        model = Sequential([layers.Dense(3, activation="softmax", input_shape=(5,))])
        model.compile("adam", "sparse_categorical_crossentropy")
        before = model.get_weights()
        with pytest.raises(ModelFileError, match="build and compile the model as it was"):
            model.fit(X, Y, callbacks=backup(tmp_path), verbose=0)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_kept_when_asked_to(self, tmp_path):
        model = make()
        told = backup(tmp_path, delete_checkpoint=False)
        whole = model.fit(X, Y, epochs=3, callbacks=told, verbose=0)
        again = make().fit(X, Y, epochs=3, callbacks=backup(tmp_path, delete_checkpoint=False), verbose=0)
        assert again.history == whole.history
        longer = make().fit(X, Y, epochs=4, callbacks=backup(tmp_path), verbose=0)
        assert longer.epoch == [0, 1, 2, 3]
        assert not (tmp_path / "backup").exists()

    def test_other_files_stay(self, tmp_path):
        (tmp_path / "backup").mkdir()
        (tmp_path / "backup" / "notes.txt").write_text("mine")
        make().fit(X, Y, callbacks=backup(tmp_path), verbose=0)
        assert [p.name for p in (tmp_path / "backup").iterdir()] == ["notes.txt"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda record: record.update(epoch="x"),
            lambda record: record.update(batch=-1),
            lambda record: record.update(callbacks=[1]),
            lambda record: record.pop("variables"),
            lambda record: record["arrays"][0].__setitem__(1, [10**9]),
            lambda record: record["arrays"][0].__setitem__(0, "object"),
            lambda record: record.update(logs={"dict": 3}),
            lambda record: record.update(version=2),
        ],
    )
    def test_hostile(self, tmp_path, change):
        import json

        self.start(tmp_path)
        for path in (tmp_path / "backup").glob("*/model.json"):
            document = json.loads(path.read_text())
            change(document["userDefinedMetadata"]["lamina"]["backup"])
            path.write_text(json.dumps(document))
        with pytest.raises(ModelFileError):
            train(tmp_path, backup(tmp_path))


def test_state_of_a_callback_of_ones_own(tmp_path):
    class Sums(callbacks.Callback):
        def __init__(self):
            self.seen = {"losses": [], 3: np.arange(3), "far": float("inf"), "many": 2**60}

        def on_train_batch_end(self, batch, logs=None):
            self.seen["losses"].append(logs["loss"])

        def get_state(self):
            return {"seen": self.seen}

        def set_state(self, state):
            self.seen = state["seen"]

    def fit(folder, kill_at=None):
        sums, count = Sums(), iter(range(100))

        def die(batch, logs):
            if next(count) == kill_at:
                raise Killed

        told = [backup(folder, save_freq=2), sums, callbacks.LambdaCallback(on_train_batch_begin=die)]
        make().fit(X, Y, batch_size=6, epochs=3, seed=1, callbacks=told, verbose=0)
        return sums.seen

    whole = fit(tmp_path / "whole")
    with pytest.raises(Killed):
        fit(tmp_path / "killed", kill_at=10)
    found = fit(tmp_path / "killed")
    np.testing.assert_array_equal(found.pop(3), whole.pop(3))
    assert found == whole


class TestOtherRuns:
    """Whatever a run holds is kept with it."""

    def resumed(self, folder, make, kill_at, **settings):
        """The final states of a run that was never stopped, and of one that was."""
        found = []
        for name, deadly in (("whole", None), ("killed", kill_at)):
            for deadline in (deadly, None) if deadly else (None,):
                count = iter(range(1, 10**6))

                def die(batch, logs, deadline=deadline, count=count):
                    if next(count) == deadline:
                        raise Killed

                lamina.random.set_seed(7)
                model, data = make()
                told = [
                    callbacks.BackupAndRestore(folder / name, save_freq=2),
                    callbacks.LambdaCallback(on_train_batch_begin=die),
                ]
                given = {"epochs": 4, "verbose": 0, "callbacks": told, **settings}
                if deadline is None:
                    history = model.fit(*data, **given).history
                else:
                    with pytest.raises(Killed):
                        model.fit(*data, **given)
            found.append((history, [v.numpy() for v in model.state_variables()]))
        return found

    def check(self, folder, make, kill_at=7, **settings):
        (a, states), (b, others) = self.resumed(folder, make, kill_at, **settings)
        assert a == b
        for one, other in zip(states, others, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_a_shuffled_dataset(self, tmp_path):
        def make():
            model = Sequential([layers.Dense(4, activation="relu", input_shape=(5,)), layers.Dense(3, "softmax")])
            model.compile("adam", "sparse_categorical_crossentropy")
            return model, (lamina.data.from_arrays((X, Y)).shuffle(15, seed=3).batch(8).prefetch(2),)

        self.check(tmp_path, make)

    def test_states_that_are_carried(self, tmp_path):
        def make():
            model = Sequential(
                [layers.Input(batch_shape=(5, 4, 2)), layers.SimpleRNN(3, stateful=True, dropout=0.2), layers.Dense(1)]
            )
            model.compile("sgd", "mse")
            x = X.reshape(-1)[:160].reshape(20, 4, 2)
            return model, (x, x[:, 0, :1])

        self.check(tmp_path, make, shuffle=False, batch_size=5)

    def test_gathered_gradients_and_float64(self, tmp_path):
        def make():
            model = Sequential(
                [layers.Dense(3, activation="softmax", input_shape=(5,), dtype="float64")], dtype="float64"
            )
            model.compile(
                optimizers.Adam(0.01, gradient_accumulation_steps=3, clipnorm=0.5), "sparse_categorical_crossentropy"
            )
            return model, (X.astype(np.float64) / 3.0, Y)

        self.check(tmp_path, make, batch_size=8)

    def test_half_precision(self, tmp_path):
        def make():
            model = Sequential(
                [layers.Dense(3, activation="softmax", input_shape=(5,), dtype="float16")], dtype="float16"
            )
            model.compile("sgd", "sparse_categorical_crossentropy")
            return model, (X, Y)

        self.check(tmp_path, make, batch_size=8)

    def test_a_schedule_and_several_steps_at_once(self, tmp_path):
        def make():
            model = Sequential([layers.Dense(3, activation="softmax", input_shape=(5,))])
            model.compile(
                optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
                "sparse_categorical_crossentropy",
                steps_per_execution=2,
            )
            return model, (X, Y)

        self.check(tmp_path, make, batch_size=6, kill_at=4)

    def test_a_step_of_ones_own_that_draws(self, tmp_path):
        class Noisy(lamina.Model):
            def train_step(self, data):
                noise = lamina.ops.random.normal(data.x.shape)
                super().train_step(data._replace(x=data.x + noise))
                return {"noise": lamina.ops.mean(noise), "loss": self.metrics[0].result()}

        def make():
            x = lamina.Input((5,))
            model = Noisy(x, layers.Dense(3, activation="softmax")(x))
            model.compile("adam", "sparse_categorical_crossentropy")
            return model, (X, Y)

        for kill_at in (5, 6, 11):
            self.check(tmp_path / str(kill_at), make, batch_size=8, kill_at=kill_at)

    def test_averages_that_are_swapped(self, tmp_path):
        def make():
            model = Sequential([layers.Dense(3, activation="softmax", input_shape=(5,))])
            model.compile(optimizers.SGD(0.1, use_ema=True), "sparse_categorical_crossentropy")
            return model, (X, Y)

        def fit(folder, kill_at=None):
            lamina.random.set_seed(7)
            model, data = make()
            count = iter(range(1, 10**6))

            def die(batch, logs):
                if next(count) == kill_at:
                    raise Killed

            told = [
                callbacks.BackupAndRestore(folder),
                callbacks.SwapEMAWeights(swap_on_epoch=True),
                callbacks.LambdaCallback(on_train_batch_begin=die),
            ]
            model.fit(*data, epochs=4, batch_size=10, callbacks=told, verbose=0)
            return [v.numpy() for v in model.state_variables()]

        whole = fit(tmp_path / "whole")
        with pytest.raises(Killed):
            fit(tmp_path / "killed", kill_at=6)
        for a, b in zip(fit(tmp_path / "killed"), whole, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_in_a_process_with_another_seed(self, tmp_path):
        def fit(folder, seed, kill_at=None):
            lamina.random.set_seed(seed)
            model = Sequential(
                [layers.Dense(8, input_shape=(5,)), layers.Dropout(0.4), layers.Dense(3, activation="softmax")]
            )
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            count = iter(range(1, 10**6))

            def die(batch, logs):
                if next(count) == kill_at:
                    raise Killed

            told = [backup(folder, save_freq=1), callbacks.LambdaCallback(on_train_batch_begin=die)]
            history = model.fit(X, Y, batch_size=6, epochs=4, callbacks=told, verbose=0).history
            return history, [v.numpy() for v in model.state_variables()], lamina.ops.random.uniform((3,)).numpy()

        history, states, draw = fit(tmp_path / "whole", 1)
        with pytest.raises(Killed):
            fit(tmp_path / "killed", 1, kill_at=10)
        found = fit(tmp_path / "killed", 99)
        assert found[0] == history
        np.testing.assert_array_equal(found[2], draw)
        for a, b in zip(found[1], states, strict=True):
            np.testing.assert_array_equal(a, b)
