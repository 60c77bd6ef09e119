"""What goes with a model into a file and out of it: metadata, parts of the weights, configs of Keras 3."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lamina
from lamina import Model, Sequential, layers
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    GraphError,
    ModelFileError,
    NotBuiltError,
    SerializationError,
    UnknownNameError,
    UnsafeModelError,
)
from lamina.models import load_model, model_from_json, save_model

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def stack(name="stack"):
    return Sequential(
        [layers.Dense(4, input_shape=(3,), name="a"), layers.BatchNormalization(name="n"), layers.Dense(2, name="b")],
        name=name,
    )


class TestMetadata:
    def test_it_is_saved_with_the_model(self):
        model = stack()
        assert model.get_user_defined_metadata() == {}
        given = {"author": "me", "scores": [1, 2.5, None, True], "nested": {"a": {"b": []}}}
        model.set_user_defined_metadata(given)
        given["author"] = "you"
        save_model(model, "memory://metadata")
        assert load_model("memory://metadata").get_user_defined_metadata() == {**given, "author": "me"}

    @pytest.mark.parametrize(
        "wrong", [[1], "text", None, {1: 2}, {"a": {1: 2}}, {"a": object()}, {"a": float("nan")}, {"a": np.ones(1)}]
    )
    def test_what_is_no_json(self, wrong):
        with pytest.raises(ArgumentTypeError):
            stack().set_user_defined_metadata(wrong)

    def test_what_has_no_end(self):
        endless: dict[str, object] = {}
        endless["again"] = endless
        with pytest.raises(ArgumentError, match="too deeply"):
            stack().set_user_defined_metadata(endless)


class TestSaving:
    def test_an_address_that_is_taken(self, tmp_path):
        model = stack()
        for address in (tmp_path / "model", "memory://taken"):
            model.save(address, overwrite=False)
            with pytest.raises(ArgumentError, match="already"):
                model.save(address, overwrite=False)
            save_model(model, address)
        with pytest.raises(ArgumentError, match="zipped is True"):
            model.save(tmp_path / "model", zipped=True)
        model.save(tmp_path / "model", True, False)

    def test_trainable_weights_only(self):
        model, other = stack(), stack()
        model.save("memory://part", trainable_only=True, include_optimizer=False)
        with pytest.raises(ModelFileError, match="moving_mean"):
            other.load_weights("memory://part")
        moving = other.get_layer("n").non_trainable_weights[0]
        moving.assign(moving + 3.0)
        other.load_weights("memory://part", strict=False)
        for mine, theirs in zip(other.trainable_weights, model.trainable_weights, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
        assert moving.numpy().tolist() == [3.0] * 4

    def test_a_model_with_dicts_comes_back_with_them(self):
        x, z = lamina.Input((3,), name="x"), lamina.Input((3,), name="z")
        inner = Model({"p": x, "q": z}, layers.Subtract()([x, z]), name="inner")
        a, b = lamina.Input((3,), name="a"), lamina.Input((3,), name="b")
        model = Model({"second": b, "first": a}, {"out": inner({"q": b, "p": a})})
        expected = model.predict({"first": X, "second": X * 3})["out"]
        np.testing.assert_allclose(expected, X - X * 3)
        model.save("memory://dicts")
        for again in (load_model("memory://dicts"), Model.from_config(model.get_config())):
            np.testing.assert_allclose(again.predict({"second": X * 3, "first": X})["out"], expected)
        topology = json.loads(model.to_json())["config"]
        assert [place[0] for place in topology["input_layers"]] == ["b", "a"]
        assert isinstance(topology["layers"][2]["config"]["input_layers"], list)


class TestLoadingWeights:
    def test_of_a_mapping(self):
        model, other = stack(), stack()
        values = {v.name: v.numpy() + 1 for v in model.weights}
        other.load_weights(values)
        assert all((v.numpy() == values[v.name]).all() for v in other.weights)

    def test_longer_names_as_tensorflow_js_has_them(self):
        model = Sequential([layers.Dense(1, input_shape=(1,), name="a")])
        model.load_weights({"a/dense_1/kernel": [[2.0]], "a/bias": lamina.tensor([3.0])})
        assert model.predict(np.ones((1, 1))).tolist() == [[5.0]]
        with pytest.raises(ArgumentError, match="two values"):
            model.load_weights({"a/dense_1/kernel": [[2.0]], "a/kernel": [[2.0]], "a/bias": [3.0]})

    def test_all_or_none(self):
        model = stack()
        before = model.get_weights()
        values = {v.name: v.numpy() + 1 for v in model.weights}
        for wrong in (
            {**values, "c/kernel": X},
            {name: value for name, value in values.items() if name != "b/bias"},
            {**values, "b/bias": np.zeros(3)},
        ):
            with pytest.raises(ModelFileError):
                model.load_weights(wrong)
        assert all((a == b).all() for a, b in zip(model.get_weights(), before, strict=True))

    def test_names_that_only_one_side_has(self):
        model = stack()
        before = model.get_layer("a").get_weights()
        model.load_weights({"b/bias": [1.0, 2.0], "other": X}, strict=False)
        assert model.get_layer("b").bias.numpy().tolist() == [1, 2]
        assert (model.get_layer("a").get_weights()[0] == before[0]).all()
        with pytest.raises(ModelFileError, match="shape"):
            model.load_weights({"b/bias": [1.0]}, strict=False)


class TestConfigs:
    def test_custom_objects(self):
        class Doubled(layers.Layer):
            def call(self, x):
                return x * 2

        model = Sequential([lamina.Input((3,)), Doubled(name="d")])
        with pytest.raises(UnknownNameError):
            Model.from_config(model.get_config())
        again = Model.from_config(model.get_config(), custom_objects={"Doubled": Doubled})
        np.testing.assert_array_equal(again.predict(X), X * 2)

    def test_a_config_without_layers(self):
        for kind in (Model, Sequential):
            with pytest.raises(SerializationError, match="no list of layers"):
                kind.from_config({"name": "m"})

    def test_a_model_of_ones_own_inside(self):
        class Own(Model):
            def __init__(self, units, **common):
                super().__init__(**common)
                self.units = units
                self.dense = layers.Dense(units)

            def call(self, x):
                return self.dense(x)

        x = lamina.Input((3,))
        model = Model(x, Own(2, name="own")(x))
        again = Model.from_config(model.get_config(), {"Own": Own})
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(X), model.predict(X))


def tensor(name, call=0, output=0):
    config = {"shape": [None, 3], "dtype": "float32", "keras_history": [name, call, output]}
    return {"class_name": "__keras_tensor__", "config": config}


def entry(kind, name, calls, module="keras.layers", **config):
    return {
        "module": module, "class_name": kind, "config": {"name": name, **config}, "registered_name": None,
        "name": name, "inbound_nodes": [{"args": args, "kwargs": kwargs} for args, kwargs in calls],
    }  # fmt: skip


def keras_3(entries, inputs, outputs):
    config = {"name": "m", "trainable": True, "layers": entries, "input_layers": inputs, "output_layers": outputs}
    return json.dumps({"module": "keras.src.models.functional", "class_name": "Functional", "config": config})


POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
INPUT = {"batch_shape": [None, 3], "dtype": "float32", "sparse": False, "ragged": False, "optional": False}


class TestKeras3:
    def test_a_graph(self):
        text = keras_3(
            [
                entry("InputLayer", "x", [], **INPUT),
                entry("Dense", "d", [([tensor("x")], {}), ([tensor("d")], {})], units=3, dtype=POLICY),
                entry("Subtract", "s", [([[tensor("d", 1), tensor("x")]], {})], dtype=POLICY),
            ],
            ["x", 0, 0],
            {"out": ["s", 0, 0], "again": ["d", 0, 0]},
        )
        model = model_from_json(text)
        found = model.predict(X)
        d = model.get_layer("d")
        np.testing.assert_allclose(found["out"], (d(d(X)) - X).numpy(), rtol=1e-6)
        np.testing.assert_allclose(found["again"], d(X).numpy(), rtol=1e-6)

    def test_further_tensors_and_settings(self):
        sequence = {**INPUT, "batch_shape": [None, 5, 3]}
        text = keras_3(
            [
                entry("InputLayer", "x", [], **sequence),
                entry("LSTM", "one", [([tensor("x")], {"training": False, "mask": None})], units=4, return_state=True),
                entry(
                    "LSTM",
                    "two",
                    [([tensor("x")], {"initial_state": [tensor("one", 0, 1), tensor("one", 0, 2)]})],
                    units=4,
                ),
            ],
            [["x", 0, 0]],
            [["two", 0, 0]],
        )
        model = model_from_json(text)
        assert model.output_shape == (None, 4)
        assert "training" not in model.graph.nodes[1].kwargs
        x = np.ones((2, 5, 3), np.float32)
        _, h, c = model.get_layer("one")(x)
        expected = model.get_layer("two")(x, initial_state=[h, c]).numpy()
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)

    def test_defaults_are_those_of_keras(self):
        text = keras_3([entry("InputLayer", "x", [], **INPUT), entry("Dense", "d", [([tensor("x")], {})], units=3)],
                       ["x", 0, 0], ["d", 0, 0])  # fmt: skip
        initializer = model_from_json(text).get_layer("d").kernel_initializer
        assert type(initializer).__name__ == "GlorotUniform"

    def test_functions_between_layers_are_refused(self):
        text = keras_3(
            [
                entry("InputLayer", "x", [], **INPUT),
                entry("Flatten", "f", [([tensor("x")], {})]),
                entry("Multiply", "multiply", [([tensor("f"), 2], {})], module="keras.src.ops.numpy"),
            ],
            ["x", 0, 0],
            ["multiply", 0, 0],
        )
        with pytest.raises(SerializationError, match=r"keras\.src\.ops\.numpy"):
            model_from_json(text)

    @pytest.mark.parametrize(
        "calls",
        [
            [{"args": "x", "kwargs": {}}],
            [{"args": [1], "kwargs": {}}],
            [{"args": [], "kwargs": {}}],
            [{"kwargs": {}}],
            [{"args": [{"class_name": "__keras_tensor__", "config": {}}], "kwargs": {}}],
            [{"args": [tensor("y")], "kwargs": {}}],
            [{"args": [tensor("x", -1)], "kwargs": {}}],
            [[]],
            "calls",
        ],
    )
    def test_malformed_calls(self, calls):
        broken = {**entry("Dense", "d", [], units=3), "inbound_nodes": calls}
        with pytest.raises(SerializationError):
            model_from_json(keras_3([entry("InputLayer", "x", [], **INPUT), broken], ["x", 0, 0], ["d", 0, 0]))

    @pytest.mark.parametrize("outputs", [None, [], {}, "d", ["d"], ["d", 0], ["d", 0, 1], {"a": None}, [["d", "0", 0]]])
    def test_malformed_outputs(self, outputs):
        entries = [entry("InputLayer", "x", [], **INPUT), entry("Dense", "d", [([tensor("x")], {})], units=3)]
        with pytest.raises(SerializationError):
            model_from_json(keras_3(entries, ["x", 0, 0], outputs))


class TestMethods:
    def test_execute_gives_what_is_inside(self):
        model = stack()
        inside = model.execute(X, "a")
        np.testing.assert_allclose(inside.numpy(), model.get_layer("a")(X).numpy(), rtol=1e-6)
        both = model.execute(lamina.tensor(X), ["a", model.output])
        np.testing.assert_allclose(both[1].numpy(), model.predict(X), rtol=1e-5, atol=1e-6)
        other = lamina.Input((3,))
        model.get_layer("a")(other)  # a call outside of the model changes nothing
        np.testing.assert_array_equal(model.execute(X, "a").numpy(), inside.numpy())
        with pytest.raises(UnknownNameError):
            model.execute(X, "z")
        shared = layers.Dense(3, name="shared")
        twice = Model(other, shared(shared(other)))
        with pytest.raises(GraphError, match="called 2 times"):
            twice.execute(X, "shared")
        np.testing.assert_allclose(twice.execute(X, shared.get_output_at(0)).numpy(), shared(X).numpy(), rtol=1e-6)
        with pytest.raises(GraphError):
            model.execute(X, [])

    def test_the_loss_that_was_given(self):
        model = stack()
        assert model.loss is None
        model.compile("sgd", ["mse"])
        assert model.loss == ["mse"]

    def test_stateful(self):
        assert stack().stateful is False
        x = lamina.Input(batch_shape=(2, 5, 3))
        inner = Sequential([layers.LSTM(4, stateful=True, batch_input_shape=(2, 5, 3))])
        model = Model(x, inner(x))
        assert model.stateful is True
        first = model(np.ones((2, 5, 3), np.float32)).numpy()
        assert not np.array_equal(model(np.ones((2, 5, 3), np.float32)).numpy(), first)
        model.reset_states()
        np.testing.assert_array_equal(model(np.ones((2, 5, 3), np.float32)).numpy(), first)

    def test_compute_output_shape(self):
        assert stack().compute_output_shape((None, 3)) == (None, 2)
        assert Sequential([layers.Dense(2)]).compute_output_shape((None, 5)) == (None, 2)
        x, z = lamina.Input((3,)), lamina.Input((4,))
        model = Model([x, z], [layers.Dense(2)(x), layers.Concatenate()([x, z])])
        assert model.compute_output_shape([(8, 3), (8, 4)]) == [(8, 2), (8, 7)]


class TestWeightsOfFiles:
    @pytest.fixture
    def model(self):
        return lamina.Sequential([lamina.layers.Dense(100, input_shape=(100,))])

    @pytest.mark.parametrize("place", ["folder", "w.safetensors", "w.weights.h5", "m.keras", "m.h5"])
    def test_limits(self, model, place, tmp_path):
        path = tmp_path / place
        (model.save_weights if place.startswith("w") else model.save)(path)
        model.load_weights(path, limits=lamina.io.Limits(file_bytes=100_000))
        with pytest.raises(UnsafeModelError, match="bytes"):
            model.load_weights(path, limits=lamina.io.Limits(file_bytes=10_000))

    def test_limits_of_a_whole_model(self, model, tmp_path):
        model.save(tmp_path / "folder")
        with pytest.raises(UnsafeModelError, match=r"weight files.*bytes"):
            lamina.load_model(tmp_path / "folder", limits=lamina.io.Limits(file_bytes=10_000))

    @pytest.mark.parametrize("place", ["folder", "w.safetensors", "w.weights.h5", "m.keras", "m.h5"])
    def test_a_model_without_weights_is_not_the_files_fault(self, model, place, tmp_path):
        path = tmp_path / place
        (model.save_weights if place.startswith("w") else model.save)(path)
        with pytest.raises(NotBuiltError):
            lamina.Sequential([lamina.layers.Dense(100)]).load_weights(path)

    @pytest.mark.parametrize("place", ["folder", "w.safetensors", "w.weights.h5", "m.keras", "m.h5"])
    def test_what_does_not_fit_is_an_error_that_names_the_file(self, model, place, tmp_path):
        path = tmp_path / place
        (model.save_weights if place.startswith("w") else model.save)(path)
        other = lamina.Sequential([lamina.layers.Dense(7, input_shape=(100,), name=model.layers[0].name)])
        before = other.get_weights()
        with pytest.raises(ModelFileError, match=place):
            other.load_weights(path)
        for one, now in zip(before, other.get_weights(), strict=True):
            np.testing.assert_array_equal(one, now)
