"""compile, fit, evaluate, predict and single batches: what is computed, what is logged, what is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import lamina
from lamina import Sequential, callbacks, layers, losses, metrics, ops, optimizers
from lamina.errors import ArgumentError, DataError, LaminaError, NotBuiltError

GENERATOR = np.random.default_rng(2)
X = GENERATOR.normal(size=(20, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1).astype(np.float32)
LABELS = (Y[:, 0] > 0).astype(np.int32)


def regression(optimizer="sgd", **settings):
    lamina.random.set_seed(4)
    model = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    model.compile(**{"optimizer": optimizer, "loss": "mse", **settings})
    return model


def classifier(**settings):
    lamina.random.set_seed(4)
    model = Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(2, activation="softmax")])
    model.compile(
        **{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **settings}
    )
    return model


def two_outputs(**settings):
    lamina.random.set_seed(4)
    x = lamina.Input(shape=(3,), name="x")
    model = lamina.Model(x, [layers.Dense(1, name="p")(x), layers.Dense(2, name="q")(x)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **settings})
    return model


TARGETS = [Y, np.concatenate([Y, Y], 1)]


def mse(model, x, y):
    return float(np.mean(np.square(model.predict(x) - y)))


def weights_equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


class TestFit:
    def test_learns(self):
        model = regression(optimizers.Adam(0.05))
        history = model.fit(X, Y, epochs=60, batch_size=5, verbose=0, seed=1).history
        assert history["loss"][-1] < 0.05 * history["loss"][0]

    def test_one_step_of_sgd_by_hand(self):
        model = Sequential([layers.Dense(1, input_shape=(3,))])
        model.compile(optimizer=optimizers.SGD(0.1), loss="mse")
        kernel, bias = model.get_weights()
        error = X @ kernel + bias - Y
        model.fit(X, Y, batch_size=20, shuffle=False, verbose=0)
        np.testing.assert_allclose(model.get_weights()[0], kernel - 0.1 * 2 * X.T @ error / 20, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.get_weights()[1], bias - 0.1 * 2 * error.mean(0), rtol=1e-5, atol=1e-6)

    def test_loss_of_the_epoch_is_the_mean_over_examples(self):
        model = regression(optimizers.SGD(0.0))
        expected = mse(model, X, Y)
        for size in (3, 7, 20, 100):
            assert model.fit(X, Y, batch_size=size, verbose=0).history["loss"] == [pytest.approx(expected, rel=1e-5)]

    def test_history(self):
        model = classifier(metrics=["accuracy", "sparse_categorical_crossentropy"])
        history = model.fit(X, LABELS, epochs=3, validation_data=(X, LABELS), verbose=0)
        names = ["loss", "accuracy", "sparse_categorical_crossentropy"]
        assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
        assert all(len(values) == 3 for values in history.history.values())
        assert all(type(value) is float for values in history.history.values() for value in values)
        assert history.epoch == [0, 1, 2]
        assert model.history is history
        assert model.metrics_names == names

    def test_validation_is_evaluated_after_the_epoch(self):
        model = regression()
        history = model.fit(X, Y, epochs=2, validation_data=(X[:7], Y[:7]), verbose=0, validation_batch_size=2).history
        assert history["val_loss"][-1] == pytest.approx(mse(model, X[:7], Y[:7]), rel=1e-5)

    def test_validation_with_weights(self):
        model = regression()
        weight = np.arange(5.0)
        history = model.fit(X, Y, validation_data=(X[:5], Y[:5], weight), verbose=0).history
        expected = model.evaluate(X[:5], Y[:5], sample_weight=weight)
        assert history["val_loss"] == [pytest.approx(expected, rel=1e-6)]

    def test_validation_split_takes_the_last_part(self):
        model, other = regression(), regression()
        history = model.fit(X, Y, validation_split=0.25, epochs=2, verbose=0, seed=1).history
        same = other.fit(X[:15], Y[:15], validation_data=(X[15:], Y[15:]), epochs=2, verbose=0, seed=1).history
        assert history == same
        assert weights_equal(model, other)

    def test_shuffle_is_reproducible_by_seed(self):
        runs = [regression() for _ in range(3)]
        for model, seed in zip(runs, (5, 5, 6), strict=True):
            model.fit(X, Y, epochs=2, batch_size=4, seed=seed, verbose=0)
        assert weights_equal(runs[0], runs[1])
        assert not weights_equal(runs[0], runs[2])

    def test_shuffle_follows_the_global_seed(self):
        def run():
            model = regression()
            lamina.random.set_seed(8)
            return model.fit(X, Y, epochs=2, batch_size=4, verbose=0).history

        assert run() == run()

    def test_each_epoch_has_its_own_order_and_each_example_comes_once(self):
        seen = []

        class Keeps(lamina.Model):
            def train_step(self, data):
                return {"first": ops.sum(data.x)}

        x = lamina.Input(shape=(1,))
        model = Keeps(x, layers.Dense(1)(x))
        model.compile(optimizer="sgd", loss="mse")
        numbers = np.arange(12, dtype=np.float32).reshape(12, 1)
        told = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["first"]))
        model.fit(numbers, numbers, batch_size=1, epochs=2, callbacks=told, verbose=0)
        first, second = seen[:12], seen[12:]
        assert sorted(first) == sorted(second) == list(range(12))
        assert first != second
        assert first != list(range(12))

    def test_without_shuffle_in_order(self):
        one, other = regression(), regression()
        one.fit(X, Y, batch_size=6, shuffle=False, verbose=0)
        for start in range(0, 20, 6):
            other.train_on_batch(X[start : start + 6], Y[start : start + 6])
        assert weights_equal(one, other)

    def test_initial_epoch_goes_on_as_if_it_had_not_stopped(self):
        whole, parts = regression("adam"), regression("adam")
        whole.fit(X, Y, epochs=5, batch_size=4, seed=3, verbose=0)
        parts.fit(X, Y, epochs=2, batch_size=4, seed=3, verbose=0)
        history = parts.fit(X, Y, initial_epoch=2, epochs=5, batch_size=4, seed=3, verbose=0)
        assert history.epoch == [2, 3, 4]
        assert weights_equal(whole, parts)

    def test_no_epochs(self):
        model = regression()
        before = model.get_weights()
        assert model.fit(X, Y, epochs=0, verbose=0).history == {}
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))

    def test_targets_of_one_number_per_example(self):
        one, other = regression(), regression()
        assert one.fit(X, Y[:, 0], verbose=0, seed=1).history == other.fit(X, Y, verbose=0, seed=1).history

    def test_inputs_of_one_number_per_example(self):
        model = Sequential([layers.Dense(1, input_shape=(1,))])
        model.compile(optimizer="sgd", loss="mse")
        model.fit([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], verbose=0)
        assert model.predict(np.array([1.0, 2.0])).shape == (2, 1)

    def test_lists_tensors_and_other_dtypes(self):
        model, other = regression(), regression()
        model.fit(X.astype(np.float64), Y.tolist(), verbose=0, seed=1)
        other.fit(lamina.tensor(X), lamina.tensor(Y), verbose=0, seed=1)
        assert weights_equal(model, other)

    def test_inside_fit_it_is_refused(self):
        model = regression()
        told = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.fit(X, Y, verbose=0))
        with pytest.raises(ArgumentError, match="while fit is running"):
            model.fit(X, Y, callbacks=told, verbose=0)
        model.fit(X, Y, verbose=0)

    def test_an_exception_in_a_callback_leaves_the_model_usable(self):
        model = regression()

        def fail(epoch, logs):
            raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            model.fit(X, Y, callbacks=callbacks.LambdaCallback(on_epoch_begin=fail), verbose=0)
        assert len(model.fit(X, Y, verbose=0).epoch) == 1


class TestWeightsOfExamples:
    def test_sample_weight(self):
        weight = np.array([1.0, 2.0, 0.0, 0.5] * 5, np.float32)
        model = regression()
        error = np.square(model.predict(X) - Y)[:, 0]
        assert model.evaluate(X, Y, sample_weight=weight) == pytest.approx((error * weight).mean(), rel=1e-5)

    def test_a_weight_of_zero_is_as_absent_but_for_the_mean(self):
        one, other = regression(optimizers.SGD(0.1)), regression(optimizers.SGD(0.05))
        weight = np.array([1.0] * 10 + [0.0] * 10)
        one.fit(X, Y, sample_weight=weight, batch_size=20, shuffle=False, verbose=0)
        other.fit(X[:10], Y[:10], batch_size=10, shuffle=False, verbose=0)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_class_weight_is_sample_weight_by_class(self):
        one, other = classifier(), classifier()
        one.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, verbose=0, seed=1)
        other.fit(X, LABELS, sample_weight=np.where(LABELS == 1, 3.0, 1.0), verbose=0, seed=1)
        assert weights_equal(one, other)

    def test_class_weight_of_one_hot_labels(self):
        one, other = (classifier(loss="categorical_crossentropy") for _ in range(2))
        hot = np.eye(2, dtype=np.float32)[LABELS]
        one.fit(X, hot, class_weight={0: 2.0, 1: 0.5}, verbose=0, seed=1)
        other.fit(X, hot, sample_weight=np.where(LABELS == 1, 0.5, 2.0), verbose=0, seed=1)
        assert weights_equal(one, other)

    def test_both_multiply(self):
        one, other = classifier(), classifier()
        weight = np.linspace(0.1, 2.0, 20)
        one.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, sample_weight=weight, verbose=0, seed=1)
        other.fit(X, LABELS, sample_weight=weight * np.where(LABELS == 1, 3.0, 1.0), verbose=0, seed=1)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


class TestSeveralOutputs:
    def test_names_and_total(self):
        model = two_outputs()
        logs = model.evaluate(X, TARGETS, return_dict=True)
        assert list(logs) == ["loss", "p_loss", "q_loss"]
        assert logs["loss"] == pytest.approx(logs["p_loss"] + logs["q_loss"], rel=1e-6)

    def test_losses_weights_and_metrics_by_name(self):
        model = two_outputs(
            loss={"q": "mae", "p": "mse"}, loss_weights={"p": 2.0, "q": 0.5}, metrics={"q": ["mae"], "p": "mse"}
        )
        logs = model.evaluate(X, {"q": TARGETS[1], "p": TARGETS[0]}, return_dict=True)
        assert list(logs) == ["loss", "p_loss", "q_loss", "p_mse", "q_mae"]
        assert logs["loss"] == pytest.approx(2 * logs["p_loss"] + 0.5 * logs["q_loss"], rel=1e-6)
        assert logs["p_mse"] == pytest.approx(logs["p_loss"], rel=1e-6)
        assert logs["q_mae"] == pytest.approx(logs["q_loss"], rel=1e-6)
        assert logs == model.evaluate(X, TARGETS, return_dict=True)

    def test_by_list(self):
        named = two_outputs(loss={"p": "mse", "q": "mae"}, metrics={"p": ["mae"], "q": []})
        listed = two_outputs(loss=["mse", "mae"], metrics=[["mae"], []])
        assert named.evaluate(X, TARGETS) == listed.evaluate(X, TARGETS)
        assert named.fit(X, TARGETS, seed=1, verbose=0).history == listed.fit(X, TARGETS, seed=1, verbose=0).history

    def test_an_output_without_a_loss(self):
        model = two_outputs(loss={"q": "mse"})
        logs = model.evaluate(X, TARGETS, return_dict=True)
        assert list(logs) == ["loss", "q_loss"]
        before = model.get_layer("p").get_weights()
        with pytest.raises(LaminaError):
            model.fit(X, TARGETS[:1], verbose=0)
        model.fit(X, TARGETS, verbose=0)
        np.testing.assert_array_equal(model.get_layer("p").get_weights()[0], before[0])

    def test_sample_weights_of_each(self):
        model = two_outputs()
        ones, zeros = np.ones(20), np.zeros(20)
        logs = model.evaluate(X, TARGETS, sample_weight=[ones, zeros], return_dict=True)
        assert logs["q_loss"] == 0.0
        assert logs["loss"] == logs["p_loss"] > 0

    def test_metrics_for_all_outputs(self):
        model = two_outputs(metrics=["mae"])
        assert list(model.evaluate(X, TARGETS, return_dict=True)) == ["loss", "p_loss", "q_loss", "p_mae", "q_mae"]


class TestMetrics:
    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ("accuracy", "accuracy"),
            ("acc", "acc"),
            ("mse", "mse"),
            ("mean_squared_error", "mean_squared_error"),
            (metrics.MeanSquaredError(), "mean_squared_error"),
            (metrics.MeanSquaredError(name="own"), "own"),
            (lambda y_true, y_pred: ops.mean(ops.abs(y_true - y_pred), axis=-1), "<lambda>"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    def test_names(self, given, name):
        model = regression(metrics=[given])
        assert list(model.evaluate(X, Y, return_dict=True)) == ["loss", name]

    def test_values(self):
        model = classifier()
        predicted = model.predict(X).argmax(1)
        loss, accuracy = model.evaluate(X, LABELS)
        assert accuracy == pytest.approx((predicted == LABELS).mean(), abs=1e-7)
        assert model.evaluate(X, LABELS, batch_size=3) == pytest.approx([loss, accuracy], rel=1e-5)

    def test_reset_between_evaluations(self):
        model = classifier()
        assert model.evaluate(X, LABELS) == model.evaluate(X, LABELS)

    def test_only_the_loss_is_a_number(self):
        assert isinstance(regression().evaluate(X, Y), float)
        assert regression().evaluate(X, Y, return_dict=True).keys() == {"loss"}


class TestBatches:
    def test_train_on_batch(self):
        one, other = regression("adam"), regression("adam")
        first = one.train_on_batch(X, Y)
        history = other.fit(X, Y, batch_size=20, shuffle=False, verbose=0).history
        assert [first] == history["loss"]
        assert weights_equal(one, other)
        assert one.train_on_batch(X, Y, return_dict=True)["loss"] < first

    def test_test_on_batch(self):
        model = classifier()
        assert model.test_on_batch(X, LABELS) == pytest.approx(model.evaluate(X, LABELS, batch_size=20))

    def test_predict_on_batch(self):
        model = regression()
        np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X, batch_size=20))

    def test_predict_in_parts(self):
        model, x = two_outputs(), np.abs(X)
        model.set_weights([np.abs(w) for w in model.get_weights()])  # terms of one sign: no digits cancel
        for whole, part in zip(model.predict(x, batch_size=20), model.predict(x, batch_size=7), strict=True):
            np.testing.assert_allclose(whole, part, rtol=1e-6)
            assert isinstance(part, np.ndarray)

    def test_predict_before_compile(self):
        model = Sequential([layers.Dense(1, input_shape=(3,))])
        assert model.predict(X).shape == (20, 1)
        with pytest.raises(NotBuiltError):
            model.evaluate(X, Y)

    def test_results_are_the_callers(self):
        model = regression()
        first = model.predict(X[:1]).copy()
        kept = [model.predict(X[:1]) for _ in range(5)]
        kept[0][:] = 99.0
        np.testing.assert_array_equal(model.predict(X[:1]), first)
        np.testing.assert_array_equal(kept[4], first)


class TestCallbacks:
    def test_order(self):
        told = []
        hooks = (
            "on_train_begin",
            "on_epoch_begin",
            "on_train_batch_begin",
            "on_train_batch_end",
            "on_epoch_end",
            "on_train_end",
        )
        listener = callbacks.LambdaCallback(**{h: (lambda *args, h=h: told.append((h, *args[:-1]))) for h in hooks})
        regression().fit(X, Y, batch_size=10, epochs=2, callbacks=[listener], verbose=0)
        batch = [
            ("on_train_batch_begin", 0),
            ("on_train_batch_end", 0),
            ("on_train_batch_begin", 1),
            ("on_train_batch_end", 1),
        ]
        epochs = [x for epoch in (0, 1) for x in (("on_epoch_begin", epoch), *batch, ("on_epoch_end", epoch))]
        assert told == [("on_train_begin",), *epochs, ("on_train_end",)]

    def test_logs_model_and_params(self):
        class Keeps(callbacks.Callback):
            logs = []

            def on_train_batch_end(self, batch, logs=None):
                self.logs.append(dict(logs))

        keeps, model = Keeps(), classifier()
        history = model.fit(X, LABELS, batch_size=10, callbacks=keeps, verbose=0).history
        assert keeps.model is model
        assert keeps.params["epochs"] == 1
        assert keeps.params["steps"] == 2
        assert keeps.params["metrics"] == ["loss", "accuracy"]
        assert [list(logs) for logs in keeps.logs] == [["loss", "accuracy"]] * 2
        assert keeps.logs[-1]["loss"] == history["loss"][0]

    @pytest.mark.parametrize(("hook", "batches"), [("on_epoch_end", 2), ("on_train_batch_end", 1)])
    def test_stop_training(self, hook, batches):
        model, seen = regression(), []

        def stop(number, logs):
            model.stop_training = True

        counter = callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(batch))
        stopper = callbacks.LambdaCallback(**{hook: stop})
        history = model.fit(X, Y, batch_size=10, epochs=5, callbacks=[counter, stopper], verbose=0)
        assert len(seen) == batches
        assert len(history.epoch) == 1
        assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2

    def test_a_learning_rate_changed_on_the_way_is_used(self):
        model = regression(optimizers.SGD(0.1))
        weights = []

        def keep(epoch, logs):
            weights.append(model.get_weights()[0])
            if epoch == 2:
                model.optimizer.learning_rate = 0.0

        model.fit(X, Y, epochs=6, callbacks=callbacks.LambdaCallback(on_epoch_end=keep), verbose=0)
        changed = [not np.array_equal(a, b) for a, b in itertools.pairwise(weights)]
        assert changed == [True, True, False, False, False]

    def test_weights_changed_on_the_way_are_used(self):
        model = regression(optimizers.SGD(0.0))
        shapes = [w.shape for w in model.get_weights()]

        def change(epoch, logs):
            if epoch == 3:
                model.set_weights([np.zeros(shape) for shape in shapes])

        losses_seen = model.fit(
            X, Y, epochs=6, callbacks=callbacks.LambdaCallback(on_epoch_end=change), verbose=0
        ).history["loss"]
        assert losses_seen[3] != losses_seen[4]
        assert losses_seen[4:] == pytest.approx([float(np.mean(np.square(Y)))] * 2, rel=1e-5)

    def test_unknown_hooks(self):
        with pytest.raises(LaminaError, match="there is no hook 'on_epoch_ends'"):
            callbacks.LambdaCallback(on_epoch_ends=print)


class TestProgress:
    def test_a_line_per_epoch_without_control_characters(self, capsys):
        classifier().fit(X, LABELS, epochs=2, validation_split=0.2)
        out, err = capsys.readouterr()
        assert err == ""
        lines = out.splitlines()
        assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
        assert [part.split(":")[0] for part in lines[0].split(" - ")[2:]] == [
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
        ]
        assert all(c.isprintable() for c in out.replace("\n", ""))

    def test_silent(self, capsys):
        model = classifier()
        model.fit(X, LABELS, verbose=0)
        model.evaluate(X, LABELS)
        model.predict(X)
        assert capsys.readouterr() == ("", "")

    def test_a_bar_on_a_terminal(self, capsys, monkeypatch):
        import sys

        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        classifier().fit(X, LABELS, epochs=2, batch_size=5)
        err = capsys.readouterr().err
        assert "Epoch 1/2" in err
        assert "Epoch 2/2" in err
        assert "4/4" in err
        assert "accuracy: " in err

    def test_evaluate_in_words(self, capsys):
        classifier().evaluate(X, LABELS, verbose=1)
        assert capsys.readouterr().out.startswith("loss: 0.")


class TestFrozen:
    def test_layers_that_are_not_trainable_stay(self):
        model = regression()
        model.layers[0].trainable = False
        before = model.get_weights()
        model.fit(X, Y, epochs=4, verbose=0)
        after = model.get_weights()
        assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, True, False, False]

    def test_frozen_and_thawed_after_training(self):
        model = regression("adam")
        model.fit(X, Y, epochs=4, verbose=0)
        model.layers[0].trainable = False
        before = model.get_weights()
        model.fit(X, Y, epochs=4, verbose=0)
        assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)] == [
            True,
            True,
            False,
            False,
        ]
        model.layers[0].trainable = True
        before = model.get_weights()
        model.fit(X, Y, epochs=4, verbose=0)
        assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))

    def test_nothing_to_train(self):
        model = regression()
        model.trainable = False
        with pytest.raises(LaminaError, match="trainable"):
            model.fit(X, Y, verbose=0)
        assert isinstance(model.evaluate(X, Y), float)


class TestLossesOfLayers:
    def test_regularization_is_part_of_the_loss_only(self):
        model = Sequential([layers.Dense(1, input_shape=(3,), kernel_regularizer=lamina.regularizers.L2(0.5))])
        model.compile(optimizer="sgd", loss="mse", metrics=["mse"])
        logs = model.evaluate(X, Y, return_dict=True)
        penalty = 0.5 * float(np.square(model.get_weights()[0]).sum())
        assert logs["loss"] == pytest.approx(logs["mse"] + penalty, rel=1e-5)

    def test_constraints_hold_after_each_step(self):
        model = Sequential([layers.Dense(1, input_shape=(3,), kernel_constraint="non_neg")])
        model.compile(optimizer=optimizers.SGD(0.1), loss="mse")
        model.fit(X, Y, epochs=10, verbose=0)
        assert (model.get_weights()[0] >= 0).all()
        assert (model.get_weights()[0] == 0).any()


class TestOwnSteps:
    def test_a_dict_from_train_step_is_logged(self):
        class Own(lamina.Model):
            def train_step(self, data):
                with_loss = super().train_step(data)
                assert with_loss is None
                return {"twice": self.metrics[0].result() * 2.0, "size": ops.sum(ops.ones_like(data.y))}

        x = lamina.Input(shape=(3,))
        model = Own(x, layers.Dense(1)(x))
        model.compile(optimizer="sgd", loss="mse")
        history = model.fit(X, Y, batch_size=20, epochs=4, verbose=0).history
        assert list(history) == ["twice", "size"]
        assert history["size"] == [20.0] * 4
        assert history["twice"][3] < history["twice"][0]
        assert model.train_on_batch(X[:5], Y[:5], return_dict=True)["size"] == 5.0

    def test_without_targets(self):
        class Autoencoder(lamina.Model):
            def train_step(self, data):
                return super().train_step(data._replace(y=data.x))

        x = lamina.Input(shape=(3,))
        model = Autoencoder(x, layers.Dense(3)(x))
        model.compile(optimizer=optimizers.Adam(0.1), loss="mse")
        history = model.fit(X, epochs=30, verbose=0).history
        assert history["loss"][-1] < 0.1 * history["loss"][0]

    def test_without_a_loss(self):
        class Own(lamina.Model):
            def train_step(self, data):
                value = self.optimizer.minimize(
                    lambda: ops.mean(ops.square(self(data.x, training=True) - data.y)), True, self.trainable_weights
                )
                return {"own": value}

        x = lamina.Input(shape=(3,))
        model = Own(x, layers.Dense(1)(x))
        model.compile(optimizer=optimizers.SGD(0.1))
        history = model.fit(X, Y, epochs=8, verbose=0).history
        assert history["own"][-1] < history["own"][0]


class TestCompile:
    def test_again_starts_the_optimizer_anew_and_keeps_the_weights(self):
        model = regression("adam")
        model.fit(X, Y, epochs=2, verbose=0)
        before = model.get_weights()
        model.compile(optimizer="adam", loss="mae")
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
        assert model.fit(X, Y, verbose=0).history["loss"][0] == pytest.approx(
            float(np.mean(np.abs(X @ before[0]))), rel=10
        )

    def test_a_failed_compile_changes_nothing(self):
        model = regression("adam")
        optimizer = model.optimizer
        for wrong in ({"loss": "mze"}, {"optimizer": "adom"}, {"metrics": ["acuracy"]}):
            with pytest.raises(LaminaError):
                model.compile(**{"optimizer": "sgd", "loss": "mae", **wrong})
        assert model.optimizer is optimizer
        assert model.evaluate(X, Y) == pytest.approx(mse(model, X, Y), rel=1e-5)

    def test_losses_as_functions_classes_and_objects(self):
        expected = regression().evaluate(X, Y)
        own = lambda t, p: ops.mean(ops.square(t - p), axis=-1)  # noqa: E731
        for loss in (
            own,
            losses.MeanSquaredError,
            losses.MeanSquaredError(),
            "MeanSquaredError",
            losses.mean_squared_error,
        ):
            assert regression(loss=loss).evaluate(X, Y) == pytest.approx(expected, rel=1e-6)

    def test_data_of_another_form_are_checked_each_time(self):
        model = regression()
        model.fit(X, Y, verbose=0)
        with pytest.raises(LaminaError):
            model.fit(X, np.zeros((20, 5, 2), np.float32), verbose=0)
        with pytest.raises(DataError):
            model.fit(X, Y[:5], verbose=0)
