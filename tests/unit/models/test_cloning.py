"""Copies of models have the same layers and joints, and weights of their own."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Model, Sequential, layers
from lamina.errors import ArgumentError, ArgumentTypeError, GraphError, SerializationError
from lamina.models import clone_model

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def stack():
    return Sequential([layers.Dense(4, input_shape=(3,), activation="tanh", name="a"), layers.Dense(2, name="b")])


def graph():
    x, z = lamina.Input((3,), name="x"), lamina.Input((3,), name="z")
    inner = Sequential([layers.Dense(3, input_shape=(3,), name="deep")], name="inner")
    shared = layers.Dense(2, name="shared")
    out = layers.Add(name="sum")([shared(inner(x)), shared(z)])
    return Model({"x": x, "z": z}, {"out": out, "side": shared(x)}, name="graph")


def same_but_for_the_weights(copy, model):
    assert type(copy) is type(model)
    assert copy.name == model.name
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not {id(layer) for layer in copy.layers} & {id(layer) for layer in model.layers}
    assert not {id(v) for v in copy.weights} & {id(v) for v in model.weights}
    assert [v.name for v in copy.weights] == [v.name for v in model.weights]
    copy.set_weights(model.get_weights())


def test_a_stack():
    model = stack()
    copy = clone_model(model)
    same_but_for_the_weights(copy, model)
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert clone_model(Sequential([layers.Dense(2)], name="later")).built is False


@pytest.mark.parametrize("recursive", [False, True])
def test_a_graph(recursive):
    model = graph()
    copy = clone_model(model, recursive=recursive)
    same_but_for_the_weights(copy, model)
    data = {"z": X, "x": X + 1}
    for name, found in copy.predict(data).items():
        np.testing.assert_array_equal(found, model.predict(data)[name])


def test_copies_are_not_compiled():
    model = stack()
    model.compile("sgd", "mse")
    assert clone_model(model).optimizer is None


def test_a_clone_function():
    seen = []

    def clone(layer):
        seen.append(layer.name)
        return layers.Dense(7, name=layer.name) if layer.name == "a" else type(layer).from_config(layer.get_config())

    copy = clone_model(stack(), clone_function=clone)
    assert copy.get_layer("a").units == 7
    assert seen == ["a", "b"]
    seen.clear()
    clone_model(graph(), clone_function=lambda x: seen.append(x.name) or type(x).from_config(x.get_config()))
    assert sorted(seen) == ["inner", "shared", "sum"]
    seen.clear()
    clone_model(
        graph(), clone_function=lambda x: seen.append(x.name) or type(x).from_config(x.get_config()), recursive=True
    )
    assert sorted(seen) == ["deep", "shared", "sum"]


def test_a_clone_function_may_share_layers():
    model = stack()
    copy = clone_model(model, clone_function=lambda layer: layer)
    assert copy.get_layer("a") is model.get_layer("a")
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_a_call_function():
    def call(layer, *args, **kwargs):
        output = layer(*args, **kwargs)
        return layers.Rescaling(2.0)(output) if layer.name == "b" else output

    model = stack()
    copy = clone_model(model, call_function=call)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(X), 2 * model.predict(X), rtol=1e-6)


def test_inputs_of_ones_own():
    begin = lamina.Input((3,), name="begin")
    copy = clone_model(stack(), input_tensors=begin)
    assert copy.inputs[0] is begin
    x, z = lamina.Input((3,), name="p"), lamina.Input((3,), name="q")
    assert clone_model(graph(), input_tensors={"x": x, "z": z}).input == {"x": x, "z": z}
    with pytest.raises(ArgumentError, match="2 inputs"):
        clone_model(graph(), input_tensors=[x])
    with pytest.raises(ArgumentError, match="one symbolic tensor"):
        clone_model(stack(), input_tensors=[x, z])
    with pytest.raises(GraphError):
        clone_model(graph(), input_tensors=[x, layers.Dense(3)(z)])


class Own(Model):
    def __init__(self, units, **common):
        super().__init__(**common)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)


def test_a_model_with_a_call_of_its_own():
    model = Own(5, name="own")
    model(X)
    copy = clone_model(model)
    assert (copy.units, copy.name, copy.built) == (5, "own", False)
    assert model.get_config() == {"name": "own", "trainable": True, "dtype": "float32", "units": 5}
    with pytest.raises(ArgumentError, match="call of its own"):
        clone_model(model, clone_function=lambda layer: layer)


def test_what_is_refused():
    with pytest.raises(ArgumentTypeError):
        clone_model(layers.Dense(1))
    with pytest.raises(ArgumentTypeError, match="'a'"):
        clone_model(stack(), clone_function=lambda layer: None)

    class Hidden(layers.Layer):
        def __init__(self, secret, **common):
            super().__init__(**common)

        def call(self, x):
            return x

    with pytest.raises(SerializationError):
        clone_model(Sequential([lamina.Input((1,)), Hidden(3)]))
