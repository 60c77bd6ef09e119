"""Layers of one's own: configs read off the constructor, layers in lists and dicts, losses, shapes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.errors import ArgumentError, LaminaError, NotBuiltError, SerializationError

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Scale(layers.Layer):
    """A factor per feature."""

    def __init__(self, start=1.0, names=("a", "b"), **common):
        super().__init__(**common)
        self.start = start
        self.names = names

    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), lamina.initializers.Constant(self.start), name="factor")

    def call(self, x):
        return x * self.factor


class TestConfig:
    def test_read_off_the_names(self):
        config = Scale(2.0, name="scale").get_config()
        assert config == {"name": "scale", "trainable": True, "dtype": "float32", "start": 2.0, "names": ["a", "b"]}
        assert Scale.from_config(json.loads(json.dumps(config))).get_config() == config

    def test_common_settings(self):
        layer = Scale(name="s", trainable=False, dtype="float64", input_shape=(3,))
        config = layer.get_config()
        assert config["trainable"] is False
        assert (config["dtype"], config["batch_input_shape"]) == ("float64", [None, 3])
        assert Scale.from_config(config).get_config() == config

    def test_objects_and_functions_as_values(self):
        class Many(layers.Layer):
            def __init__(self, regularizer, activation, inner, **common):
                super().__init__(**common)
                self.regularizer, self.activation, self.inner = regularizer, activation, inner

        layer = Many(lamina.regularizers.L2(0.5), ops.tanh, layers.Dense(2, name="d"), name="many")
        config = layer.get_config()
        assert config["regularizer"] == {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}
        assert config["activation"] == "tanh"
        assert config["inner"]["class_name"] == "Dense"
        json.dumps(config)

    def test_a_name_that_is_not_kept_is_an_error(self):
        class Forgets(layers.Layer):
            def __init__(self, factor, **common):
                super().__init__(**common)

        with pytest.raises(SerializationError, match=r"has no attribute 'factor'(.|\n)*self\.factor = factor"):
            Forgets(3).get_config()

    def test_an_own_get_config_adds_what_is_not_kept(self):
        class Kept(layers.Layer):
            def __init__(self, low, high, **common):
                super().__init__(**common)
                self.low, self.range = low, high - low

            def get_config(self):
                return {**super().get_config(), "high": self.low + self.range}

        class Passes(Kept):
            def __init__(self, times, **common):
                super().__init__(low=0, high=times, **common)

        again = Kept.from_config(Kept(2, 5, name="k").get_config())
        assert (again.name, again.low, again.range) == ("k", 2, 3)
        with pytest.raises(SerializationError, match="has no attribute 'times'"):
            Passes(3).get_config()

    def test_a_subclass_passes_settings_on(self):
        class Wide(layers.Dense):
            def __init__(self, times=2, **common):
                super().__init__(units=3 * times, **common)
                self.times = times

        layer = Wide(4, activation="relu", name="wide")
        config = layer.get_config()
        assert config == {"name": "wide", "trainable": True, "dtype": "float32", "times": 4, "activation": "relu"}
        again = Wide.from_config(config)
        assert again.units == 12
        assert again.get_config() == config

    def test_a_subclass_without_a_constructor(self):
        class Plain(layers.Layer):
            def call(self, x):
                return x

        class Named(layers.Dense):
            pass

        assert Plain(name="p").get_config() == {"name": "p", "trainable": True, "dtype": "float32"}
        assert Named(3, name="n").get_config()["units"] == 3

    def test_a_setting_that_is_unknown(self):
        with pytest.raises(SerializationError, match="no setting 'speed'"):
            Scale.from_config({"name": "s", "speed": 3})

    def test_own_get_config(self):
        class Own(layers.Layer):
            def __init__(self, rate, **common):
                super().__init__(**common)
                self.hidden = rate

            def get_config(self):
                return {"name": self.name, "rate": self.hidden}

        assert Own.from_config(Own(3, name="o").get_config()).hidden == 3


class Deep(layers.Layer):
    """Layers in an attribute, a list and a dict, and one Variable."""

    def __init__(self, **common):
        super().__init__(**common)
        self.first = layers.Dense(3, name="first")
        self.more = [layers.Dense(3, name="second"), (layers.Dense(3, name="third"),)]
        self.named = {"last": layers.Dense(1, name="last")}
        self.offset = lamina.Variable([0.0], name="offset")

    def call(self, x):
        x = self.first(x)
        for layer in (self.more[0], self.more[1][0], self.named["last"]):
            x = layer(x)
        return x + self.offset


class TestLayersInside:
    def test_found_in_lists_and_dicts(self):
        layer = Deep()
        layer(X)
        assert [one.name for one in layer.sublayers()] == ["first", "second", "third", "last"]
        assert len(layer.weights) == 9
        assert layer.weights[0].name == "offset"
        assert layer.count_params() == 3 * 12 + 4 + 1

    def test_frozen_with_it(self):
        layer = Deep()
        layer(X)
        layer.trainable = False
        assert layer.trainable_weights == []
        layer.more[0].trainable = True
        assert layer.trainable_weights == []
        layer.trainable = True
        layer.named["last"].trainable = False
        assert len(layer.trainable_weights) == 7

    def test_one_layer_kept_twice_counts_once(self):
        class Twice(layers.Layer):
            def __init__(self, **common):
                super().__init__(**common)
                self.a = layers.Dense(3)
                self.b = self.a

            def call(self, x):
                return self.b(self.a(x))

        layer = Twice()
        layer(X)
        assert len(layer.weights) == 2

    def test_trains_in_a_model(self):
        model = lamina.Sequential([lamina.Input(shape=(3,)), Deep(name="deep")])
        model.compile(optimizer="adam", loss="mse")
        before = model.get_weights()
        model.fit(X, np.ones((2, 1), np.float32), epochs=4, verbose=0)
        for old, new, weight in zip(before, model.get_weights(), model.weights, strict=True):
            assert not np.array_equal(old, new), weight.name


class TestLosses:
    def test_add_loss_of_the_last_call(self):
        class Penalty(layers.Layer):
            def call(self, x):
                self.add_loss(ops.sum(x))
                return x

        layer = Penalty()
        layer(X)
        layer(np.ones((1, 2), np.float32))
        assert [loss.item() for loss in layer.losses] == [2.0]

    def test_losses_are_trained_on(self):
        class Penalty(layers.Layer):
            def call(self, x):
                self.add_loss(10.0 * ops.mean(ops.square(x)))
                return x

        model = lamina.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="ones"), Penalty()])
        model.compile(optimizer="sgd", loss="mse")
        y = X.sum(1, keepdims=True)
        assert model.evaluate(X, y) == pytest.approx(10 * np.mean(np.square(y)), rel=1e-5)
        model.compile(optimizer=lamina.optimizers.SGD(1e-3), loss="mse")
        losses = model.fit(X, y, epochs=6, shuffle=False, verbose=0).history["loss"]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < losses[0]

    def test_activity_regularizer_in_training(self):
        model = lamina.Sequential(
            [
                layers.Dense(
                    1, input_shape=(3,), kernel_initializer="ones", activity_regularizer=lamina.regularizers.L1(1.0)
                )
            ]
        )
        model.compile(optimizer="sgd", loss="mse")
        y = X.sum(1, keepdims=True)
        assert model.evaluate(X, y) == pytest.approx(float(y.mean()), rel=1e-5)


class TestShapes:
    def test_found_by_running_call(self):
        class Halves(layers.Layer):
            def call(self, x):
                return {"left": x[:, : x.shape[1] // 2], "both": [x, ops.sum(x, axis=1)]}

        shapes = Halves().compute_output_shape((None, 6))
        assert shapes == {"left": (None, 3), "both": [(None, 6), (None,)]}
        outputs = Halves()(lamina.Input(shape=(6,)))
        assert outputs["both"][1].shape == (None,)

    def test_given_by_the_layer(self):
        class Reads(layers.Layer):
            def call(self, x):
                return ops.tensor(np.sort(x.numpy(), axis=1))

            def compute_output_shape(self, input_shape):
                return input_shape

        assert Reads()(lamina.Input(shape=(6,))).shape == (None, 6)
        assert Reads()([[3.0, 1.0, 2.0]]).tolist() == [[1.0, 2.0, 3.0]]

    def test_a_call_that_reads_values_says_what_to_do(self):
        class Reads(layers.Layer):
            def call(self, x):
                return ops.tensor(x.numpy())

        with pytest.raises(LaminaError, match="compute_output_shape"):
            Reads()(lamina.Input(shape=(6,)))

    def test_dtype_of_the_result(self):
        class Counts(layers.Layer):
            def call(self, x):
                return ops.cast(ops.sum(x, axis=1), "int32")

        assert Counts()(lamina.Input(shape=(6,))).dtype == "int32"


class TestCalls:
    def test_without_call(self):
        with pytest.raises(NotBuiltError, match="define call"):
            layers.Layer()(X)

    def test_more_arguments(self):
        class Sum(layers.Layer):
            def call(self, x, other, *, factor=1.0):
                return (x + other) * factor

        assert Sum()(X, X, factor=0.5).tolist() == X.tolist()
        a, b = lamina.Input(shape=(3,)), lamina.Input(shape=(3,))
        model = lamina.Model([a, b], Sum()(a, b, factor=3.0))
        np.testing.assert_array_equal(model.predict([X, X]), 6 * X)

    def test_training_is_passed_on(self):
        class Flag(layers.Layer):
            def call(self, x, training=False):
                return x + (1.0 if training else 0.0)

        layer = Flag()
        assert layer(0.0).item() == 0.0
        assert layer(0.0, training=True).item() == 1.0
        assert layer([0.0], training=None).tolist() == [0.0]

    def test_two_weights_of_one_name(self):
        class Two(layers.Layer):
            def build(self, input_shape):
                self.add_weight((1,), name="w")
                self.add_weight((1,), name="w")

            def call(self, x):
                return x

        with pytest.raises(ArgumentError, match="two weights named 'w'"):
            Two()(X)

    def test_weights_of_other_dtypes(self):
        class Counter(layers.Layer):
            def build(self, input_shape):
                self.seen = self.add_weight((), dtype="int32", trainable=False, name="seen")

            def call(self, x):
                self.seen.assign(self.seen + 1)
                return x

        layer = Counter()
        layer(X)
        layer(X)
        assert layer.seen.numpy() == 2
        assert layer.trainable_weights == []

    def test_a_failed_build_is_tried_again(self):
        layer = layers.Dense(3, name="again")
        with pytest.raises(LaminaError):
            layer(lamina.Input(shape=(None,)))
        assert not layer.built
        assert layer(X).shape == (2, 3)
        assert [w.name for w in layer.weights] == ["again/kernel", "again/bias"]

    def test_a_build_that_fails_half_way_leaves_no_weights(self):
        class Late(layers.Layer):
            def build(self, input_shape):
                self.add_weight((2,), name="early")
                self.add_weight((None,), name="late")

            def call(self, x):
                return x

        layer = Late()
        for _ in range(2):
            with pytest.raises(LaminaError, match="late"):
                layer(X)
        assert layer.weights == []
