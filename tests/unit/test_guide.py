"""The TensorFlow.js guide "Models and layers", thing by thing, in Python."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lamina
from lamina import Sequential, Variable, layers, losses, ops, optimizers, random
from lamina.errors import ShapeError


def in_one_go():
    return Sequential([layers.Dense(32, activation="relu", input_shape=(784,)), layers.Dense(10, activation="softmax")])


def by_add():
    model = Sequential()
    model.add(layers.Dense(32, activation="relu", input_shape=(784,)))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def functional():
    image = lamina.Input(shape=(784,))
    hidden = layers.Dense(32, activation="relu").apply(image)
    return lamina.Model(inputs=image, outputs=layers.Dense(10, activation="softmax").apply(hidden))


@pytest.mark.parametrize("make", [in_one_go, by_add, functional])
class TestTheSameModel:
    def test_shapes_and_weights(self, make):
        model = make()
        assert (model.input_shape if make is not functional else model.inputs[0].shape) == (None, 784)
        assert model.outputs[0].shape == (None, 10)
        assert [w.shape for w in model.weights] == [(784, 32), (32,), (32, 10), (10,)]

    def test_predicts_probabilities(self, make):
        predicted = make().predict(np.random.default_rng(0).random((3, 784), np.float32))
        assert predicted.shape == (3, 10)
        np.testing.assert_allclose(predicted.sum(1), 1.0, rtol=1e-5)

    def test_layers(self, make):
        dense = [layer for layer in make().layers if isinstance(layer, layers.Dense)]
        assert [layer.units for layer in dense] == [32, 10]


def test_the_three_models_give_the_same_with_the_same_weights():
    models = [in_one_go(), by_add(), functional()]
    for other in models[1:]:
        other.set_weights(models[0].get_weights())
    x = np.random.default_rng(1).random((4, 784), np.float32)
    first, *others = [model.predict(x) for model in models]
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_inputs_and_outputs_of_a_functional_model():
    model = functional()
    assert [layer.name for layer in model.input_layers] == model.input_names
    assert [layer.name for layer in model.output_layers] == [model.layers[-1].name]
    assert model.inputs[0] is model.input_layers[0].output


def test_apply_on_a_concrete_tensor(capsys):
    result = layers.Activation("relu").apply(lamina.tensor([-2.0, 1.0, 0.0, 5.0]))
    assert isinstance(result, lamina.Tensor)
    assert result.tolist() == [0, 1, 0, 5]
    result.print()
    assert capsys.readouterr().out == "Tensor\n    [0. 1. 0. 5.]\n"


def test_apply_on_a_symbolic_tensor():
    result = layers.Activation("relu").apply(lamina.Input(shape=(4,)))
    assert isinstance(result, layers.SymbolicTensor)
    assert result.shape == (None, 4)


def _reused(layer, shape):
    """A layer that was built for a shape in another model."""
    layer(lamina.Input(shape=shape))
    return layer


INCOMPATIBLE = {
    "dense, lstm": (lambda: layers.LSTM(2), "(None, 4)", "(batch, time, features)"),
    "dense, conv2d": (lambda: layers.Conv2D(2, 3), "(None, 4)", "(batch, height, width, channels)"),
    "dense, max_pooling2d": (lambda: layers.MaxPooling2D(), "(None, 4)", "(batch, height, width, channels)"),
    "dense, reshape": (lambda: layers.Reshape((3, 5)), "(None, 4)", "(3, 5)"),
    "dense, dense of another width": (lambda: _reused(layers.Dense(2), (7,)), "(None, 4)", "(None, 7)"),
    "dense, model": (lambda: Sequential([layers.Dense(1, input_shape=(9,))]), "(None, 4)", "(None, 9)"),
    "dense, batch_normalization": (lambda: _reused(layers.BatchNormalization(), (5,)), "(None, 4)", "(None, 5)"),
}


@pytest.mark.parametrize("case", INCOMPATIBLE)
def test_incompatible_layers_are_refused_when_the_model_is_built(case):
    make, given, wanted = INCOMPATIBLE[case]
    model = Sequential([layers.Dense(4, input_shape=(3,))])
    weights = model.get_weights()
    with pytest.raises(ShapeError) as caught:
        model.add(make())
    assert given in str(caught.value)
    assert wanted in str(caught.value)
    assert "In layer" in "".join(caught.value.__notes__)
    assert len(model.layers) == 1
    assert model.output_shape == (None, 4)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_incompatible_layers_are_refused_in_a_functional_model():
    convolved = layers.Conv2D(2, 3)(lamina.Input(shape=(8, 8, 1)))
    with pytest.raises(ShapeError, match=r"\(None, 6, 6, 2\)(.|\n)*\(None, None, None, 1\)"):
        _reused(layers.Conv2D(2, 3), (8, 8, 1))(convolved)


def test_summary(capsys):
    model = Sequential(
        [
            layers.Dense(32, activation="relu", input_shape=(784,), name="first"),
            layers.Dense(10, activation="softmax", name="second"),
        ],
        name="guide",
    )
    model.summary()
    assert capsys.readouterr().out.splitlines() == [
        'Model: "guide" (Sequential)',
        "==================================================================",
        "Layer (type)             Output Shape           Param #",
        "==================================================================",
        "first (Dense)            (None, 32)             25,120",
        "second (Dense)           (None, 10)             330",
        "==================================================================",
        "Total params: 25,450 (99.41 KB)",
        "Trainable params: 25,450 (99.41 KB)",
        "Non-trainable params: 0 (0 B)",
        "__________________________________________________________________",
    ]


def test_summary_of_a_model_that_is_no_stack_shows_what_each_layer_receives():
    x = lamina.Input(shape=(784,), name="image")
    left, right = layers.Dense(8, name="left")(x), layers.Dense(8, name="right")(x)
    model = lamina.Model(x, layers.Add(name="sum")([left, right]), name="guide")
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert [re.split(r"\s{2,}", line.strip()) for line in lines[2:9] if not line.startswith("=")] == [
        ["Layer (type)", "Output Shape", "Param #", "Receives inputs"],
        ["image (InputLayer)", "(None, 784)", "0"],
        ["left (Dense)", "(None, 8)", "6,280", "image[0][0]"],
        ["right (Dense)", "(None, 8)", "6,280", "image[0][0]"],
        ["sum (Add)", "(None, 8)", "0", "left[0][0]"],
        ["right[0][0]"],
    ]


@pytest.mark.parametrize("make", [in_one_go, functional])
def test_save_and_load_in_one_line_each(make, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path))
    model = make()
    model.save("localstorage://my-model-1")
    loaded = lamina.load_model("localstorage://my-model-1")
    x = np.random.default_rng(2).random((5, 784), np.float32)
    np.testing.assert_array_equal(model.predict(x), loaded.predict(x))
    assert loaded.get_config() == model.get_config()


class SquaredSumLayer(layers.Layer):
    """The sum of the squares of each example."""

    def call(self, x):
        return x.square().sum(axis=-1)


class GuidesSquaredSumLayer(layers.Layer):
    """The one of the guide: the sum of all squares, with a shape of its own."""

    def call(self, x):
        return x.square().sum()

    def compute_output_shape(self, input_shape):
        return ()


@pytest.mark.parametrize("kind", [SquaredSumLayer, GuidesSquaredSumLayer])
def test_a_layer_of_ones_own_prints_30(kind, capsys):
    layer = kind()
    layer.apply(lamina.tensor([-2, 1, 0, 5])).print()
    assert capsys.readouterr().out == "Tensor\n    30\n"
    assert layer.compute_output_shape((None, 4)) == (() if kind is GuidesSquaredSumLayer else (None,))


def test_a_layer_of_ones_own_survives_save_and_load_once_registered(tmp_path, monkeypatch):
    monkeypatch.setattr(lamina.serialization, "_REGISTERED", {})
    x = lamina.Input(shape=(4,))
    model = lamina.Model(x, SquaredSumLayer(name="squares")(x))
    model.save(tmp_path / "model")
    with pytest.raises(lamina.errors.UnknownNameError, match="SquaredSumLayer"):
        lamina.load_model(tmp_path / "model")
    with lamina.custom_object_scope({"SquaredSumLayer": SquaredSumLayer}):
        assert lamina.load_model(tmp_path / "model").predict(np.array([[-2.0, 1, 0, 5]])).tolist() == [30.0]
    lamina.serialization.register()(SquaredSumLayer)
    loaded = lamina.load_model(tmp_path / "model")
    assert isinstance(loaded.get_layer("squares"), SquaredSumLayer)
    assert loaded.predict(np.array([[-2.0, 1, 0, 5], [1, 1, 1, 1]])).tolist() == [30.0, 4.0]


class TestCoreOperations:
    """The same model from ops: 784-32-10 with relu and softmax."""

    def make(self):
        random.set_seed(5)
        w1, b1 = Variable(random.normal((784, 32)) * 0.1, name="w1"), Variable(random.normal((32,)) * 0.1, name="b1")
        w2, b2 = Variable(random.normal((32, 10)) * 0.1, name="w2"), Variable(random.normal((10,)) * 0.1, name="b2")
        return w1, b1, w2, b2

    def data(self):
        generator = np.random.default_rng(3)
        labels = np.eye(10, dtype=np.float32)[generator.integers(0, 10, 64)]
        return lamina.tensor(generator.random((64, 784), np.float32)), lamina.tensor(labels)

    def test_equals_the_model_of_layers(self):
        w1, b1, w2, b2 = self.make()
        x, _ = self.data()
        model = in_one_go()
        model.set_weights([w1.numpy(), b1.numpy(), w2.numpy(), b2.numpy()])
        by_ops = x.matmul(w1).add(b1).relu().matmul(w2).add(b2).softmax()
        np.testing.assert_allclose(by_ops.numpy(), model.predict(x.numpy(), batch_size=64), rtol=1e-5, atol=1e-7)

    def test_a_loop_with_minimize_lowers_the_loss(self):
        w1, b1, w2, b2 = variables = self.make()
        x, labels = self.data()
        before = [v.numpy() for v in variables]

        def loss():
            probabilities = x.matmul(w1).add(b1).relu().matmul(w2).add(b2).softmax()
            return ops.mean(losses.categorical_crossentropy(labels, probabilities))

        optimizer = optimizers.SGD(0.1)
        costs = [optimizer.minimize(loss, return_cost=True).item() for _ in range(20)]
        assert costs[-1] < 0.9 * costs[0]
        assert loss().item() < costs[-1]
        for variable, value in zip(variables, before, strict=True):
            assert not np.array_equal(variable.numpy(), value), variable.name

    def test_the_loop_trains_as_the_model_of_layers_does(self):
        w1, b1, w2, b2 = variables = self.make()
        x, labels = self.data()
        model = in_one_go()
        model.set_weights([v.numpy() for v in variables])
        model.compile(optimizer=optimizers.SGD(0.1), loss="categorical_crossentropy")
        history = model.fit(x.numpy(), labels.numpy(), batch_size=64, epochs=5, shuffle=False, verbose=0)

        def loss():
            probabilities = x.matmul(w1).add(b1).relu().matmul(w2).add(b2).softmax()
            return ops.mean(losses.categorical_crossentropy(labels, probabilities))

        optimizer = optimizers.SGD(0.1)
        costs = [optimizer.minimize(loss, return_cost=True).item() for _ in range(5)]
        np.testing.assert_allclose(costs, history.history["loss"], rtol=1e-5)
        for variable, weight in zip(variables, model.get_weights(), strict=True):
            np.testing.assert_allclose(variable.numpy(), weight, rtol=1e-4, atol=1e-6)
