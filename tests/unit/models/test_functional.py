"""Graphs of layers: several inputs and outputs, shared layers, nested models, any order, great depth."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, Model, layers
from lamina.errors import ArgumentTypeError, DataError, GraphError, UnknownNameError

GENERATOR = np.random.default_rng(1)
A = GENERATOR.normal(size=(5, 3)).astype(np.float32)
B = GENERATOR.normal(size=(5, 2)).astype(np.float32)


def two_in_two_out(**names):
    a, b = Input(shape=(3,), name="a"), Input(shape=(2,), name="b")
    joined = layers.Concatenate(name="joined")([a, b])
    return Model([a, b], [layers.Dense(1, name="p")(joined), layers.Dense(4, name="q")(joined)], **names)


class TestInputsAndOutputs:
    def test_lists(self):
        model = two_in_two_out()
        p, q = model.predict([A, B])
        assert (p.shape, q.shape) == ((5, 1), (5, 4))
        expected = np.concatenate([A, B], 1) @ model.get_layer("p").kernel.numpy() + model.get_layer("p").bias.numpy()
        np.testing.assert_allclose(p, expected, rtol=1e-5, atol=1e-6)

    def test_by_name(self):
        model = two_in_two_out()
        for one, other in zip(model.predict({"b": B, "a": A}), model.predict([A, B]), strict=True):
            np.testing.assert_array_equal(one, other)
        for one, other in zip(model({"b": B, "a": A}), model([A, B]), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())

    def test_dicts(self):
        a, b = Input(shape=(3,), name="first"), Input(shape=(2,), name="second")
        outputs = {"sum": layers.Add()([layers.Dense(2)(a), b]), "left": layers.Dense(1)(a)}
        model = Model({"x": a, "y": b}, outputs)
        found = model.predict({"y": B, "x": A})
        assert {name: value.shape for name, value in found.items()} == {"sum": (5, 2), "left": (5, 1)}
        assert model.output_names == ["sum", "left"]
        assert model({"x": A, "y": B})["left"].shape == (5, 1)
        with pytest.raises(DataError, match="no entry 'y'"):
            model.predict({"x": A, "z": B})
        with pytest.raises(GraphError, match="no data for the input 'y'"):
            model({"x": A})

    def test_names_and_layers(self):
        model = two_in_two_out(name="both")
        assert model.name == "both"
        assert model.input_names == ["a", "b"]
        assert model.output_names == ["p", "q"]
        assert [layer.name for layer in model.input_layers] == ["a", "b"]
        assert [layer.name for layer in model.output_layers] == ["p", "q"]
        assert [layer.name for layer in model.layers] == ["a", "b", "joined", "p", "q"]
        assert [x.shape for x in model.inputs] == [(None, 3), (None, 2)]
        assert [x.shape for x in model.outputs] == [(None, 1), (None, 4)]

    def test_one_output_given_twice(self):
        x = Input(shape=(3,))
        y = layers.Dense(2)(x)
        first, second = Model(x, [y, y]).predict(A)
        np.testing.assert_array_equal(first, second)

    def test_an_input_as_output(self):
        x = Input(shape=(3,))
        np.testing.assert_array_equal(Model(x, x).predict(A), A)
        given, doubled = Model(x, [x, layers.Add()([x, x])]).predict(A)
        np.testing.assert_array_equal(doubled, 2 * given)

    def test_a_part_of_a_graph(self):
        x = Input(shape=(3,))
        hidden = layers.Dense(4, name="hidden")(x)
        whole = Model(x, layers.Dense(1)(hidden))
        part = Model(whole.inputs, whole.get_layer("hidden").output)
        np.testing.assert_allclose(part.predict(A), whole.get_layer("hidden")(A).numpy(), rtol=1e-6)
        assert len(part.weights) == 2

    def test_wrong_counts(self):
        model = two_in_two_out()
        with pytest.raises(GraphError, match="got 1 inputs"):
            model(A)
        with pytest.raises(DataError, match="x holds 3 arrays"):
            model.predict([A, B, B])


class TestGraphs:
    def test_a_shared_layer(self):
        a, b = Input(shape=(3,)), Input(shape=(3,))
        shared = layers.Dense(2, name="shared")
        model = Model([a, b], layers.Add()([shared(a), shared(b)]))
        assert [layer.name for layer in model.layers].count("shared") == 1
        assert len(model.weights) == 2
        kernel, bias = shared.get_weights()
        np.testing.assert_allclose(model.predict([A, 2 * A]), 3 * A @ kernel + 2 * bias, rtol=1e-4, atol=1e-5)

    def test_a_layer_applied_to_its_own_output(self):
        x = Input(shape=(3,))
        layer = layers.Dense(3, activation="tanh")
        y = layer(layer(layer(x)))
        kernel, bias = layer.get_weights()
        expected = A
        for _ in range(3):
            expected = np.tanh(expected @ kernel + bias)
        np.testing.assert_allclose(Model(x, y).predict(A), expected, rtol=1e-5, atol=1e-6)

    def test_skips_and_diamonds(self):
        x = Input(shape=(3,), name="x")
        left, right = layers.Dense(3, name="left")(x), layers.Dense(3, name="right")(x)
        both = layers.Add(name="both")([left, right])
        out = layers.Concatenate(name="out")([both, x, left])
        model = Model(x, out)
        assert model.output_shape == (None, 9)
        assert [layer.name for layer in model.layers] == ["x", "left", "right", "both", "out"]
        (l_kernel, l_bias), (r_kernel, r_bias) = model.layers[1].get_weights(), model.layers[2].get_weights()
        expected = np.concatenate([A @ (l_kernel + r_kernel) + l_bias + r_bias, A, A @ l_kernel + l_bias], 1)
        np.testing.assert_allclose(model.predict(A), expected, rtol=1e-4, atol=1e-5)

    def test_a_random_acyclic_graph_gives_what_its_layers_give(self):
        generator = np.random.default_rng(9)
        x = Input(shape=(3,))
        symbolic, values = [x], [lamina.tensor(A)]
        for _ in range(30):
            i, j = generator.integers(0, len(symbolic), 2)
            layer = layers.Add() if generator.random() < 0.5 else layers.Dense(3, activation="tanh")
            if isinstance(layer, layers.Add):
                symbolic.append(layer([symbolic[i], symbolic[j]]))
                values.append(values[i] + values[j])
            else:
                symbolic.append(layer(symbolic[i]))
                values.append(layer(values[i]))
        model = Model(x, symbolic[1:])
        for found, expected in zip(model.predict(A), values[1:], strict=True):
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)

    def test_two_thousand_layers_deep(self):
        x = Input(shape=(3,))
        y = x
        for _ in range(2000):
            y = layers.Activation("linear")(y)
        model = Model(x, y)
        assert len(model.layers) == 2001
        np.testing.assert_array_equal(model(A).numpy(), A)
        np.testing.assert_array_equal(model.predict(A), A)
        assert model.get_config()["layers"][-1]["name"] == model.layers[-1].name

    def test_a_deep_stack_is_saved_and_loaded(self, tmp_path):
        model = lamina.Sequential([Input(shape=(3,)), *(layers.Activation("linear") for _ in range(500))])
        model.save(tmp_path / "deep")
        assert len(lamina.load_model(tmp_path / "deep").layers) == 500

    def test_a_deep_graph_is_saved_and_loaded(self, tmp_path):
        x = y = Input(shape=(3,))
        for _ in range(2000):
            y = layers.Activation("linear")(y)
        Model(x, y).save(tmp_path / "deep")
        assert len(lamina.load_model(tmp_path / "deep").layers) == 2001


class TestNested:
    def make(self):
        inner_x = Input(shape=(3,), name="inner_x")
        inner = Model(inner_x, layers.Dense(2, name="inner_d")(inner_x), name="inner")
        x = Input(shape=(3,), name="x")
        return inner, Model(x, layers.Dense(1, name="d")(inner(x)), name="outer")

    def test_weights_and_layers(self):
        inner, outer = self.make()
        assert [layer.name for layer in outer.layers] == ["x", "inner", "d"]
        assert [w.name for w in outer.weights] == ["inner_d/kernel", "inner_d/bias", "d/kernel", "d/bias"]
        assert outer.count_params() == 8 + 3
        np.testing.assert_allclose(outer.predict(A), outer.get_layer("d")(inner(A)).numpy(), rtol=1e-5, atol=1e-6)

    def test_shared_nested_model(self):
        inner, _ = self.make()
        a, b = Input(shape=(3,)), Input(shape=(3,))
        model = Model([a, b], layers.Add()([inner(a), inner(b)]))
        assert len(model.weights) == 2
        np.testing.assert_allclose(model.predict([A, A]), 2 * inner.predict(A), rtol=1e-5, atol=1e-6)

    def test_frozen_with_its_layers(self):
        inner, outer = self.make()
        inner.trainable = False
        assert [w.name for w in outer.trainable_weights] == ["d/kernel", "d/bias"]
        assert not inner.get_layer("inner_d").trainable

    def test_several_outputs_of_a_nested_model(self):
        inner = two_in_two_out(name="inner")
        a, b = Input(shape=(3,)), Input(shape=(2,))
        p, q = inner([a, b])
        model = Model([a, b], layers.Concatenate()([q, p]))
        p_value, q_value = inner.predict([A, B])
        np.testing.assert_allclose(model.predict([A, B]), np.concatenate([q_value, p_value], 1), rtol=1e-6)

    def test_a_mismatch_names_both_shapes(self):
        inner, _ = self.make()
        with pytest.raises(lamina.errors.ShapeError, match=r"\(None, 7\)(.|\n)*\(None, 3\)"):
            inner(Input(shape=(7,)))


class TestRefused:
    def test_a_disconnected_graph(self):
        a, b = Input(shape=(3,), name="a"), Input(shape=(3,), name="b")
        with pytest.raises(GraphError, match="disconnected: it needs the input 'b'"):
            Model(a, layers.Add()([a, b]))

    def test_an_unused_input_is_allowed(self):
        a, b = Input(shape=(3,), name="a"), Input(shape=(2,), name="b")
        assert Model([a, b], layers.Dense(1)(a)).predict([A, B]).shape == (5, 1)

    def test_an_input_twice(self):
        a = Input(shape=(3,))
        with pytest.raises(GraphError, match="given twice"):
            Model([a, a], layers.Add()([a, a]))

    def test_names_used_twice(self):
        x = Input(shape=(3,), name="x")
        with pytest.raises(GraphError, match="'d' is used by two layers"):
            Model(x, layers.Dense(1, name="d")(layers.Dense(3, name="d")(x)))

    @pytest.mark.parametrize("outputs", [3, A, layers.Dense(1), None])
    def test_what_is_no_symbolic_tensor(self, outputs):
        with pytest.raises((ArgumentTypeError, GraphError)):
            Model(Input(shape=(3,)), outputs)

    def test_mixed_symbolic_and_concrete(self):
        with pytest.raises(GraphError, match="mixes"):
            layers.Add()([Input(shape=(3,)), lamina.tensor(A)])


class TestGetLayer:
    def test_by_name_and_index(self):
        model = two_in_two_out()
        assert model.get_layer("q") is model.layers[4]
        assert model.get_layer(index=-1) is model.layers[-1]
        assert model.get_layer(index=0).name == "a"

    @pytest.mark.parametrize("place", [{"name": "r"}, {"index": 5}, {"index": -6}, {}])
    def test_absent(self, place):
        with pytest.raises(UnknownNameError, match=r"there is no layer|has no layer"):
            two_in_two_out().get_layer(**place)


class TestSubclass:
    def test_a_call_of_its_own_trains_and_predicts(self):
        class Own(Model):
            def __init__(self, **common):
                super().__init__(**common)
                self.hidden = layers.Dense(8, activation="tanh", name="hidden")
                self.out = [layers.Dense(1, name="out")]

            def call(self, x, training=False):
                return self.out[0](self.hidden(x))

        model = Own()
        assert [layer.name for layer in model.layers] == ["hidden", "out"]
        model.compile(optimizer="adam", loss="mse")
        y = A.sum(1, keepdims=True)
        losses = model.fit(A, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        assert model.predict(A).shape == (5, 1)
        assert len(model.weights) == 4
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        assert "Total params: 41 (164 B)" in lines


def test_inputs_of_float64_are_not_rounded(tmp_path):
    x, kernel = np.random.default_rng(0).random((5, 3, 4)), np.random.default_rng(1).random((4, 2))
    inputs = lamina.Input((3, 4), dtype="float64")
    model = lamina.Model(inputs, layers.Dense(2, use_bias=False, dtype="float64")(inputs))
    stack = lamina.Sequential([layers.Dense(2, use_bias=False, dtype="float64", input_shape=(3, 4))])
    for made in (model, stack):
        made.set_weights([kernel])
        made.save(tmp_path / "model.keras")
        for one in (made, lamina.load_model(tmp_path / "model.keras")):
            np.testing.assert_allclose(one.predict(x, verbose=0), x @ kernel, rtol=1e-14)
            np.testing.assert_allclose(one(x).numpy(), x @ kernel, rtol=1e-14)
