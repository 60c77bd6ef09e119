"""What ``fit``, ``evaluate`` and ``predict`` take: data of every kind, steps, validation, weights of classes."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Sequential, layers, ops, optimizers
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, LaminaError

GENERATOR = np.random.default_rng(2)
X = GENERATOR.normal(size=(20, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1).astype(np.float32)
LABELS = (Y[:, 0] > 0).astype(np.int32)
WEIGHTS = GENERATOR.random(20).astype(np.float32)


def make(**settings):
    lamina.random.set_seed(4)
    model = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", **settings})
    return model


def classifier(**settings):
    lamina.random.set_seed(4)
    model = Sequential([layers.Dense(2, activation="softmax", input_shape=(3,))])
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **settings})
    return model


def two_outputs(**settings):
    lamina.random.set_seed(4)
    x = lamina.Input((3,))
    model = lamina.Model(x, [layers.Dense(2, activation="softmax", name="p")(x), layers.Dense(1, name="q")(x)])
    model.compile(**{"optimizer": "sgd", "loss": ["sparse_categorical_crossentropy", "mse"], **settings})
    return model


def batches(size=5, weights=False):
    for start in range(0, 20, size):
        place = slice(start, start + size)
        yield (X[place], Y[place], WEIGHTS[place]) if weights else (X[place], Y[place])


class Numbered:
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[5 * i : 5 * i + 5], Y[5 * i : 5 * i + 5]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


class TestSources:
    """All give what arrays in the same order give, bit for bit."""

    @pytest.fixture
    def expected(self):
        model = make()
        history = model.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0).history
        return model, history

    def sources(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
        return {
            "list of batches": iter([batch for _ in range(3) for batch in batches()]),
            "numbered": Numbered(),
            "loader": torch.utils.data.DataLoader(data, batch_size=5),
            "dataset": lamina.data.from_arrays((X, Y)).batch(5) if hasattr(lamina.data, "from_arrays") else Numbered(),
            "javascript": [{"xs": x, "ys": y} for x, y in batches()].__iter__(),
        }

    @pytest.mark.parametrize("kind", ["list of batches", "numbered", "loader", "dataset"])
    def test_fit(self, expected, kind):
        model = make()
        steps = 4 if kind == "list of batches" else None
        history = model.fit(self.sources()[kind], epochs=3, shuffle=False, steps_per_epoch=steps, verbose=0).history
        assert history == expected[1]
        assert same(model, expected[0])

    @pytest.mark.parametrize("kind", ["numbered", "loader", "dataset", "javascript"])
    def test_evaluate_and_predict(self, kind):
        model = make()
        assert model.evaluate(self.sources()[kind]) == model.evaluate(X, Y, batch_size=5)
        np.testing.assert_array_equal(model.predict(self.sources()[kind]), model.predict(X, batch_size=5))

    def test_weights_in_batches(self):
        one, other = make(), make()
        a = one.fit(batches(weights=True), verbose=0).history
        assert a == other.fit(X, Y, sample_weight=WEIGHTS, batch_size=5, shuffle=False, verbose=0).history
        assert same(one, other)

    def test_frames_for_several_inputs(self):
        pandas = pytest.importorskip("pandas", reason="pandas is not installed")
        a, b = lamina.Input((1,), name="a"), lamina.Input((1,), name="b")
        model = lamina.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
        model.compile("sgd", "mse")
        frame = pandas.DataFrame({"b": X[:, 1], "a": X[:, 0]})
        history = model.fit(frame, pandas.Series(Y[:, 0]), epochs=3, verbose=0).history["loss"]
        assert history[-1] < history[0]
        np.testing.assert_array_equal(model.predict(frame), model.predict([X[:, :1], X[:, 1:2]]))

    def test_tensors_of_other_backends(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        one, other = make(), make()
        one.fit(torch.tensor(X), torch.tensor(Y), seed=1, verbose=0)
        other.fit(X, Y, seed=1, verbose=0)
        assert same(one, other)

    def test_batches_of_many_lengths(self):
        model = make()
        model.compile("sgd", "mse")

        def some():
            for size in (1, 2, 3, 4, 3, 2, 1, 4):
                yield X[:size], Y[:size]

        history = model.fit(some(), verbose=0).history
        assert len(history["loss"]) == 1

    def test_a_bad_batch_on_the_way(self):
        def some():
            yield X[:5], Y[:5]
            yield X[:5, :2], Y[:5]

        with pytest.raises(LaminaError, match="takes shape"):
            make().fit(some(), verbose=0)

        def labels():
            yield X[:5], LABELS[:5]
            yield X[:5], LABELS[:5] + 3

        with pytest.raises(DataError, match="the class number"):
            classifier().fit(labels(), verbose=0)


class TestSteps:
    def test_epochs_go_on_where_the_last_one_ended(self):
        one, other = make(), make()
        one.fit(X, Y, batch_size=5, steps_per_epoch=2, epochs=6, seed=1, verbose=0)
        other.fit(X, Y, batch_size=5, epochs=3, seed=1, verbose=0)
        assert same(one, other)

    def test_a_generator_that_ends_too_soon(self):
        model = make()
        with pytest.warns(UserWarning, match="the data ended in epoch 2, after 1 batches"):
            history = model.fit(batches(), steps_per_epoch=3, epochs=5, verbose=0)
        assert history.epoch == [0, 1]

    def test_a_generator_for_several_epochs(self):
        with pytest.warns(UserWarning, match="the data ended in epoch 2, after 0 batches"):
            history = make().fit(batches(), epochs=5, verbose=0)
        assert history.epoch == [0]

    def test_an_endless_generator(self):
        def endless():
            while True:
                yield from batches()

        history = make().fit(endless(), steps_per_epoch=3, epochs=4, validation_data=endless(), validation_steps=2,
                             verbose=0)  # fmt: skip
        assert len(history.history["val_loss"]) == 4

    def test_of_evaluate_and_predict(self):
        model = make()
        assert model.evaluate(X, Y, batch_size=5, steps=2) == model.evaluate(X[:10], Y[:10], batch_size=5)
        assert len(model.predict(X, batch_size=5, steps=3)) == 15

    @pytest.mark.parametrize("name", ["steps_per_epoch", "validation_steps"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, True, "all"])
    def test_refused(self, name, value):
        with pytest.raises(LaminaError, match=name):
            make().fit(X, Y, **{"validation_data": (X, Y), name: value}, verbose=0)


class TestValidation:
    @pytest.mark.parametrize(("frequency", "epochs"), [(1, 4), (2, 2), (3, 1), ([1, 4], 2), ((9,), 0)])
    def test_frequency(self, frequency, epochs):
        model = make()
        history = model.fit(X, Y, epochs=4, validation_data=(X, Y), validation_freq=frequency, verbose=0).history
        assert len(history.get("val_loss", [])) == epochs

    def test_of_any_kind(self):
        expected = make().fit(X, Y, seed=1, validation_data=(X, Y), validation_batch_size=5, verbose=0).history
        for data in (Numbered(), batches(), iter(list(batches()))):
            assert make().fit(X, Y, seed=1, validation_data=data, verbose=0).history == expected

    def test_a_generator_that_has_ended(self):
        with pytest.warns(UserWarning, match="the data for validation have ended"):
            history = make().fit(X, Y, epochs=2, validation_data=batches(), verbose=0).history
        assert [len(values) for values in history.values()] == [2, 1]

    def test_classes_do_not_weigh_in_it(self):
        one, other = classifier(), classifier()
        a = one.fit(X, LABELS, validation_split=0.4, class_weight={0: 9.0, 1: 5.0}, verbose=0, shuffle=False).history
        expected = one.evaluate(X[12:], LABELS[12:])
        assert a["val_loss"] == [pytest.approx(expected, rel=1e-6)]
        b = other.fit(X[:12], LABELS[:12], class_weight={0: 9.0, 1: 5.0}, verbose=0, shuffle=False).history
        assert a["loss"] == b["loss"]

    @pytest.mark.parametrize("data", [X, (X,), (X, Y, WEIGHTS, X)])
    def test_no_pair(self, data):
        with pytest.raises(ArgumentTypeError, match="not a pair"):
            make().fit(X, Y, validation_data=data, verbose=0)

    def test_a_part_of_batches(self):
        with pytest.raises(ArgumentError, match="validation_split"):
            make().fit(Numbered(), validation_split=0.5, verbose=0)


class TestWeights:
    def test_count_in_weighted_metrics_only(self):
        model = make(metrics=["mae"], weighted_metrics=["mae", "mse"])
        logs = model.evaluate(X, Y, sample_weight=WEIGHTS, return_dict=True)
        error = (model.predict(X) - Y)[:, 0]
        assert list(logs) == ["loss", "mae", "weighted_mae", "mse"]
        assert logs["loss"] == pytest.approx(np.mean(WEIGHTS * error**2), rel=1e-5)
        assert logs["mae"] == pytest.approx(np.mean(np.abs(error)), rel=1e-5)
        assert logs["weighted_mae"] == pytest.approx(np.average(np.abs(error), weights=WEIGHTS), rel=1e-5)
        assert logs["mse"] == pytest.approx(np.average(error**2, weights=WEIGHTS), rel=1e-5)

    @pytest.mark.parametrize(
        "class_weight", [[{0: 1.0, 1: 3.0}, None], {"p": {0: 1.0, 1: 3.0}}, {"p": {0: 1.0, 1: 3.0}, "q": None}]
    )
    def test_of_classes_by_output(self, class_weight):
        one, other = two_outputs(), two_outputs()
        targets = [LABELS, Y]
        a = one.fit(X, targets, class_weight=class_weight, seed=1, verbose=0).history
        weights = [np.where(LABELS == 1, 3.0, 1.0), np.ones(20)]
        assert a == other.fit(X, targets, sample_weight=weights, seed=1, verbose=0).history
        assert same(one, other)

    def test_of_samples_by_output(self):
        runs = []
        for weights in ([WEIGHTS, None], {"p": WEIGHTS}, [WEIGHTS, np.ones(20)]):
            runs.append(two_outputs().fit(X, [LABELS, Y], sample_weight=weights, seed=1, verbose=0).history)
        assert runs[0] == runs[1] == runs[2]

    def test_of_classes_in_batches(self):
        one, other = classifier(), classifier()

        def some():
            for start in range(0, 20, 5):
                yield X[start : start + 5], LABELS[start : start + 5]

        a = one.fit(some(), class_weight={0: 1.0, 1: 3.0}, verbose=0).history
        b = other.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, batch_size=5, shuffle=False, verbose=0).history
        assert a == b

    @pytest.mark.parametrize(
        "class_weight",
        [{0: 1.0}, [{0: 1.0}], {"r": {0: 1.0}, "p": None}, 3.0, {0: 1.0, 1: 2.0}],
        ids=["one dict", "too few", "unknown output", "a number", "one dict for two"],
    )
    def test_refused(self, class_weight):
        model = two_outputs()
        before = model.get_weights()
        with pytest.raises(LaminaError, match="class_weight"):
            model.fit(X, [LABELS, Y], class_weight=class_weight, verbose=0)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        "weights",
        [WEIGHTS[:5], {"r": WEIGHTS}, [WEIGHTS] * 3, np.full(20, np.nan), np.ones((20, 7)), [None, np.ones((20, 3))]],
    )
    def test_of_samples_refused(self, weights):
        model = two_outputs()
        with pytest.raises(LaminaError, match="sample_weight"):
            model.fit(X, [LABELS, Y], sample_weight=weights, verbose=0)


class TestOutputs:
    def test_nested(self):
        x = lamina.Input((3,))
        outputs = {"a": layers.Dense(1, name="p")(x), "b": [layers.Dense(1, name="q")(x), layers.Dense(2, name="r")(x)]}
        model = lamina.Model(x, outputs)
        model.compile(
            "sgd",
            {"a": "mse", "b": ["mse", "mae"]},
            {"a": 1.0, "b": [0.5, 2.0]},
            metrics={"a": "mae", "b": [["mae"], ["mse"]]},
        )
        targets = {"a": Y, "b": [Y, np.repeat(Y, 2, 1)]}
        logs = model.evaluate(X, targets, return_dict=True)
        assert list(logs) == ["loss", "a_loss", "b_0_loss", "b_1_loss", "a_mae", "b_0_mae", "b_1_mse"]
        assert logs["loss"] == pytest.approx(logs["a_loss"] + 0.5 * logs["b_0_loss"] + 2 * logs["b_1_loss"], rel=1e-5)
        assert model.predict(X)["b"][1].shape == (20, 2)

    def test_without_targets_for_one_that_has_no_loss(self):
        model = two_outputs(loss=[None, "mse"], metrics=[None, ["mae"]])
        history = model.fit(X, [None, Y], verbose=0).history
        assert list(history) == ["loss", "q_loss", "q_mae"]

    def test_a_loss_without_targets(self):
        with pytest.raises(DataError, match="no targets for the output 'q'"):
            two_outputs().fit(X, [LABELS, None], verbose=0)

    def test_metrics_for_all_are_each_ones_own(self):
        model = two_outputs(metrics=[["accuracy"], ["mae", "mse"]])
        assert list(model.evaluate(X, [LABELS, Y], return_dict=True)) == [
            "loss", "p_loss", "q_loss", "p_accuracy", "q_mae", "q_mse",
        ]  # fmt: skip


class TestSettings:
    def test_whole_batches_shuffled(self):
        seen = []

        class Keeps(lamina.Model):
            def train_step(self, data):
                return {"first": ops.min(data.x), "last": ops.max(data.x)}

        x = lamina.Input((1,))
        model = Keeps(x, layers.Dense(1)(x))
        model.compile("sgd", "mse")
        told = lamina.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(tuple(logs.values())))
        numbers = np.arange(12, dtype=np.float32)[:, None]
        model.fit(numbers, numbers, batch_size=3, shuffle="batch", callbacks=told, verbose=0, seed=1)
        assert sorted(seen) == [(0, 2), (3, 5), (6, 8), (9, 11)]
        assert seen != sorted(seen)

    @pytest.mark.parametrize("shuffle", ["all", 1, None])
    def test_no_shuffle(self, shuffle):
        with pytest.raises(ArgumentTypeError, match="shuffle"):
            make().fit(X, Y, shuffle=shuffle, verbose=0)

    @pytest.mark.parametrize(
        "settings",
        [
            {"steps_per_execution": 0},
            {"steps_per_execution": 1.5},
            {"jit_compile": "yes"},
            {"auto_scale_loss": 1},
            {"run_eagerly": "no"},
            {"optimizer": None},
            {"weighted_metrics": ["acuracy"]},
            {"loss_weights": {"r": 1.0}, "loss": {"p": "mse"}},
            {"loss": {}},
        ],
        ids=str,
    )
    def test_compile_refuses(self, settings):
        model = make()
        optimizer = model.optimizer
        with pytest.raises(LaminaError):
            model.compile(**{"optimizer": "sgd", "loss": "mse", **settings})
        assert model.optimizer is optimizer

    def test_compile_defaults(self):
        model = make()
        model.compile(loss="mse")
        assert type(model.optimizer) is optimizers.RMSprop

    @pytest.mark.parametrize("jit_compile", [True, False, "auto"])
    def test_jit_compile_changes_nothing(self, jit_compile):
        one, other = make(jit_compile=jit_compile), make()
        assert one.fit(X, Y, seed=1, verbose=0).history == other.fit(X, Y, seed=1, verbose=0).history

    def test_a_frozen_layer_without_weights_to_train(self):
        model = Sequential([layers.BatchNormalization(center=False, scale=False, input_shape=(3,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        model.layers[0].trainable = False
        before = model.layers[0].get_weights()
        model.fit(X, Y, verbose=0)
        for a, b in zip(before, model.layers[0].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_weighted_metrics_are_saved(self):
        model = make(weighted_metrics=["mae"])
        model.save("memory://weighted")
        assert lamina.load_model("memory://weighted").evaluate(X, Y) == model.evaluate(X, Y)

    def test_models_that_keep_states_want_whole_batches(self):
        class Keeps(layers.Dense):
            stateful = True

        model = Sequential([Keeps(1, input_shape=(3,))])
        model.compile("sgd", "mse")
        for call in (
            lambda: model.fit(X, Y, batch_size=6, verbose=0),
            lambda: model.fit(X, Y, batch_size=8, validation_split=0.2, validation_batch_size=3, verbose=0),
            lambda: model.evaluate(X, Y, batch_size=6),
            lambda: model.predict(X, batch_size=6, steps=1),
        ):
            with pytest.raises(DataError, match="a multiple of batch_size"):
                call()
        model.fit(X, Y, batch_size=5, verbose=0)

    def test_gradients_gathered_over_steps(self):
        one, other = (
            make(optimizer=optimizers.SGD(0.1, gradient_accumulation_steps=2)),
            make(optimizer=optimizers.SGD(0.1)),
        )
        one.fit(X, Y, batch_size=5, shuffle=False, verbose=0)
        other.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)

    def test_averages_are_put_in_place_at_the_end(self):
        model = make(optimizer=optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
        model.fit(X, Y, batch_size=5, verbose=0)
        for weight in model.weights:
            np.testing.assert_array_equal(weight.numpy(), model.optimizer.slots_of(weight)["average"].numpy())
