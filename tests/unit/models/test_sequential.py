"""Stacks of layers: given as a list, grown and shrunk, built at once or when data come."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Sequential, layers
from lamina.errors import ArgumentTypeError, GraphError, ShapeError

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def test_as_a_list_and_by_add_are_the_same():
    listed = Sequential([layers.Dense(3, input_shape=(4,), name="a"), layers.Dense(2, name="b")], name="m")
    grown = Sequential(name="m")
    grown.add(layers.Dense(3, input_shape=(4,), name="a"))
    assert grown.output_shape == (None, 3)
    grown.add(layers.Dense(2, name="b"))
    assert grown.get_config() == listed.get_config()
    assert (grown.input_shape, grown.output_shape) == ((None, 4), (None, 2))
    assert [layer.name for layer in grown.layers] == ["a", "b"]


def test_an_input_first():
    for first in (lamina.Input(shape=(4,), name="x"), layers.InputLayer(shape=(4,), name="x")):
        model = Sequential([first, layers.Dense(2)])
        assert model.built
        assert model.output_shape == (None, 2)
        assert len(model.layers) == 1
        assert model.input_names == ["x"]


def test_deferred_until_build():
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    assert model.weights == []
    model.build((None, 4))
    assert model.built
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("use", ["call", "predict", "fit", "evaluate"])
def test_deferred_until_data(use):
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse")
    y = np.zeros((6, 2), np.float32)
    actions = {
        "call": lambda: model(X),
        "predict": lambda: model.predict(X),
        "fit": lambda: model.fit(X, y, verbose=0),
        "evaluate": lambda: model.evaluate(X, y),
    }
    actions[use]()
    assert model.input_shape == (None, 4)
    assert model.count_params() == 15 + 8


def test_deferred_equals_built_at_once():
    def make(**first):
        lamina.random.set_seed(3)
        model = Sequential([layers.Dense(3, **first), layers.Dense(2)])
        model(X)
        return model.get_weights()

    for a, b in zip(make(), make(input_shape=(4,)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_deferred_for_integers():
    model = Sequential([layers.Embedding(5, 3), layers.Flatten()])
    assert model(np.array([[1, 2]], np.int32)).shape == (1, 6)
    assert model.inputs[0].dtype == "int32"


def test_pop():
    model = Sequential([layers.Dense(3, input_shape=(4,), name="a"), layers.Dense(2, name="b")])
    weights = model.layers[0].get_weights()
    assert model.pop().name == "b"
    assert model.output_shape == (None, 3)
    for kept, old in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(kept, old)
    model.add(layers.Dense(5, name="c"))
    assert model.predict(X).shape == (6, 5)
    model.pop()
    model.pop()
    assert not model.built
    with pytest.raises(GraphError, match="no layers"):
        model.pop()


def test_grown_after_it_was_used():
    model = Sequential([layers.Dense(3, input_shape=(4,))])
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, np.zeros((6, 3), np.float32), verbose=0)
    model.predict(X)
    model.add(layers.Dense(2))
    assert model.predict(X).shape == (6, 2)
    model.fit(X, np.zeros((6, 2), np.float32), verbose=0)


def test_a_model_as_a_layer():
    inner = Sequential([layers.Dense(3, input_shape=(4,), name="a"), layers.Dense(2, name="b")], name="inner")
    model = Sequential([inner, layers.Dense(1, name="c")], name="outer")
    assert model.built
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 1))
    assert [w.name for w in model.weights] == ["a/kernel", "a/bias", "b/kernel", "b/bias", "c/kernel", "c/bias"]
    expected = model.layers[1](inner(X)).numpy()
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_a_functional_model_as_a_layer():
    x = lamina.Input(shape=(4,))
    inner = lamina.Model(x, layers.Dense(3)(x))
    model = Sequential([layers.Dense(4, input_shape=(2,)), inner])
    assert model.output_shape == (None, 3)


def test_a_layer_in_two_stacks_is_shared():
    layer = layers.Dense(3, input_shape=(4,))
    one, two = Sequential([layer]), Sequential([layer, layers.Dense(1)])
    one.set_weights([np.ones((4, 3)), np.zeros(3)])
    np.testing.assert_array_equal(two.layers[0].get_weights()[0], np.ones((4, 3)))


@pytest.mark.parametrize(
    ("layer", "error"),
    [(3, ArgumentTypeError), ("dense", ArgumentTypeError), (lamina.Input(shape=(3,)), GraphError)],
    ids=["number", "name", "input"],
)
def test_what_is_no_layer_is_refused(layer, error):
    model = Sequential([layers.Dense(2, input_shape=(4,))])
    with pytest.raises(error):
        model.add(layer)
    assert len(model.layers) == 1


def test_a_layer_that_does_not_fit_is_refused_and_the_model_stays_usable():
    model = Sequential([layers.Dense(2, input_shape=(4,))])
    before = model.predict(X)
    with pytest.raises(ShapeError):
        model.add(layers.LSTM(3))
    np.testing.assert_array_equal(model.predict(X), before)
    model.add(layers.Dense(1))
    assert model.output_shape == (None, 1)


def test_a_layer_with_several_outputs_is_refused():
    model = Sequential([layers.LSTM(3, return_sequences=True, input_shape=(4, 2))])
    with pytest.raises(GraphError, match="several outputs"):
        model.add(layers.LSTM(3, return_state=True))
    assert model.output_shape == (None, 4, 3)


def test_nothing_to_build():
    with pytest.raises(GraphError, match="cannot be built"):
        Sequential().build((None, 3))
    with pytest.raises(GraphError, match="cannot be built"):
        Sequential([layers.Dense(2)]).build()


def test_a_fixed_batch():
    model = Sequential([layers.Dense(2, batch_input_shape=(6, 4))])
    assert model.output_shape == (6, 2)
    assert model.predict(X).shape == (6, 2)


def test_input_dim():
    assert Sequential([layers.Dense(2, input_dim=4)]).input_shape == (None, 4)
