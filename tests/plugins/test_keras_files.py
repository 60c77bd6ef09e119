"""Models to ``.keras`` and ``.weights.h5`` and back: each layer, ways of joining layers, optimizers, recorded ones."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.errors import ModelFileError, NotBuiltError, SerializationError, UnknownNameError
from lamina.layers import SymbolicTensor
from lamina.serialization import register_keras_serializable
from lamina.structures import flatten, map_structure
from plugins import recorded_keras
from unit.layers.layer_case import Arguments
from unit.layers.test_every_layer import CASES


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def given(model: Any, inputs: Any) -> list[np.ndarray[Any, Any]]:
    return [x.numpy() for x in flatten(model(inputs, training=False))]


def assert_same(model: Any, other: Any, inputs: Any) -> None:
    """The same configuration, weights and outputs, to the last bit."""
    assert [w.shape for w in other.weights] == [w.shape for w in model.weights]
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(given(model, inputs), given(other, inputs), strict=True):
        np.testing.assert_array_equal(one, two)


def randomized(model: Any) -> Any:
    generator = np.random.default_rng(5)
    for w in model.weights:
        if w.dtype == "float32":
            w.assign(generator.uniform(0.1, 0.9, w.shape).astype(np.float32))
    return model


def both_ways(model: Any, inputs: Any, folder: Any) -> Any:
    """Saves and loads a model in both formats, and checks that nothing changed. Gives the model of the ``.keras``."""
    randomized(model)
    model.save(folder / "m.keras")
    loaded = lamina.load_model(folder / "m.keras")
    assert_same(model, loaded, inputs)
    model.save_weights(folder / "m.weights.h5")
    for weight in loaded.weights:
        weight.assign(np.zeros(weight.shape, weight.dtype))
    loaded.load_weights(folder / "m.weights.h5")
    assert_same(model, loaded, inputs)
    return loaded


# -- layers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_layer(case: Any, tmp_path: Any) -> None:
    layer = case.kind(**case.settings)
    arguments = list(case.inputs) if isinstance(case.inputs, Arguments) else [case.inputs]
    symbolic = [map_structure(lambda x: lamina.Input(batch_shape=x.shape, dtype=str(x.dtype)), a) for a in arguments]
    outputs = layer(*symbolic)
    model = lamina.Model([x for x in flatten(symbolic) if isinstance(x, SymbolicTensor)], outputs)
    loaded = both_ways(model, flatten(arguments), tmp_path)
    assert loaded.get_layer(layer.name).get_config() == layer.get_config()


# -- ways of joining layers ----------------------------------------------------------------------------------------


def dense(units: int = 3, **settings: Any) -> Any:
    return layers.Dense(units, **settings)


class TestStacks:
    def test_plain(self, tmp_path: Any) -> None:
        model = lamina.Sequential([dense(4, input_shape=(3,)), dense(2)])
        assert type(both_ways(model, numbers(2, 3), tmp_path)) is lamina.Sequential

    def test_with_an_input(self, tmp_path: Any) -> None:
        both_ways(lamina.Sequential([lamina.Input((3,)), dense(), dense()]), numbers(2, 3), tmp_path)

    def test_one_that_was_built_by_a_call(self, tmp_path: Any) -> None:
        model = lamina.Sequential([dense(), dense()])
        model(numbers(2, 3))
        both_ways(model, numbers(2, 3), tmp_path)

    def test_one_in_another(self, tmp_path: Any) -> None:
        inner = lamina.Sequential([dense(4, input_shape=(3,)), dense(2)])
        both_ways(lamina.Sequential([inner, dense(2), lamina.Sequential([dense(5)])]), numbers(2, 3), tmp_path)

    def test_not_built(self, tmp_path: Any) -> None:
        with pytest.raises(NotBuiltError, match="has no weights yet"):
            lamina.Sequential([dense()]).save(tmp_path / "m.keras")
        with pytest.raises(NotBuiltError, match="has no weights yet"):
            lamina.Sequential([dense()]).save_weights(tmp_path / "m.weights.h5")
        assert list(tmp_path.iterdir()) == []


class TestGraphs:
    def test_several_outputs(self, tmp_path: Any) -> None:
        x = lamina.Input((3,))
        loaded = both_ways(lamina.Model(x, [dense()(x), dense()(x)]), numbers(2, 3), tmp_path)
        assert isinstance(loaded(numbers(2, 3)), list)

    def test_dicts(self, tmp_path: Any) -> None:
        x, y = lamina.Input((3,), name="x"), lamina.Input((2,), name="y")
        model = lamina.Model({"b": x, "a": y}, {"q": dense()(x), "p": dense()(y)})
        inputs = {"a": numbers(2, 2), "b": numbers(2, 3)}
        assert list(both_ways(model, inputs, tmp_path)(inputs)) == ["q", "p"]

    def test_a_list_of_one(self, tmp_path: Any) -> None:
        x = lamina.Input((3,))
        loaded = both_ways(lamina.Model([x], [dense()(x)]), numbers(2, 3), tmp_path)
        assert isinstance(loaded(numbers(2, 3)), list)

    def test_a_shared_layer(self, tmp_path: Any) -> None:
        x, y, shared = lamina.Input((3,)), lamina.Input((3,)), dense(3)
        model = lamina.Model([x, y], layers.Add()([shared(shared(x)), dense(3)(shared(y))]))
        both_ways(model, [numbers(2, 3), numbers(4, 3)[2:]], tmp_path)

    def test_a_nested_graph_that_is_called_twice_and_given_out(self, tmp_path: Any) -> None:
        i, x, before = lamina.Input((3,)), lamina.Input((3,)), dense(3)
        inner = lamina.Model(i, layers.Dense(3, activation="tanh")(i))
        once, twice = inner(before(x)), inner(inner(x))
        both_ways(lamina.Model(x, {"b": twice, "a": once}), numbers(2, 3), tmp_path)

    def test_a_layer_that_several_nested_models_have(self, tmp_path: Any) -> None:
        shared, x = dense(3, name="shared"), lamina.Input((3,))
        one, two = (lamina.Sequential([lamina.Input((3,)), shared, dense(3, name="own")]) for _ in "ab")
        model = lamina.Model(x, [one(x), two(x)])
        loaded = both_ways(model, numbers(2, 3), tmp_path)
        assert len(loaded.weights) == len(model.weights) == 6

    def test_a_model_in_a_wrapper(self, tmp_path: Any) -> None:
        inner = lamina.Sequential([lamina.Input((3,)), dense(4), dense(2)])
        x = lamina.Input((5, 3))
        both_ways(lamina.Model(x, layers.TimeDistributed(inner)(x)), numbers(2, 5, 3), tmp_path)

    def test_states_and_masks(self, tmp_path: Any) -> None:
        x = lamina.Input((5,), dtype="int32")
        embedded = layers.Embedding(7, 3, mask_zero=True)(x)
        found, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(embedded)
        after = layers.LSTM(4)(found, initial_state=[h, c])
        model = lamina.Model(x, layers.Attention()([found, embedded_of(found), found]))
        both_ways(lamina.Model(x, [after, model.outputs[0]]), np.arange(10).reshape(2, 5) % 4, tmp_path)

    def test_arguments_beside_the_first(self, tmp_path: Any) -> None:
        x, y = lamina.Input((4, 3)), lamina.Input((5, 3))
        outputs = layers.MultiHeadAttention(2, 3)(x, value=y, use_causal_mask=True)
        both_ways(lamina.Model([x, y], outputs), [numbers(2, 4, 3), numbers(2, 5, 3)], tmp_path)

    def test_frozen_layers_stay_frozen(self, tmp_path: Any) -> None:
        model = lamina.Sequential([lamina.Input((3,)), dense(trainable=False), dense()])
        loaded = both_ways(model, numbers(2, 3), tmp_path)
        assert [w.name for w in loaded.trainable_weights] == [w.name for w in model.trainable_weights]
        model.trainable = False
        assert both_ways(model, numbers(2, 3), tmp_path).trainable_weights == []


def embedded_of(x: Any) -> Any:
    return layers.Dense(4)(x)


# -- classes of one's own ------------------------------------------------------------------------------------------


class Scaled(layers.Layer):
    def __init__(self, factor: float = 2.0, **common: Any) -> None:
        super().__init__(**common)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.before = layers.Dense(input_shape[-1], name="before")
        self.branches = [layers.Dense(2, name="left"), [layers.Dense(2, name="right")]]
        self.offset = self.add_weight((input_shape[-1],), trainable=False, name="offset")
        self.scale = self.add_weight((input_shape[-1],), name="scale")

    def call(self, x: Any) -> Any:
        x = self.before(x) * self.scale * self.factor + self.offset
        return ops.add(self.branches[0](x), self.branches[1][0](x))


class TestOwnClasses:
    def test_passed_in(self, tmp_path: Any) -> None:
        model = lamina.Sequential([lamina.Input((3,)), Scaled(3.0), dense()])
        with lamina.serialization.custom_object_scope({"Scaled": Scaled}):
            loaded = both_ways(model, numbers(2, 3), tmp_path)
        assert loaded.layers[0].factor == 3.0
        assert lamina.load_model(tmp_path / "m.keras", {"Scaled": Scaled}).layers[0].factor == 3.0

    def test_registered_with_a_package(self, tmp_path: Any) -> None:
        register_keras_serializable("tests")(Scaled)
        try:
            both_ways(lamina.Sequential([lamina.Input((3,)), Scaled(3.0)]), numbers(2, 3), tmp_path)
            config = config_of(tmp_path / "m.keras")["config"]["layers"][1]
            assert (config["class_name"], config["registered_name"]) == ("Scaled", "tests>Scaled")
        finally:
            del lamina.serialization.get_custom_objects()["tests>Scaled"]
        with pytest.raises(UnknownNameError, match="Scaled"):
            lamina.load_model(tmp_path / "m.keras")

    def test_where_its_weights_lie(self, tmp_path: Any) -> None:
        lamina.Sequential([lamina.Input((3,)), Scaled(name="mine")]).save_weights(tmp_path / "m.weights.h5")
        assert {path for path in paths_in(tmp_path / "m.weights.h5") if path.endswith("/0")} == {
            "layers/scaled/vars/0", "layers/scaled/before/vars/0", "layers/scaled/branches/dense/vars/0",
            "layers/scaled/branches/container/dense/vars/0",
        }  # fmt: skip

    def test_unknown(self, tmp_path: Any) -> None:
        with pytest.raises(SerializationError, match="no name leads to it"):
            lamina.Sequential([lamina.Input((3,)), Scaled()]).save(tmp_path / "m.keras")

    def test_what_keras_has_not_comes_back(self, tmp_path: Any) -> None:
        model = lamina.Sequential([lamina.Input((3,)), layers.ThresholdedReLU(0.5), dense()])
        model.compile(lamina.optimizers.Momentum(0.1, 0.9), "mse")
        loaded = both_ways(model, numbers(2, 3), tmp_path)
        assert type(loaded.optimizer) is lamina.optimizers.Momentum
        config = config_of(tmp_path / "m.keras")
        assert config["config"]["layers"][1]["module"] == "lamina.layers"
        assert config["compile_config"]["optimizer"]["module"] == "lamina.optimizers"

    def test_a_subclass_keeps_its_weights(self, tmp_path: Any) -> None:
        class Own(lamina.Model):
            def __init__(self) -> None:
                super().__init__()
                self.first, self.second = layers.Dense(4), layers.Dense(2)

            def call(self, x: Any) -> Any:
                return self.second(self.first(x))

        model, other = Own(), Own()
        assert given(model, numbers(2, 3))[0].shape == given(other, numbers(2, 3))[0].shape
        randomized(model).save_weights(tmp_path / "m.weights.h5")
        other.load_weights(tmp_path / "m.weights.h5")
        assert_same(model, other, numbers(2, 3))
        assert {"first/vars/0", "layers/dense_1/vars/0"} < paths_in(tmp_path / "m.weights.h5")
        with pytest.raises(SerializationError, match="a subclass with a call of its own"):
            model.save(tmp_path / "m.keras")


def config_of(path: Any) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def paths_in(path: Any) -> set[str]:
    from lamina_keras.hdf5 import read_hdf5
    from lamina_keras.weights_file import arrays_in

    return set(arrays_in(read_hdf5(memoryview(path.read_bytes()), "m")))


# -- training ------------------------------------------------------------------------------------------------------

OPTIMIZERS = [
    ("SGD", {}), ("SGD", {"momentum": 0.9, "nesterov": True, "use_ema": True}), ("Adam", {"amsgrad": True}),
    ("AdamW", {"clipnorm": 1.0}), ("Adamax", {}), ("Nadam", {}), ("Adagrad", {}), ("Adadelta", {}), ("Adafactor", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}), ("Ftrl", {}), ("Lion", {}), ("Lamb", {}), ("Muon", {}),
    ("ScheduleFreeAdamW", {}), ("Adam", {"gradient_accumulation_steps": 2}),
    ("LossScaleOptimizer", {"inner_optimizer": "adam"}), ("Momentum", {"learning_rate": 0.1, "momentum": 0.9}),
]  # fmt: skip


def trained(optimizer: Any, steps: int = 3) -> Any:
    lamina.random.set_seed(1)
    model = lamina.Sequential([lamina.Input((3,)), dense(4, activation="tanh"), layers.Dropout(0.2), dense(2)])
    model.compile(optimizer, "mse", metrics=["mae"], loss_weights=None)
    train(model, steps)
    return model


def train(model: Any, steps: int) -> None:
    for _ in range(steps):
        model.train_on_batch(numbers(4, 3), numbers(4, 2))


@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=str)
def test_every_optimizer_goes_on(name: str, settings: dict[str, Any], tmp_path: Any) -> None:
    model = trained(getattr(lamina.optimizers, name)(**settings))
    model.save(tmp_path / "m.keras")
    loaded = lamina.load_model(tmp_path / "m.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for each in (model, loaded):
        train(each, 2)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


class TestCompiling:
    def test_a_schedule(self, tmp_path: Any) -> None:
        schedule = lamina.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        trained(lamina.optimizers.SGD(schedule)).save(tmp_path / "m.keras")
        config = config_of(tmp_path / "m.keras")["compile_config"]["optimizer"]
        assert config["config"]["learning_rate"]["module"] == "keras.optimizers.schedules"
        loaded = lamina.load_model(tmp_path / "m.keras")
        assert float(loaded.optimizer.learning_rate.numpy()) == pytest.approx(0.1 * 0.5**0.3)

    def test_losses_and_metrics_by_output(self, tmp_path: Any) -> None:
        x = lamina.Input((3,))
        model = lamina.Model(x, {"a": dense(1, name="a")(x), "b": dense(2, name="b")(x)})
        loss = {"a": lamina.losses.Huber(0.3), "b": "mse"}
        model.compile(
            "adam",
            loss,
            metrics={"a": [lamina.metrics.MeanSquaredError(), "mae"], "b": []},
            loss_weights={"a": 0.5, "b": 2.0},
        )
        y = {"a": numbers(2, 1), "b": numbers(2, 2)}
        expected = model.evaluate(numbers(2, 3), y, verbose=0, return_dict=True)
        model.save(tmp_path / "m.keras")
        found = lamina.load_model(tmp_path / "m.keras").evaluate(numbers(2, 3), y, verbose=0, return_dict=True)
        assert found == pytest.approx(expected)

    def test_left_out(self, tmp_path: Any) -> None:
        model = trained("adam")
        model.save(tmp_path / "m.keras")
        assert lamina.load_model(tmp_path / "m.keras", compile=False).optimizer is None
        model.save(tmp_path / "n.keras", include_optimizer=False)
        assert lamina.load_model(tmp_path / "n.keras").optimizer is None
        assert (tmp_path / "n.keras").stat().st_size < (tmp_path / "m.keras").stat().st_size

    def test_compiled_but_not_trained(self, tmp_path: Any) -> None:
        trained("adam", steps=0).save(tmp_path / "m.keras")
        loaded = lamina.load_model(tmp_path / "m.keras")
        train(loaded, 1)
        assert loaded.optimizer.iterations.numpy() == 1

    def test_weights_files_hold_the_state_too(self, tmp_path: Any) -> None:
        model, other, without = trained("adam"), trained("adam", 0), trained("sgd", 0)
        model.save_weights(tmp_path / "m.weights.h5")
        other.load_weights(tmp_path / "m.weights.h5")
        assert other.optimizer.iterations.numpy() == 3
        with pytest.warns(RuntimeWarning, match="the optimizer keeps its state: .* has 'optimizer/vars/2', for which"):
            without.load_weights(tmp_path / "m.weights.h5")
        assert without.optimizer.iterations.numpy() == 0

    def test_checkpoints(self, tmp_path: Any) -> None:
        model = trained("adam", 0)
        saver = lamina.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), monitor="loss")
        model.fit(numbers(8, 3), numbers(8, 2), epochs=2, verbose=0, callbacks=[saver])
        assert lamina.load_model(tmp_path / "best.keras").optimizer.iterations.numpy() > 0


class TestWhatLaminaKeeps:
    def test_the_users_data_and_random_streams(self, tmp_path: Any) -> None:
        model = trained("sgd")
        model.set_user_defined_metadata({"labels": ["a", "b"]})
        model.save(tmp_path / "m.keras")
        loaded = lamina.load_model(tmp_path / "m.keras")
        assert loaded.get_user_defined_metadata() == {"labels": ["a", "b"]}
        one, other = (m(numbers(4, 3), training=True).numpy() for m in (model, loaded))
        np.testing.assert_array_equal(one, other)

    def test_the_fingerprint(self, tmp_path: Any) -> None:
        model = trained("sgd")
        model.save(tmp_path / "m.keras")
        with zipfile.ZipFile(tmp_path / "m.keras") as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        metadata = json.loads(members["metadata.json"])
        metadata["lamina"]["fingerprint"][0]["values"][0] += 1.0
        members["metadata.json"] = json.dumps(metadata).encode()
        with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        with pytest.raises(ModelFileError, match="differs by"):
            lamina.load_model(tmp_path / "n.keras")
        assert_same(model, lamina.load_model(tmp_path / "n.keras", fingerprint=False), numbers(2, 3))

    def test_the_same_model_gives_the_same_bytes(self, tmp_path: Any) -> None:
        model = trained("adam")
        files = [tmp_path / "a.keras", tmp_path / "b.keras"]
        for path in files:
            model.save(path)
        assert files[0].read_bytes() == files[1].read_bytes()


# -- recorded models -----------------------------------------------------------------------------------------------


@recorded_keras.models
def test_recorded_models(name: str, tmp_path: Any) -> None:
    """They predict, evaluate and train on as recorded; so do the files that lamina makes of them."""
    record = recorded_keras.recorded(name)
    model = lamina.load_model(recorded_keras.file_of(name, "model.keras"))
    model.save(tmp_path / "m.keras")
    for each in (model, lamina.load_model(tmp_path / "m.keras")):
        recorded_keras.check_predictions(each, record)
        if record.get("compiled"):
            recorded_keras.check_training(each, record)


@recorded_keras.models
def test_recorded_weights(name: str) -> None:
    record = recorded_keras.recorded(name)
    model = lamina.load_model(recorded_keras.file_of(name, "model.keras"))
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape, weight.dtype))
    model.load_weights(recorded_keras.file_of(name, "model.weights.h5"))
    recorded_keras.check_predictions(model, record)


# -- what does not fit ---------------------------------------------------------------------------------------------


class TestMisfits:
    def test_missing(self, tmp_path: Any) -> None:
        lamina.Sequential([lamina.Input((3,)), dense()]).save_weights(tmp_path / "m.weights.h5")
        other = lamina.Sequential([lamina.Input((3,)), dense(), dense()])
        before = other.get_weights()
        with pytest.raises(ModelFileError, match="has no 'layers/dense_1/vars/0', which is the weight"):
            other.load_weights(tmp_path / "m.weights.h5")
        assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))

    def test_surplus(self, tmp_path: Any) -> None:
        lamina.Sequential([lamina.Input((3,)), dense(), dense()]).save_weights(tmp_path / "m.weights.h5")
        other = lamina.Sequential([lamina.Input((3,)), dense()])
        with pytest.raises(ModelFileError, match="has 'layers/dense_1/vars/0', for which the model has no weight"):
            other.load_weights(tmp_path / "m.weights.h5")
        other.load_weights(tmp_path / "m.weights.h5", strict=False)

    def test_misshapen(self, tmp_path: Any) -> None:
        lamina.Sequential([lamina.Input((3,)), dense(4)]).save_weights(tmp_path / "m.weights.h5")
        with pytest.raises(ModelFileError, match=r"'layers/dense/vars/0' of shape \(3, 4\), and 'dense.*' has the"):
            lamina.Sequential([lamina.Input((3,)), dense(5)]).load_weights(tmp_path / "m.weights.h5")

    def test_a_class_of_somebody(self, tmp_path: Any) -> None:
        lamina.Sequential([lamina.Input((3,)), dense()]).save(tmp_path / "m.keras")
        with zipfile.ZipFile(tmp_path / "m.keras") as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        text = (
            members["config.json"]
            .decode()
            .replace('"keras.layers","class_name":"Dense"', '"their.own","class_name":"Dense"')
        )
        assert "their.own" in text
        with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
            for name, data in {**members, "config.json": text.encode()}.items():
                archive.writestr(name, data)
        with pytest.raises(UnknownNameError, match=r"a 'Dense' of the module 'their.own', which is not known"):
            lamina.load_model(tmp_path / "n.keras")
        assert type(lamina.load_model(tmp_path / "n.keras", {"Dense": layers.Dense}).layers[0]) is layers.Dense


def rewritten(path: Any, old: str, new: str) -> None:
    """The file with groups of one name under another."""
    from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5

    def renamed(group: Group) -> Group:
        children = group.children.items()
        return Group(
            group.attributes, {n.replace(old, new): renamed(c) if isinstance(c, Group) else c for n, c in children}
        )

    path.write_bytes(b"".join(map(bytes, write_hdf5(renamed(read_hdf5(memoryview(path.read_bytes()), "m"))))))


class TestOlderFiles:
    def test_from_before_keras_3(self, tmp_path: Any) -> None:
        inner = lamina.Sequential([lamina.Input((3,)), dense()])
        model = randomized(lamina.Sequential([lamina.Input((3,)), inner, dense()]))
        model.save_weights(tmp_path / "m.weights.h5")
        rewritten(tmp_path / "m.weights.h5", "layers", "_layer_checkpoint_dependencies")
        expected = model.get_weights()
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape, weight.dtype))
        model.load_weights(tmp_path / "m.weights.h5")
        assert all((a == b).all() for a, b in zip(expected, model.get_weights(), strict=True))

    def test_attention_from_before_keras_3_3(self, tmp_path: Any) -> None:
        x = lamina.Input((4, 3))
        model = randomized(lamina.Model(x, layers.MultiHeadAttention(2, 3)(x, x)))
        model.save_weights(tmp_path / "m.weights.h5")
        for part in ("query_dense", "key_dense", "value_dense", "output_dense"):
            rewritten(tmp_path / "m.weights.h5", part, f"_{part}")
        expected = model.get_weights()
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape, weight.dtype))
        model.load_weights(tmp_path / "m.weights.h5")
        assert all((a == b).all() for a, b in zip(expected, model.get_weights(), strict=True))
