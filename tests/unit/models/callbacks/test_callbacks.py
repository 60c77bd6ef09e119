"""Each callback: what it does, as Keras's does it, and what it refuses."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import lamina
from lamina import Sequential, callbacks, layers, optimizers
from lamina.errors import ArgumentError, LaminaError
from lamina.models.callbacks.callback import HOOKS

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype(np.float32)


def make(optimizer="sgd", **settings):
    lamina.random.set_seed(1)
    model = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    model.compile(optimizer, "mse", **settings)
    return model


class Model:
    """Stands for a model whose logs are given."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = optimizers.SGD(1.0)
        self.weights = 0
        self.steps_per_execution = 1

    def get_weights(self):
        return [np.array(self.weights)]

    def set_weights(self, weights):
        self.weights = int(weights[0])


def told(callback, values, name="val_loss"):
    """Tells a callback epochs with these values; the model, and the number of the last epoch."""
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return model, epoch


class TestEarlyStopping:
    @pytest.mark.parametrize(
        ("settings", "values", "last"),
        [
            ({}, [1, 2, 3], 1),
            ({"patience": 1}, [1, 2, 3], 1),
            ({"patience": 2}, [1, 2, 3, 4], 2),
            ({"patience": 2}, [3, 2, 2.5, 1, 1.5, 1.6, 1.7], 5),
            ({"patience": 1}, [1, 1, 1], 1),
            ({"patience": 2, "baseline": 2.5}, [3, 2.9, 2.8, 2.7, 1], 4),
            ({"patience": 3, "baseline": 1.0}, [3, 2.9, 2.9, 2.9, 2.9], 2),
            ({"patience": 2, "baseline": 1.0}, [3, 2.9, 2.8, 2.8, 2.8], 3),
            ({"patience": 1, "baseline": 2.5}, [3, 1, 2, 2], 2),
            ({"start_from_epoch": 2}, [3, 4, 5, 6, 7], 3),
            ({"min_delta": 0.5, "patience": 2}, [3, 2.8, 2.6, 2.4, 2.2], 2),
            ({"min_delta": -0.5, "patience": 2}, [3, 2.8, 2.6, 2.4, 2.2], 2),
            ({"mode": "max"}, [1, 2, 3, 2], 3),
            ({"patience": 1}, [float("nan")] * 3, 1),
            ({"patience": 2}, [1, float("nan"), float("nan"), 0], 2),
        ],
    )
    def test_when(self, settings, values, last):
        model, epoch = told(callbacks.EarlyStopping(**settings), values)
        assert epoch == last
        assert model.stop_training is (epoch < len(values) - 1 or model.stop_training)

    @pytest.mark.parametrize("name", ["val_accuracy", "acc", "val_auc", "f1_score", "mean_io_u_iou"])
    def test_numbers_that_should_grow(self, name):
        assert told(callbacks.EarlyStopping(monitor=name), [0.1, 0.2, 0.3, 0.2], name)[1] == 3

    def test_the_best_weights(self):
        stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
        model, _ = told(stopping, [3, 1, 2, 2, 2])
        assert (model.weights, stopping.best_epoch, stopping.best, stopping.stopped_epoch) == (1, 1, 1.0, 3)
        assert told(stopping, [3, 2, 1])[0].weights == 2

    def test_a_number_that_is_not_there(self):
        with pytest.warns(UserWarning, match="watches 'val_loss', which is not there: the logs hold loss"):
            make().fit(X, Y, callbacks=callbacks.EarlyStopping(), verbose=0)

    def test_in_fit(self):
        model = make(optimizers.SGD(0.0))
        told = callbacks.EarlyStopping(monitor="loss", patience=2)
        assert len(model.fit(X, Y, epochs=9, shuffle=False, callbacks=told, verbose=0).epoch) == 3


class TestReduceLROnPlateau:
    @pytest.mark.parametrize(
        ("settings", "values", "rates"),
        [
            ({"patience": 2}, [1, 1, 1, 1, 1], [1, 1, 0.1, 0.1, 0.01]),
            ({"patience": 1, "cooldown": 2}, [1, 1, 1, 1, 1, 1], [1, 0.1, 0.1, 0.01, 0.01, 0.001]),
            ({"patience": 1, "min_lr": 0.05}, [1, 1, 1, 1], [1, 0.1, 0.05, 0.05]),
            ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [3, 2.8, 2, 1.9], [1, 0.5, 0.5, 0.25]),
        ],
    )
    def test_rates(self, settings, values, rates):
        callback, model, found = callbacks.ReduceLROnPlateau(**settings), Model(), []
        callback.set_model(model)
        callback.on_train_begin()
        for epoch, value in enumerate(values):
            logs = {"val_loss": value}
            callback.on_epoch_end(epoch, logs)
            found.append(float(model.optimizer.learning_rate.numpy()))
        assert found == pytest.approx(rates, rel=1e-5)

    def test_stands_in_the_history(self):
        history = make().fit(X, Y, epochs=2, callbacks=callbacks.ReduceLROnPlateau("loss"), verbose=0).history
        assert history["learning_rate"] == [0.01, 0.01]

    @pytest.mark.parametrize(
        "settings", [{"factor": 1.0}, {"factor": -0.1}, {"patience": -1}, {"mode": "up"}, {"min_lr": float("nan")}]
    )
    def test_refused(self, settings):
        with pytest.raises(LaminaError, match=next(iter(settings))):
            callbacks.ReduceLROnPlateau(**settings)


