"""Models saved and loaded: every kind of address, predictions to the last bit, resumed training, what files hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lamina
from lamina import Sequential, io, layers, losses, metrics, ops, optimizers
from lamina.errors import LaminaError, ModelFileError, SerializationError, UnknownNameError

GENERATOR = np.random.default_rng(8)
X = GENERATOR.normal(size=(12, 6, 6, 1)).astype(np.float32)
Y = GENERATOR.integers(0, 3, 12).astype(np.int32)
WORDS = GENERATOR.integers(0, 7, (12, 4)).astype(np.int32)
A = GENERATOR.normal(size=(12, 3)).astype(np.float32)


def convolutional():
    return Sequential(
        [
            layers.Conv2D(4, 3, input_shape=(6, 6, 1), padding="same", activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, seed=1, name="drop"),
            layers.Dense(3, activation="softmax", kernel_regularizer="l2", kernel_constraint="max_norm", name="out"),
        ],
        name="convolutional",
    )


def recurrent():
    stack = [
        layers.Embedding(7, 4, mask_zero=True, input_length=4, name="words"),
        layers.LSTM(5, return_sequences=True, dropout=0.2, name="first"),
        layers.LSTM(3, go_backwards=True, name="second"),
        layers.Reshape((3, 1), name="shape"),
        layers.Activation("tanh", name="tanh"),
    ]
    return Sequential(stack, name="recurrent")


def branching():
    x = lamina.Input(shape=(3,), name="x")
    shared = layers.Dense(3, activation="tanh", name="shared")
    joined = layers.Concatenate(name="joined")([shared(x), layers.Add(name="sum")([x, shared(shared(x))])])
    return lamina.Model(x, [layers.Dense(1, name="p")(joined), joined], name="branching")


def nested():
    inner = Sequential([layers.Dense(3, input_shape=(3,), name="a"), layers.BatchNormalization(name="b")], name="inner")
    x = lamina.Input(shape=(3,), name="x")
    part = lamina.Model(x, layers.Dense(3, name="c")(inner(x)), name="part")
    u, v = lamina.Input(shape=(3,), name="u"), lamina.Input(shape=(3,), name="v")
    return lamina.Model([u, v], layers.Add(name="sum")([part(u), part(v), inner(u)]), name="nested")


MODELS = {
    "convolutional": (convolutional, X),
    "recurrent": (recurrent, WORDS),
    "branching": (branching, A),
    "nested": (nested, [A, A]),
}
every_model = pytest.mark.parametrize("name", MODELS)


def assert_same(one, other):
    """Bit for bit, in structure too."""
    if isinstance(one, (list, tuple)):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        assert_same(list(one.values()), list(other.values()))
    else:
        np.testing.assert_array_equal(one, other)


def documents(path):
    return json.loads((Path(path) / "model.json").read_text())


@pytest.fixture
def address(request, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    return {
        "path": lambda: tmp_path / "model",
        "string": lambda: str(tmp_path / "model"),
        "file": lambda: f"file://{tmp_path / 'model'}",
        "localstorage": lambda: "localstorage://my-model-1",
        "memory": lambda: "memory://of-test-saving",
    }[request.param]()


every_address = pytest.mark.parametrize("address", ["path", "string", "file", "localstorage", "memory"], indirect=True)


@every_address
class TestAddresses:
    def test_round_trip(self, address):
        model = convolutional()
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, Y, verbose=0)
        result = model.save(address)
        assert result.weight_bytes > 0
        loaded = lamina.load_model(address)
        assert_same(model.predict(X), loaded.predict(X))
        assert loaded.get_config() == model.get_config()

    def test_saved_again_the_new_one_is_there(self, address):
        one, other = convolutional(), recurrent()
        one.save(address)
        other.save(address)
        assert lamina.load_model(address).name == "recurrent"


def test_an_object_with_save_and_load():
    class Keeps:
        def save(self, artifacts):
            self.artifacts = artifacts
            return io.SaveResult.of(artifacts) if hasattr(io.SaveResult, "of") else None

        def load(self):
            return self.artifacts

    keeps, model = Keeps(), convolutional()
    model.save(keeps)
    assert_same(lamina.load_model(keeps).predict(X), model.predict(X))


@every_model
class TestEveryModel:
    def test_predictions_to_the_last_bit(self, name, tmp_path):
        make, x = MODELS[name]
        model = make()
        model.save(tmp_path / "model")
        loaded = lamina.load_model(tmp_path / "model")
        assert_same(loaded.predict(x), model.predict(x))
        assert type(loaded) is type(model)
        assert loaded.get_config() == model.get_config()
        assert [w.name for w in loaded.weights] == [w.name for w in model.weights]
        assert [w.trainable for w in loaded.weights] == [w.trainable for w in model.weights]
        assert loaded.optimizer is None

    @pytest.mark.parametrize(
        "optimizer",
        [lambda: optimizers.SGD(0.01), lambda: optimizers.Momentum(0.01, 0.9), lambda: optimizers.Adam(0.01)],
        ids=["sgd", "momentum", "adam"],
    )
    def test_resumed_is_as_uninterrupted(self, name, optimizer, tmp_path):
        make, x = MODELS[name]
        settings = {"batch_size": 5, "seed": 3, "verbose": 0}
        whole, parts = seeded(make), seeded(make)
        y = [np.zeros((12, *output.shape[1:]), np.float32) for output in whole.outputs]
        for model in (whole, parts):
            model.compile(optimizer=optimizer(), loss="mse", metrics=["mae"])
        whole.fit(x, y, epochs=4, **settings)
        parts.fit(x, y, epochs=2, **settings)
        parts.save(tmp_path / "model")
        resumed = lamina.load_model(tmp_path / "model")
        history = resumed.fit(x, y, initial_epoch=2, epochs=4, **settings).history
        assert_same(resumed.get_weights(), whole.get_weights())
        assert_same(resumed.optimizer.get_weights(), whole.optimizer.get_weights())
        assert {k: v[-2:] for k, v in whole.history.history.items()} == history

    def test_config_alone_makes_an_equal_model(self, name):
        make, x = MODELS[name]
        model = make()
        again = type(model).from_config(json.loads(json.dumps(model.get_config())))
        for weight, value in zip(again.weights, model.get_weights(), strict=True):
            weight.assign(value)  # set_weights would apply constraints
        assert_same(again.predict(x), model.predict(x))


def seeded(make):
    lamina.random.set_seed(1)
    return make()


class TestCompiled:
    @pytest.mark.parametrize(
        "settings",
        [
            {"loss": "mse"},
            {"loss": "mse", "metrics": ["mae", "accuracy"]},
            {"loss": losses.MeanSquaredError(name="own"), "metrics": [metrics.MeanAbsoluteError(name="distance")]},
            {"loss": losses.MeanSquaredError, "metrics": [metrics.MeanAbsoluteError]},
            {"loss": {"p": "mse", "joined": None}, "metrics": {"p": ["mae"]}},
            {"loss": ["mse", "mae"], "loss_weights": [0.5, 2.0]},
            {"loss": {"p": losses.MeanSquaredError(), "joined": "mae"}, "loss_weights": {"p": 3.0}},
        ],
        ids=["name", "names", "objects", "classes", "by output", "weights", "objects by output"],
    )
    @pytest.mark.parametrize(
        "optimizer",
        [
            lambda: "sgd",
            lambda: optimizers.Momentum(0.1, 0.5, use_nesterov=True),
            lambda: optimizers.Adam(0.1, clipnorm=1.0),
        ],
        ids=["sgd", "momentum", "adam"],
    )
    def test_compiled_as_before(self, settings, optimizer, tmp_path):
        model = branching()
        model.compile(optimizer=optimizer(), **settings)
        y = [np.ones((12, 1), np.float32), np.ones((12, 6), np.float32)]
        before = model.evaluate(A, y, return_dict=True)
        model.save(tmp_path / "model")
        loaded = lamina.load_model(tmp_path / "model")
        assert loaded.evaluate(A, y, return_dict=True) == before
        assert loaded.optimizer.get_config() == model.optimizer.get_config()
        one, other = (m.fit(A, y, seed=1, verbose=0, epochs=2).history for m in (model, loaded))
        assert one == other

    def test_not_compiled_on_request(self, tmp_path):
        model = branching()
        model.compile(optimizer="adam", loss="mse")
        model.save(tmp_path / "model")
        assert lamina.load_model(tmp_path / "model", compile=False).optimizer is None

    def test_without_the_optimizer(self, tmp_path):
        model = branching()
        model.compile(optimizer="adam", loss="mse")
        model.train_on_batch(A, [np.ones((12, 1)), np.ones((12, 6))])
        model.save(tmp_path / "model", include_optimizer=False)
        document = documents(tmp_path / "model")
        assert "trainingConfig" not in document
        assert all("group" not in w for g in document["weightsManifest"] for w in g["weights"])
        assert lamina.load_model(tmp_path / "model").optimizer is None

    def test_what_cannot_be_written_is_an_error_and_writes_nothing(self, tmp_path):
        model = branching()
        model.compile(optimizer="adam", loss=lambda t, p: ops.square(t - p))
        with pytest.raises(SerializationError):
            model.save(tmp_path / "model")
        assert not (tmp_path / "model").exists()
        model.save(tmp_path / "model", include_optimizer=False)


class TestForms:
    def test_dicts_and_lists_of_inputs_and_outputs(self, tmp_path):
        a, b = lamina.Input(shape=(3,), name="first"), lamina.Input(shape=(3,), name="second")
        model = lamina.Model({"u": a, "v": b}, {"sum": layers.Add()([a, b]), "one": layers.Dense(2)(a)})
        model.save(tmp_path / "model")
        loaded = lamina.load_model(tmp_path / "model")
        assert_same(loaded.predict({"v": A, "u": A + 1}), model.predict({"v": A, "u": A + 1}))

    def test_one_output_in_a_list(self, tmp_path):
        x = lamina.Input(shape=(3,))
        model = lamina.Model([x], [layers.Dense(2)(x)])
        model.save(tmp_path / "model")
        found = lamina.load_model(tmp_path / "model").predict([A])
        assert isinstance(found, list)
        assert_same(found, model.predict([A]))


class TestCustomObjects:
    def make(self):
        class Halves(layers.Layer):
            def __init__(self, times=1, **common):
                super().__init__(**common)
                self.times = times

            def build(self, input_shape):
                self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

            def call(self, x):
                return x * self.scale * 0.5**self.times

        class Cubed(losses.Loss):
            def call(self, y_true, y_pred):
                return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)

        model = Sequential([Halves(2, input_shape=(3,), name="halves")])
        model.compile(optimizer="sgd", loss=Cubed())
        return Halves, Cubed, model

    def test_found_in_a_scope(self, tmp_path):
        halves, cubed, model = self.make()
        model.save(tmp_path / "model")
        with pytest.raises(UnknownNameError, match="Halves"):
            lamina.load_model(tmp_path / "model")
        with lamina.custom_object_scope({"Halves": halves, "Cubed": cubed}):
            loaded = lamina.load_model(tmp_path / "model")
        assert_same(loaded.predict(A), model.predict(A))
        assert loaded.layers[0].times == 2
        assert loaded.evaluate(A, A) == model.evaluate(A, A)

    def test_registered_under_another_name(self, tmp_path, monkeypatch):
        monkeypatch.setattr(lamina.serialization, "_REGISTERED", {})
        halves, cubed, model = self.make()
        lamina.serialization.register("own>Halves")(halves)
        lamina.serialization.register()(cubed)
        model.save(tmp_path / "model")
        assert documents(tmp_path / "model")["modelTopology"]["config"]["layers"][0]["class_name"] == "own>Halves"
        assert type(lamina.load_model(tmp_path / "model").layers[0]) is halves

    def test_an_activation_function_of_ones_own(self, tmp_path, monkeypatch):
        monkeypatch.setattr(lamina.serialization, "_REGISTERED", {})

        @lamina.serialization.register()
        def twice(x):
            return x * 2.0

        model = Sequential([layers.Dense(2, activation=twice, input_shape=(3,))])
        model.save(tmp_path / "model")
        assert_same(lamina.load_model(tmp_path / "model").predict(A), model.predict(A))


class TestWeights:
    def test_by_name(self, tmp_path):
        model, other = branching(), branching()
        model.save_weights(tmp_path / "weights")
        other.load_weights(tmp_path / "weights")
        assert_same(other.get_weights(), model.get_weights())

    def test_into_layers_in_another_order(self, tmp_path):
        def make(names):
            x = lamina.Input(shape=(3,))
            dense = {name: layers.Dense(2, name=name) for name in names}
            return lamina.Model(x, layers.Add()([dense["a"](x), dense["b"](x)]))

        model, other = make(["a", "b"]), make(["b", "a"])
        model.save(tmp_path / "model")
        other.load_weights(tmp_path / "model")
        np.testing.assert_allclose(other.predict(A), model.predict(A), rtol=1e-6)

    @pytest.mark.parametrize("spoil", ["shard", "json", "shape", "missing", "surplus"])
    def test_all_or_none(self, spoil, tmp_path):
        model = branching()
        branching().save(tmp_path / "model")
        path = tmp_path / "model"
        if spoil == "shard":
            shard = next(path.glob("*.bin"))
            shard.write_bytes(shard.read_bytes()[:-4])
        elif spoil == "json":
            (path / "model.json").write_text((path / "model.json").read_text()[:-9])
        else:
            wrong = {"shape": 2, "missing": 1, "surplus": 1}[spoil]
            x = lamina.Input(shape=(3,), name="x")
            shared = layers.Dense(3, activation="tanh", name="shared")
            joined = layers.Concatenate()([shared(x), x])
            outputs = [layers.Dense(wrong, name="p")(joined)]
            outputs += [layers.Dense(1, name="more")(joined)] if spoil == "surplus" else []
            lamina.Model(x, joined if spoil == "missing" else outputs).save(path)
        before = model.get_weights()
        with pytest.raises(ModelFileError):
            model.load_weights(path)
        assert_same(model.get_weights(), before)

    def test_weights_of_two_layers_with_one_name_are_refused(self, tmp_path):
        x = lamina.Input(shape=(3,))
        inner = Sequential([layers.Dense(3, input_shape=(3,), name="d")], name="inner")
        model = lamina.Model(x, layers.Dense(3, name="d")(inner(x)))
        with pytest.raises(SerializationError, match="'d/kernel'"):
            model.save(tmp_path / "model")
        assert not (tmp_path / "model").exists()


class TestDocument:
    """What ``model.json`` holds: keys, order and names as TensorFlow.js writes and reads them."""

    @pytest.fixture
    def document(self, tmp_path):
        model = convolutional()
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, Y, verbose=0)
        model.save(tmp_path / "model")
        return documents(tmp_path / "model")

    def test_keys_and_their_order(self, document):
        assert list(document) == [
            "modelTopology", "format", "generatedBy", "convertedBy", "weightsManifest", "userDefinedMetadata",
            "trainingConfig",
        ]  # fmt: skip
        assert document["format"] == "layers-model"
        assert document["convertedBy"] is None

    def test_topology(self, document):
        topology = document["modelTopology"]
        assert list(topology) == ["class_name", "config", "keras_version", "backend"]
        assert topology["class_name"] == "Sequential"
        assert topology["keras_version"].startswith("tfjs-layers ")
        assert topology["backend"] == "tensor_flow.js"
        names = [layer["class_name"] for layer in topology["config"]["layers"]]
        assert names == ["Conv2D", "BatchNormalization", "MaxPooling2D", "Flatten", "Dropout", "Dense"]
        first = topology["config"]["layers"][0]["config"]
        assert first["batch_input_shape"] == [None, 6, 6, 1]
        assert first["dtype"] == "float32"
        assert first["kernel_size"] == [3, 3]
        assert first["activation"] == "relu"
        assert all(key == key.lower() for layer in topology["config"]["layers"] for key in layer["config"])

    def test_regularizers_and_constraints_have_names_that_tensorflow_js_knows(self, document):
        last = document["modelTopology"]["config"]["layers"][-1]["config"]
        assert last["kernel_regularizer"]["class_name"] == "L1L2"
        assert last["kernel_regularizer"]["config"]["l2"] == 0.01
        assert last["kernel_constraint"]["class_name"] == "MaxNorm"
        assert last["bias_regularizer"] is None

    def test_weights(self, document, tmp_path):
        (group,) = document["weightsManifest"]
        entries = group["weights"]
        assert all(list(e)[:3] == ["name", "shape", "dtype"] for e in entries)
        model = [e for e in entries if "group" not in e]
        own = [e for e in entries if e.get("group") == "optimizer"]
        assert len(model) + len(own) == len(entries)
        assert entries[: len(model)] == model
        assert [e["name"] for e in model][:4] == ["conv/kernel", "conv/bias", "norm/gamma", "norm/beta"]
        assert own[0]["name"] == "iter"
        assert (own[0]["dtype"], own[0]["shape"]) == ("int32", [])
        trained = [e["name"] for e in model if "moving" not in e["name"]]
        assert [e["name"] for e in own[1:]] == [f"{v}/m" for v in trained] + [f"{v}/v" for v in trained]
        size = sum(4 * int(np.prod(e["shape"])) for e in entries)
        assert sum((tmp_path / "model" / path).stat().st_size for path in group["paths"]) == size

    def test_training_configuration(self, document):
        training = document["trainingConfig"]
        assert training["loss"] == "sparse_categorical_crossentropy"
        assert training["metrics"] == ["accuracy"]
        assert training["optimizer_config"]["class_name"] == "Adam"
        assert set(training["optimizer_config"]["config"]) == {"learningRate", "beta1", "beta2", "epsilon"}

    def test_a_graph(self, tmp_path):
        nested().save(tmp_path / "model")
        topology = documents(tmp_path / "model")["modelTopology"]
        assert topology["class_name"] == "Model"
        config = topology["config"]
        assert list(config) == ["name", "layers", "input_layers", "output_layers", "shared_layers"]
        assert config["shared_layers"] == ["inner"]
        assert config["input_layers"] == [["u", 0, 0], ["v", 0, 0]]
        assert config["output_layers"] == [["sum", 0, 0]]
        by_name = {layer["name"]: layer for layer in config["layers"]}
        assert list(by_name["u"]) == ["name", "class_name", "config", "inbound_nodes"]
        assert by_name["u"]["config"] == {
            "batch_input_shape": [None, 3],
            "dtype": "float32",
            "sparse": False,
            "ragged": False,
            "optional": False,
            "name": "u",
        }
        assert by_name["part"]["inbound_nodes"] == [[["u", 0, 0, {}]], [["v", 0, 0, {}]]]
        assert by_name["sum"]["inbound_nodes"] == [[["part", 1, 0, {}], ["part", 2, 0, {}], ["inner", 1, 0, {}]]]
        assert by_name["part"]["class_name"] == "Model"
        assert by_name["inner"]["class_name"] == "Sequential"

    def test_nothing_that_is_not_json(self, document):
        json.dumps(document, allow_nan=False)


def test_a_model_with_a_call_of_its_own_is_not_saved(tmp_path):
    class Own(lamina.Model):
        def call(self, x):
            return x

    with pytest.raises(LaminaError, match="call of its own"):
        Own().save(tmp_path / "model")


def test_an_unbuilt_stack_is_saved_and_loaded(tmp_path):
    model = Sequential([layers.Dense(3, name="d")], name="later")
    model.save(tmp_path / "model")
    loaded = lamina.load_model(tmp_path / "model")
    assert not loaded.built
    assert loaded.predict(A).shape == (12, 3)


def test_on_the_active_backend(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    model = branching()
    model.save(tmp_path / "model")
    with lamina.backend_scope("torch"):
        loaded = lamina.load_model(tmp_path / "model")
    assert {w.backend.name for w in loaded.weights} == {"torch"}
    for a, b in zip(loaded.predict(A), model.predict(A), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    loaded.save(tmp_path / "again")
    assert_same(lamina.load_model(tmp_path / "again").predict(A), model.predict(A))


def test_custom_objects_for_one_load():
    class Doubles(lamina.layers.Layer):
        def call(self, x):
            return x * 2.0

    lamina.Sequential([lamina.layers.Input((2,)), Doubles()]).save("memory://doubles")
    again = lamina.load_model("memory://doubles", custom_objects={"Doubles": Doubles}, compile=False)
    np.testing.assert_array_equal(again.predict(np.ones((1, 2))), [[2.0, 2.0]])
    with pytest.raises(UnknownNameError, match="Doubles"):
        lamina.load_model("memory://doubles")
