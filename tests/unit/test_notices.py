"""Where errors say that they were, where warnings point to, and what is going away."""

from __future__ import annotations

import inspect
import re
import warnings

import numpy as np
import pytest

import lamina
from lamina import layers, notices
from lamina.io import filesystem

X, Y = np.ones((8, 3), np.float32), np.ones((8, 2), np.float32)


def notes(function):
    """The notes of the error that a function raises, and the error."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function()
    return getattr(caught.value, "__notes__", []), caught.value


def compiled(loss="mse", **settings):
    model = lamina.Sequential([layers.Dense(2, input_shape=(3,), name="last")], name="small")
    model.compile("sgd", loss, **settings)
    return model


class Broken(layers.Layer):
    """Has a mistake that shows when it is called, or when it is loaded."""

    def call(self, x):
        return [x][1]

    @classmethod
    def from_config(cls, config):
        raise OSError("nothing")


class Block(layers.Layer):
    """Keeps a layer inside."""

    def __init__(self, inner, **common):
        super().__init__(**common)
        self.inner = inner

    def call(self, x):
        return self.inner(x)


class TestWhereAnErrorWas:
    def test_in_a_layer_of_a_deep_model(self):
        inside = lamina.Sequential([layers.Dense(4, name="one"), Broken(name="gate")], name="inside")
        deep = lamina.Sequential([layers.Dense(4, name="two"), Block(inside, name="block")], name="deep")
        found, error = notes(lambda: deep(X))
        assert isinstance(error, IndexError)
        assert [note for note in found if "For inputs" not in note] == [
            f"  In layer 'gate' (Broken of {__name__}).",
            "  In layer 'inside' (Sequential).",
            f"  In layer 'block' (Block of {__name__}).",
            "  In layer 'deep' (Sequential).",
        ]

    @pytest.mark.parametrize("ahead", [0, 2])
    def test_in_the_function_of_a_dataset(self, ahead):
        def scaled(x, y):
            if x[0] > 4:
                raise KeyError("scale")
            return x, y

        data = lamina.data.Dataset.from_arrays((np.arange(24.0).reshape(8, 3), Y)).map(scaled).batch(1)
        found, error = notes(lambda: compiled().fit(data.prefetch(ahead) if ahead else data, epochs=2, verbose=0))
        assert isinstance(error, KeyError)
        assert found == [
            "  In the function 'scaled' of Dataset.map, at element 2 (counted from 0).",
            "  In fit: epoch 0, batch 2 (counted from 0).",
        ]

    def test_in_a_filter_and_a_generator(self):
        numbers = lamina.data.from_list([1, 0])
        assert notes(lambda: numbers.filter(lambda n: 1 / n).to_list())[0] == [
            "  In the function '<lambda>' of Dataset.filter, at element 1 (counted from 0)."
        ]

        def rows():
            yield 1
            raise OSError("gone")

        assert notes(lambda: lamina.data.from_generator(rows).to_list())[0] == [
            "  In the generator 'rows' of from_generator, after 1 elements."
        ]

    def test_in_a_generator_given_to_fit(self):
        def batches():
            yield X, Y
            yield X, Y
            raise OSError("gone")

        found, _ = notes(lambda: compiled().fit(batches(), steps_per_epoch=5, verbose=0))
        assert found == ["  In fit: epoch 0, batch 2 (counted from 0)."]

    def test_in_a_callback(self):
        class Watcher(lamina.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                return {}[batch] if batch == 3 else None

        found, _ = notes(lambda: compiled().fit(X, Y, batch_size=2, verbose=0, callbacks=[Watcher()]))
        assert found == [
            "  In the callback Watcher: on_train_batch_end, batch 3 (counted from 0).",
            "  In fit: epoch 0, batch 3 (counted from 0).",
        ]
        ending = {"on_epoch_end": lambda epoch, logs: 1 // (1 - epoch)}
        found, _ = notes(lambda: compiled().fit(X, Y, epochs=3, verbose=0, callbacks=[ending]))
        assert found == ["  In the callback LambdaCallback: on_epoch_end, epoch 1 (counted from 0)."]

    @pytest.mark.parametrize("kind", ["loss", "metric"])
    def test_in_a_loss_and_a_metric(self, kind):
        def strange(y_true, y_pred):
            return y_pred.nothing_of_that_name

        model = compiled(strange) if kind == "loss" else compiled(metrics=[strange])
        found, error = notes(lambda: model.fit(X, Y, verbose=0))
        assert isinstance(error, AttributeError)
        assert found[0] == f"  In the {kind} 'strange' of the output 'last': targets (8, 2), outputs (8, 2)."

    def test_in_evaluate_predict_and_validation(self):
        class Late(lamina.callbacks.Callback):
            def on_test_batch_end(self, batch, logs=None):
                return [0][batch]

            def on_predict_batch_end(self, batch, logs=None):
                return [0][batch]

        model = compiled()
        told = "  In the callback Late: on_{}_batch_end, batch 1 (counted from 0)."
        found, _ = notes(lambda: model.evaluate(X, Y, batch_size=2, callbacks=[Late()]))
        assert found == [told.format("test"), "  In evaluate: batch 1 (counted from 0)."]
        found, _ = notes(lambda: model.predict(X, batch_size=2, callbacks=[Late()]))
        assert found == [told.format("predict"), "  In predict: batch 1 (counted from 0)."]
        found, _ = notes(lambda: model.fit(X, Y, batch_size=2, validation_split=0.5, verbose=0, callbacks=[Late()]))
        assert found[1:] == [
            "  In evaluate: batch 1 (counted from 0).",
            "  In fit: validation after epoch 0 (counted from 0).",
        ]

    def test_in_a_kernel(self, monkeypatch):
        functions = lamina.get_backend().kernels.functions
        monkeypatch.setitem(functions, "tanh", lambda x: 1 / 0)
        x = lamina.ones((2, 3))
        name = lamina.get_backend().name
        assert notes(lambda: lamina.tanh(x))[0] == [f"  In the op 'tanh' on the backend '{name}': float32 (2, 3)."]

    def test_in_a_handler_and_in_a_class_that_is_loaded(self, tmp_path):
        class Shelf:
            def save(self, artifacts):
                return {}["shelf"]

            def load(self):
                return [][0]

        model = lamina.Sequential([layers.Dense(2, input_shape=(3,)), layers.ReLU()])
        expected = [f"  In {Shelf.__qualname__} of {__name__}, for {Shelf.__qualname__}."]
        assert notes(lambda: model.save(Shelf()))[0] == expected
        assert notes(lambda: lamina.load_model(Shelf()))[0] == expected
        path = tmp_path / "saved"
        model.save(path)
        description = path / "model.json"
        description.write_text(description.read_text().replace('"ReLU"', '"Broken"'))
        found, error = notes(lambda: lamina.load_model(path, custom_objects={"Broken": Broken}))
        assert isinstance(error, OSError)
        assert re.fullmatch(r"  In loading '.*saved'\.", found[-1])


def eager_step():
    class Reading(lamina.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(2)

        def call(self, x, training=False):
            return self.last(x) * float(lamina.max(x).item())

    model = Reading()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=2, verbose=0)


def ended():
    compiled().fit(((X, Y) for _ in range(1)), steps_per_epoch=1, epochs=2, verbose=0)


def unwatched():
    compiled().fit(X, Y, verbose=0, callbacks=[lamina.callbacks.EarlyStopping(monitor="val_loss")])


def rounded():
    lamina.metrics.IoU(2, (0, 1), dtype="int32").update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])


WARNINGS = {
    eager_step: "the step '.*' runs eagerly: .*",
    ended: "the data ended in epoch 2, after 0 batches; .* such as lamina.data.from_generator.*",
    unwatched: "EarlyStopping watches 'val_loss', which is not there: the logs hold loss.*",
    rounded: "io_u.*: weights are rounded down to int32; make the metric with dtype='float32'.",
}


class TestWhereAWarningPoints:
    @pytest.mark.parametrize("action", WARNINGS, ids=lambda action: action.__name__)
    def test_to_the_line_of_the_caller(self, action):
        with pytest.warns(UserWarning, match=WARNINGS[action]) as told:
            action()
        lines, first = inspect.getsourcelines(action)
        assert {(one.filename, first <= one.lineno < first + len(lines)) for one in told} == {(__file__, True)}

    def test_a_disk_that_does_not_promise(self, monkeypatch, tmp_path):
        def refuse(folder):
            if (tmp_path / "model" / "model.json").exists():
                raise OSError(5, "no promise")

        monkeypatch.setattr(filesystem, "sync_folder", refuse)
        with pytest.warns(RuntimeWarning, match="may be lost if the power fails now: no promise") as told:
            compiled().save(tmp_path / "model")
        assert {one.filename for one in told} == {__file__}

    def test_it_is_shown_once_for_each_line(self):
        with warnings.catch_warnings(record=True) as told:
            warnings.resetwarnings()
            warnings.simplefilter("default")
            for _ in range(3):
                notices.warn("mind the step")
            notices.warn("mind the step")
        assert len({one.lineno for one in told}) == len(told) == 2


@notices.going(instead="lamina.fresh", goes="9.9")
def stale(x):
    """Gives x."""
    return x


class Stale:
    @notices.going(instead="fresh()", goes="9.9")
    def method(self):
        return 2


@notices.going(instead="Fresh", goes="9.9")
class StaleClass(Stale):
    def __init__(self, value):
        self.value = value


class Heir(StaleClass):
    pass


class TestGoing:
    def test_what_is_going_warns_at_the_caller_and_works(self):
        for call, name, instead in (
            (lambda: stale(2), "stale", "lamina.fresh"),
            (lambda: Stale().method(), "method", "fresh()"),
            (lambda: StaleClass(2).value, "StaleClass", "Fresh"),
            (lambda: Heir(2).value, "StaleClass", "Fresh"),
        ):
            message = f"{name} will go away in lamina 9.9: use {instead} instead."
            with pytest.warns(DeprecationWarning, match=re.escape(message)) as told:
                assert call() == 2
            assert [one.filename for one in told] == [__file__]

    def test_the_rest_of_it_stays(self):
        assert (stale.__name__, stale.__doc__) == ("stale", "Gives x.")
        assert isinstance(StaleClass, type)

    def test_a_name_of_an_argument(self):
        with pytest.warns(DeprecationWarning, match="the argument 'lr' will go away in lamina 9.9: use") as told:
            notices.warn_going("the argument 'lr'", "'learning_rate'", "9.9")
        assert told[0].filename == __file__

    def test_python_shows_it_once_for_each_line(self):
        with warnings.catch_warnings(record=True) as told:
            warnings.resetwarnings()
            warnings.simplefilter("default", DeprecationWarning)
            for _ in range(3):
                stale(1)
            stale(1)
        assert len({one.lineno for one in told}) == len(told) == 2