class TestLearningRateScheduler:
    @pytest.mark.parametrize("schedule", [lambda epoch: 0.5 / (epoch + 1), lambda epoch, rate: 0.5 / (epoch + 1)])
    def test_rates(self, schedule):
        history = make().fit(X, Y, epochs=3, callbacks=callbacks.LearningRateScheduler(schedule), verbose=0).history
        assert history["learning_rate"] == pytest.approx([0.5, 0.25, 0.5 / 3])

    def test_a_rate_that_follows_the_last(self):
        schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        history = make(optimizers.SGD(0.8)).fit(X, Y, epochs=3, callbacks=schedule, verbose=0).history
        assert history["learning_rate"] == pytest.approx([0.4, 0.2, 0.1])

    @pytest.mark.parametrize("found", ["fast", None, -1.0, float("nan")])
    def test_no_rate(self, found):
        with pytest.raises(LaminaError, match="schedule"):
            make().fit(X, Y, callbacks=callbacks.LearningRateScheduler(lambda epoch: found), verbose=0)

    def test_an_error_in_the_schedule_is_its_own(self):
        def schedule(epoch):
            return epoch + "a"

        with pytest.raises(TypeError, match="unsupported operand"):
            make().fit(X, Y, callbacks=callbacks.LearningRateScheduler(schedule), verbose=0)


class TestModelCheckpoint:
    def test_a_path_that_ends_like_a_file(self):
        with pytest.raises(ArgumentError, match=r"'best\.onnx' is named like a file of ONNX"):
            callbacks.ModelCheckpoint("best.onnx")

    def test_names(self, tmp_path):
        told = callbacks.ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.1f}")
        history = make().fit(X, Y, epochs=2, callbacks=told, verbose=0).history
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            f"0{i + 1}-{v:.1f}" for i, v in enumerate(history["loss"])
        ]

    def test_the_best_only(self):
        saved = []

        class Saves(Model):
            def save(self, place):
                saved.append(place)

        callback = callbacks.ModelCheckpoint("{epoch}", save_best_only=True, initial_value_threshold=2.5)
        callback.set_model(Saves())
        callback.on_train_begin()
        for epoch, value in enumerate([3.0, 2.0, float("nan"), 2.1, 1.0]):
            callback.on_epoch_end(epoch, {"val_loss": value})
        assert saved == ["2", "5"]

    def test_what_is_saved(self, tmp_path):
        model = make("adam")
        told = [
            callbacks.ModelCheckpoint(tmp_path / "whole"),
            callbacks.ModelCheckpoint(tmp_path / "weights", save_weights_only=True),
        ]
        model.fit(X, Y, callbacks=told, verbose=0)
        whole, weights = (lamina.load_model(tmp_path / name) for name in ("whole", "weights"))
        np.testing.assert_array_equal(whole.predict(X), model.predict(X))
        assert len(whole.optimizer.get_weights()) == len(model.optimizer.get_weights())
        assert weights.optimizer is None

    def test_every_few_batches(self, tmp_path):
        told = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=5)
        make().fit(X, Y, batch_size=6, epochs=4, callbacks=told, verbose=0)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["2-1", "3-2", "4-3"]

    @pytest.mark.parametrize("path", ["{epoch.__class__}", "{loss[0]}", "{val_loss}", "{epoch:z}", "{", "{0}"])
    def test_templates_that_cannot_be_filled(self, path, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ArgumentError, match="the path"):
            make().fit(X, Y, callbacks=callbacks.ModelCheckpoint(path), verbose=0)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("frequency", [0, -1, "batch", 1.5, True])
    def test_refused(self, frequency):
        for kind in (callbacks.ModelCheckpoint, callbacks.BackupAndRestore):
            with pytest.raises(LaminaError, match="save_freq"):
                kind("place", save_freq=frequency)


class TestCSVLogger:
    def rows(self, path, separator=","):
        with open(path, newline="") as file:
            return list(csv.reader(file, delimiter=separator))

    def test_lines(self, tmp_path):
        path = tmp_path / "log.csv"
        history = make(metrics=["mae"]).fit(
            X, Y, epochs=3, validation_data=(X, Y), validation_freq=2, callbacks=callbacks.CSVLogger(path), verbose=0
        )
        names, *rows = self.rows(path)
        assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
        assert [row[0] for row in rows] == ["0", "1", "2"]
        assert [float(row[1]) for row in rows] == history.history["loss"]
        assert [row[3] for row in rows] == ["NA", repr(history.history["val_loss"][0]), "NA"]

    def test_append_or_replace(self, tmp_path):
        path = tmp_path / "log.csv"
        for settings, lines in (({}, 3), ({"append": True}, 5), ({}, 3)):
            make().fit(X, Y, epochs=2, callbacks=callbacks.CSVLogger(path, **settings), verbose=0)
            assert len(self.rows(path)) == lines

    def test_what_was_there_stays_until_the_first_line(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_text("old")
        logger = callbacks.CSVLogger(path)
        logger.on_train_begin()
        assert path.read_text() == "old"

    def test_separator(self, tmp_path):
        make().fit(X, Y, callbacks=callbacks.CSVLogger(tmp_path / "log", separator=";"), verbose=0)
        assert self.rows(tmp_path / "log", ";")[0] == ["epoch", "loss"]
        with pytest.raises(ArgumentError, match="separator"):
            callbacks.CSVLogger("log", separator=", ")


class TestSwapEMAWeights:
    def make(self):
        return make(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))

    @pytest.mark.parametrize("on_epoch", [False, True])
    def test_validation_is_of_the_averages(self, on_epoch):
        plain, model = self.make(), self.make()
        settings = {"batch_size": 8, "epochs": 3, "seed": 1, "verbose": 0}
        losses = []

        class Evaluates(callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                weights = self.model.get_weights()
                averages = [self.model.optimizer.slots_of(w)["average"].numpy() for w in self.model.trainable_weights]
                other = make()
                other.set_weights(averages)
                losses.append(other.evaluate(X, Y))
                self.model.set_weights(weights)

        plain.fit(X, Y, callbacks=Evaluates(), **settings)
        told = callbacks.SwapEMAWeights(on_epoch)
        history = model.fit(X, Y, validation_data=(X, Y), callbacks=told, **settings).history
        np.testing.assert_allclose(history["val_loss"], losses, rtol=1e-6)
        for a, b in zip(plain.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_checkpoint_after_it_has_the_averages(self, tmp_path):
        model = self.make()
        told = [callbacks.SwapEMAWeights(True), callbacks.ModelCheckpoint(tmp_path / "m", save_weights_only=True)]
        model.fit(X, Y, epochs=2, callbacks=told, verbose=0)
        for a, b in zip(lamina.load_model(tmp_path / "m").get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_in_evaluate_and_predict(self):
        model, told = self.make(), callbacks.SwapEMAWeights()
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        averages = [model.optimizer.slots_of(w)["average"].numpy() for w in model.trainable_weights]
        model.set_weights([w * 0.0 for w in model.get_weights()])
        other = make()
        other.set_weights(averages)
        np.testing.assert_array_equal(model.predict(X, callbacks=told), other.predict(X))
        assert model.evaluate(X, Y, callbacks=[told]) == other.evaluate(X, Y)
        assert not any(np.any(w) for w in model.get_weights())

    def test_without_averages(self):
        with pytest.raises(ArgumentError, match="use_ema"):
            make().fit(X, Y, callbacks=callbacks.SwapEMAWeights(), verbose=0)


class TestHooks:
    def test_evaluation_and_prediction(self):
        heard = []
        hooks = [h for h in HOOKS if "train" not in h and "epoch" not in h]
        listener = callbacks.LambdaCallback(**{h: (lambda *a, h=h: heard.append((h, *a[:-1]))) for h in hooks})
        model = make()
        model.evaluate(X, Y, batch_size=12, callbacks=listener)
        assert heard == [
            ("on_test_begin",),
            *(x for i in range(2) for x in (("on_test_batch_begin", i), ("on_test_batch_end", i))),
            ("on_test_end",),
        ]
        heard.clear()
        model.predict(X, batch_size=12, callbacks=[listener])
        assert [h[0].replace("predict", "test") for h in heard] == [
            "on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end",
        ]  # fmt: skip
        heard.clear()
        model.fit(X, Y, batch_size=24, validation_data=(X, Y), callbacks=listener, verbose=0)
        assert [h[0] for h in heard] == [
            "on_batch_begin", "on_batch_end",
            "on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end",
        ]  # fmt: skip

    def test_outputs_of_a_batch(self):
        found = []
        told = callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: found.append(logs["outputs"]))
        model = make()
        whole = model.predict(X, batch_size=10, callbacks=told)
        np.testing.assert_array_equal(np.concatenate(found), whole)

    def test_names_of_javascript(self):
        heard = []
        make().fit(X, Y, batch_size=12, callbacks={"on_batch_end": lambda batch, logs: heard.append(batch)}, verbose=0)
        assert heard == [0, 1]

    def test_several_steps_at_once(self):
        heard = []
        told = callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: heard.append(batch),
            on_train_batch_end=lambda batch, logs: heard.append((batch, len(logs))),
        )
        one, other = make(steps_per_execution=2), make()
        a = one.fit(X, Y, batch_size=5, seed=1, callbacks=told, verbose=0).history
        assert heard == [0, (1, 1), 2, (3, 1), 4, (4, 1)]
        assert a == other.fit(X, Y, batch_size=5, seed=1, verbose=0).history

    def test_a_list(self):
        heard = []
        last = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append("last"))
        last.comes_last = True
        together = callbacks.CallbackList([last], add_history=True, model="m", epochs=3)
        together.append(lambda_ := callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append("first")))
        together.on_epoch_end(0, {"loss": 1.0})
        assert heard == ["first", "last"]
        history = next(c for c in together if isinstance(c, callbacks.History))
        assert (history.history, history.model, lambda_.params, len(together)) == ({"loss": [1.0]}, "m", {}, 3)
        assert make().fit(X, Y, callbacks=together, verbose=0) is history

    def test_registered(self):
        made = []

        class Told(callbacks.Callback):
            def on_train_begin(self, logs=None):
                made.append(self)

        try:
            callbacks.register_callback_constructor(1, Told)
            make().fit(X, Y, verbose=0)
            assert made == []
            make().fit(X, Y, verbose=2)
            assert len(made) == 1
        finally:
            callbacks.clear_callback_constructors()


class TestTensorBoard:
    @pytest.fixture
    def found(self, tmp_path):
        pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")

        def run(**settings):
            make().fit(
                X,
                Y,
                batch_size=6,
                epochs=2,
                validation_data=(X, Y),
                verbose=0,
                callbacks=callbacks.TensorBoard(tmp_path / "logs", **settings),
            )
            return {name: events(tmp_path / "logs" / name) for name in ("train", "validation")}

        return run

    def test_epochs(self, found):
        tags = found()
        assert {t for t, _ in tags["train"]} == {
            "epoch_loss", "epoch_learning_rate", "model/summary/text_summary", "model/config/text_summary",
        }  # fmt: skip
        assert sorted(step for t, step in tags["train"] if t == "epoch_loss") == [0, 1]
        assert sorted(tags["validation"]) == [("epoch_loss", 0), ("epoch_loss", 1)]

    def test_batches_speed_and_weights(self, found):
        tags = found(
            update_freq="batch", histogram_freq=1, write_images=True, write_steps_per_second=True, write_graph=False
        )["train"]
        assert sorted(step for t, step in tags if t == "batch_loss") == list(range(1, 9))
        names = {t for t, _ in tags}
        assert "epoch_steps_per_second" in names
        assert any(t.endswith("kernel/histogram") for t in names)
        assert any(t.endswith("bias/image") for t in names)

    def test_tensorboard_itself_reads_them(self, found, tmp_path):
        reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        found(update_freq="batch", histogram_freq=1, write_images=True)
        for name in ("train", "validation"):
            read = reading.EventAccumulator(str(tmp_path / "logs" / name))
            read.Reload()
            assert [event.step for event in read.Scalars("epoch_loss")] == [0, 1]
            assert all(np.isfinite(event.value) for event in read.Scalars("epoch_loss"))
            if name == "train":
                tags = read.Tags()
                assert {tag.rpartition("/")[0].rpartition("/")[2] for tag in tags["histograms"]} == {"kernel", "bias"}
                assert tags["images"]
                assert "model/summary/text_summary" in tags["tensors"]

    def test_every_few_batches(self, found):
        tags = found(update_freq=3)["train"]
        assert sorted(step for t, step in tags if t == "batch_loss") == [3, 6]

    @pytest.mark.parametrize(
        "settings", [{"profile_batch": (2, 5)}, {"embeddings_freq": 1}, {"update_freq": 0}, {"histogram_freq": -1}]
    )
    def test_refused(self, settings):
        with pytest.raises(LaminaError):
            callbacks.TensorBoard(**settings)

    def test_without_the_library(self, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "tensorboardX", None)
        with pytest.raises(LaminaError, match=r"lamina\[tensorboard\]"):
            make().fit(X, Y, callbacks=callbacks.TensorBoard(), verbose=0)


def events(folder):
    """The tags and steps in the event files of a folder."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in folder.iterdir():
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + size])
            found += [(value.tag, event.step) for value in event.summary.value]
            data = data[16 + size :]
    return found
