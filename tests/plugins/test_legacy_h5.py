"""Models to ``.h5`` and back: each layer, nested and shared ones, optimizers, recorded files, the words of Keras 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import (
    ModelFileError,
    NotBuiltError,
    SerializationError,
    UnknownNameError,
    UnsafeModelError,
)
from lamina.layers import SymbolicTensor
from lamina.structures import flatten, map_structure
from lamina_keras.configs import from_keras_2, training_from_keras_2
from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5
from lamina_keras.layer_weights import names_in, put_names
from plugins import recorded_keras
from plugins.test_keras_files import assert_same, numbers, randomized
from unit.layers.layer_case import Arguments
from unit.layers.test_every_layer import CASES


def tree_of(path: Any) -> Group:
    return read_hdf5(memoryview(path.read_bytes()), str(path))


def put(path: Any, root: Group) -> Any:
    path.write_bytes(b"".join(write_hdf5(root)))
    return path


def both_ways(model: Any, inputs: Any, folder: Any) -> Any:
    randomized(model)
    model.save(folder / "m.h5")
    loaded = lamina.load_model(folder / "m.h5")
    assert_same(model, loaded, inputs)
    model.save_weights(folder / "w.h5")
    for weight in loaded.weights:
        weight.assign(np.zeros(weight.shape, weight.dtype))
    loaded.load_weights(folder / "w.h5")
    assert_same(model, loaded, inputs)
    return loaded


@recorded_keras.models
def test_recorded_models_predict_and_train_on(name):
    record = recorded_keras.recorded(name)
    if not recorded_keras.file_of(name, "model.h5").exists():
        pytest.skip(f"Keras itself could not write it: {record.get('h5_error')}")
    model = lamina.load_model(recorded_keras.file_of(name, "model.h5"))
    recorded_keras.check_predictions(model, record)
    if record.get("compiled"):
        recorded_keras.check_training(model, record)


@recorded_keras.models
def test_recorded_models_saved_again_train_on(name, tmp_path):
    record = recorded_keras.recorded(name)
    lamina.load_model(recorded_keras.file_of(name, "model.keras")).save(tmp_path / "m.h5")
    root = tree_of(tmp_path / "m.h5")
    del root.attributes["lamina"]
    for path in (tmp_path / "m.h5", put(tmp_path / "without_own.hdf5", root)):
        model = lamina.load_model(path)
        recorded_keras.check_predictions(model, record)
        if record.get("compiled"):
            recorded_keras.check_training(model, record)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_layer(case, tmp_path):
    layer = case.kind(**case.settings)
    arguments = list(case.inputs) if isinstance(case.inputs, Arguments) else [case.inputs]
    symbolic = [map_structure(lambda x: lamina.Input(batch_shape=x.shape, dtype=str(x.dtype)), a) for a in arguments]
    outputs = layer(*symbolic)
    model = lamina.Model([x for x in flatten(symbolic) if isinstance(x, SymbolicTensor)], outputs)
    loaded = both_ways(model, flatten(arguments), tmp_path)
    assert loaded.get_layer(layer.name).get_config() == layer.get_config()


def nested() -> Any:
    """Nested, shared, frozen and wrapped layers, with weights that do not train among those that do."""
    inner = lamina.Sequential(
        [lamina.Input((4,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(4)], name="inner"
    )
    frozen = lamina.Sequential([lamina.Input((4,)), layers.BatchNormalization(), layers.Dense(4)], name="frozen")
    frozen.trainable = False
    each = lamina.Sequential([lamina.Input((4,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(4)])
    x = lamina.Input((5, 4), name="x")
    y = layers.TimeDistributed(each, name="each")(x)
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")(y)
    y = layers.RNN(layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(4, reset_after=False)]), name="cells")(y)
    shared = layers.Dense(4, name="shared")
    return lamina.Model(x, [frozen(shared(y)), shared(inner(y))], name="outer")


def test_nested_shared_and_frozen_models(tmp_path):
    model = nested()
    loaded = both_ways(model, numbers(2, 5, 4), tmp_path)
    assert not loaded.get_layer("frozen").trainable
    assert [w.name for w in loaded.trainable_weights] == [w.name for w in model.trainable_weights]


def test_weights_lie_by_layer_trainable_ones_first(tmp_path):
    model = nested()
    model.save(tmp_path / "m.h5")
    root = tree_of(tmp_path / "m.h5")
    weights = root.children["model_weights"]
    assert weights.attributes["layer_names"] == [layer.name for layer in model.layers]
    last = [name.rpartition("/")[2] for name in weights.children["each"].attributes["weight_names"]]
    assert last == ["kernel", "bias", "gamma", "beta", "kernel", "bias", "moving_mean", "moving_variance"]
    assert {"keras_version", "backend", "model_config", "lamina"} == set(root.attributes)


def test_what_lamina_keeps_for_itself_comes_back(tmp_path):
    x = lamina.Input((3,), name="x")
    model = lamina.Model({"x": x}, {"b": layers.Dense(2)(x), "a": layers.Dense(1)(layers.Dropout(0.5)(x))})
    model.set_user_defined_metadata({"author": "me"})
    model.compile("adam", {"a": "mse", "b": "mae"}, loss_weights={"a": 0.5, "b": 1})
    model.save(tmp_path / "m.h5")
    loaded = lamina.load_model(tmp_path / "m.h5")
    assert loaded.get_user_defined_metadata() == {"author": "me"}
    assert list(loaded({"x": numbers(2, 3)})) == ["b", "a"]
    assert loaded.optimizer is not None


def test_a_file_that_computes_something_else_is_refused(tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])
    model.save(tmp_path / "m.h5")
    root = tree_of(tmp_path / "m.h5")
    root.find("model_weights/d/d").children["kernel"] = root.find("model_weights/d/d/kernel") + 1.0
    put(tmp_path / "changed.h5", root)
    with pytest.raises(ModelFileError, match="differs by"):
        lamina.load_model(tmp_path / "changed.h5")
    lamina.load_model(tmp_path / "changed.h5", fingerprint=False)


def test_without_optimizer(tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(numbers(4, 3), numbers(4, 2), verbose=0)
    model.save(tmp_path / "with.h5")
    assert lamina.load_model(tmp_path / "with.h5").optimizer.iterations.numpy() == 1
    assert lamina.load_model(tmp_path / "with.h5", compile=False).optimizer is None
    model.save(tmp_path / "without.h5", include_optimizer=False)
    assert lamina.load_model(tmp_path / "without.h5").optimizer is None


def test_models_that_have_no_file(tmp_path):
    class Own(lamina.Model):
        def call(self, x: Any) -> Any:
            return x

    own = Own()
    own(numbers(2, 3))
    with pytest.raises(NotBuiltError):
        lamina.Sequential([layers.Dense(2)]).save(tmp_path / "m.h5")
    with pytest.raises(SerializationError, match="subclass"):
        own.save(tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_weights_of_other_dtypes(dtype, tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, dtype=dtype)])
    model.save(tmp_path / "m.h5")
    model.save(tmp_path / "m.keras")
    for path in ("m.h5", "m.keras"):
        found = lamina.load_model(tmp_path / path)
        assert found.weights[0].dtype == dtype
        np.testing.assert_array_equal(found.get_weights()[0], model.get_weights()[0])


# Weights alone


def stack(*sizes: int, name: str = "d") -> Any:
    return randomized(
        lamina.Sequential([lamina.Input((3,)), *(layers.Dense(n, name=f"{name}{i}") for i, n in enumerate(sizes))])
    )


def test_weights_go_by_order_whatever_the_names_are(tmp_path):
    stack(4, 2).save_weights(tmp_path / "w.h5")
    stack(4, 2).save(tmp_path / "m.h5")
    for path in ("w.h5", "m.h5"):
        other = stack(4, 2, name="other")
        for weight in other.weights:
            weight.assign(np.zeros(weight.shape, "float32"))
        other.load_weights(tmp_path / path)
        for one, two in zip(other.get_weights(), stack(4, 2).get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


def test_weights_go_by_name_without_strict(tmp_path):
    source = stack(4, 2)
    source.save_weights(tmp_path / "w.h5")
    other = lamina.Sequential([lamina.Input((3,)), layers.Dense(4, name="d0"), layers.Dense(7, name="mine")])
    before = other.get_weights()
    other.load_weights(tmp_path / "w.h5", strict=False)
    for found, expected in zip(other.get_weights(), [*source.get_weights()[:2], *before[2:]], strict=True):
        np.testing.assert_array_equal(found, expected)
    clash = lamina.Sequential([lamina.Input((3,)), layers.Dense(5, name="d0")])
    with pytest.raises(ModelFileError, match="d0"):
        clash.load_weights(tmp_path / "w.h5", strict=False)


@pytest.mark.parametrize("sizes", [(4,), (4, 2, 2), (4, 3), (5, 2)])
def test_weights_of_another_model_are_refused_and_none_is_changed(sizes, tmp_path):
    stack(4, 2).save_weights(tmp_path / "w.h5")
    other = stack(*sizes)
    before = other.get_weights()
    with pytest.raises(ModelFileError):
        other.load_weights(tmp_path / "w.h5")
    for one, two in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_file_of_weights_is_no_model(tmp_path):
    stack(4).save_weights(tmp_path / "w.h5")
    with pytest.raises(ModelFileError, match="no whole model"):
        lamina.load_model(tmp_path / "w.h5")


def test_long_lists_of_names_are_split():
    names = [f"a_very_long_name_of_a_layer_{i:06d}" for i in range(5_000)]
    group = Group()
    put_names(group, "layer_names", names)
    assert set(group.attributes) == {f"layer_names{i}" for i in range(len(group.attributes))}
    assert len(group.attributes) > 1
    again = read_hdf5(memoryview(b"".join(write_hdf5(group))), "x")
    assert names_in(again, "layer_names", "x") == names


# Files that do not fit together


def small(path: Any) -> Group:
    stack(4, 2).save(path)
    return tree_of(path)


def outside(root: Group) -> None:
    root.find("model_weights/d0").attributes["weight_names"] = ["/model_weights/d1/d1/kernel", "d0/bias"]


def up(root: Group) -> None:
    root.find("model_weights/d0").attributes["weight_names"] = ["../d1/d1/kernel", "d0/bias"]


def twice(root: Group) -> None:
    root.find("model_weights/d0").attributes["weight_names"] = ["d0/kernel", "d0/kernel"]


def missing_layer(root: Group) -> None:
    root.find("model_weights").attributes["layer_names"] = ["d0"]


def unknown_layer(root: Group) -> None:
    root.find("model_weights").attributes["layer_names"] = ["d0", "d1", "d2"]


def surplus(root: Group) -> None:
    root.find("model_weights/d0").children["more"] = np.zeros(3)


def names_as_numbers(root: Group) -> None:
    root.find("model_weights").attributes["layer_names"] = np.arange(3)


def names_as_text(root: Group) -> None:
    root.find("model_weights").attributes["layer_names"] = "d0"


def config_as_numbers(root: Group) -> None:
    root.attributes["model_config"] = np.arange(3)


def deep_config(root: Group) -> None:
    root.attributes["model_config"] = "[" * 200_000


def repeated_key(root: Group) -> None:
    root.attributes["model_config"] = root.attributes["model_config"].replace('"units":4', '"units":4,"units":4')


def not_a_number(root: Group) -> None:
    root.attributes["model_config"] = root.attributes["model_config"].replace('"units":4', '"units":NaN')


def huge_layer(root: Group) -> None:
    root.attributes["model_config"] = root.attributes["model_config"].replace('"units":4', '"units":100000000')


def code(root: Group) -> None:
    config = {"name": "f", "function": ["4wEAAAA=", None, None], "function_type": "lambda"}
    root.attributes["model_config"] = json.dumps(
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": config}]}}
    )


BAD = [outside, up, twice, missing_layer, unknown_layer, surplus, names_as_numbers, names_as_text, config_as_numbers,
       deep_config, repeated_key, not_a_number, huge_layer, code]  # fmt: skip


@pytest.mark.parametrize("version", ["3.15.1", "2.13.0"])
@pytest.mark.parametrize("change", BAD, ids=lambda change: change.__name__)
def test_files_that_lie_are_refused(change, version, tmp_path):
    root = small(tmp_path / "m.h5")
    root.attributes["keras_version"] = version
    change(root)
    put(tmp_path / "bad.h5", root)
    with pytest.raises(UnsafeModelError) as error:
        lamina.load_model(tmp_path / "bad.h5", fingerprint=False)
    assert "bad.h5" in str(error.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"class_name": "os.system", "config": {"name": "x"}},
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "math.add"}},
        {"class_name": "Popen", "module": "subprocess", "registered_name": "Popen", "config": {"name": "x"}},
        {"class_name": "Dense", "config": {"name": "x", "units": 2, "activation": "os.getcwd"}},
        {"class_name": "CuDNNGRU", "config": {"name": "x", "units": 2}},
    ],
    ids=lambda entry: entry["class_name"],
)
@pytest.mark.parametrize("version", ["3.15.1", "2.13.0"])
def test_unknown_classes_are_refused(entry, version, tmp_path):
    root = small(tmp_path / "m.h5")
    root.attributes.update(
        keras_version=version, model_config=json.dumps({"class_name": "Sequential", "config": {"layers": [entry]}})
    )
    with pytest.raises((UnknownNameError, UnsafeModelError, SerializationError)):
        lamina.load_model(put(tmp_path / "bad.h5", root))


def test_a_state_of_another_optimizer_is_refused(tmp_path):
    model = stack(2)
    model.compile("adam", "mse")
    model.fit(numbers(4, 3), numbers(4, 2), verbose=0)
    model.save(tmp_path / "m.h5")
    root = tree_of(tmp_path / "m.h5")
    names = root.find("optimizer_weights").attributes["weight_names"]
    root.find("optimizer_weights").attributes["weight_names"] = names[:-1]
    with pytest.raises(ModelFileError, match="compile=False"):
        lamina.load_model(put(tmp_path / "bad.h5", root))
    assert lamina.load_model(tmp_path / "bad.h5", compile=False).optimizer is None


# The words of Keras 2


POLICY = {"class_name": "Policy", "config": {"name": "float32"}}
NORMAL = {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform",
                                                      "seed": None, "dtype": "float32"}}  # fmt: skip
CONV = {"trainable": True, "dtype": "float32", "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
        "data_format": "channels_last", "dilation_rate": [1, 1], "use_bias": True, "activation": "linear"}  # fmt: skip


def old_layers() -> list[tuple[dict[str, Any], Any]]:
    """Configs as tf.keras 2 wrote them, and the same layers."""
    sequence = {"name": "s", "trainable": True, "dtype": "float32", "units": 3, "return_sequences": True}
    gates = {**sequence, "activation": "tanh", "recurrent_activation": "hard_sigmoid", "time_major": False,
             "unroll": False, "implementation": 2, "stateful": False, "go_backwards": False}  # fmt: skip
    tfjs = {"recurrent_activation": "hard_sigmoid_tfjs", "return_sequences": True}
    return [
        ({"class_name": "Conv2D", "config": {"name": "c", "filters": 2, **CONV, "kernel_initializer": NORMAL}},
         layers.Conv2D(2, 3, padding="same")),
        ({"class_name": "DepthwiseConv2D", "config": {"name": "c", "depth_multiplier": 2, "groups": 1, **CONV,
          "kernel_initializer": NORMAL, "kernel_regularizer": None, "kernel_constraint": None, "dtype": POLICY}},
         layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")),
        ({"class_name": "BatchNormalizationV1", "config": {"name": "b", "axis": [3], "momentum": 0.9, "epsilon": 0.01,
          "renorm": False, "fused": True, "virtual_batch_size": None}}, layers.BatchNormalization(epsilon=0.01)),
        ({"class_name": "LeakyReLU", "config": {"name": "r", "alpha": {"type": "ndarray", "value": 0.25}}},
         layers.LeakyReLU(0.25)),
        ({"class_name": "Activation", "config": {"name": "a", "activation": "hard_sigmoid"}},
         layers.Activation("hard_sigmoid_tfjs")),
        ({"class_name": "ReLU", "config": {"name": "r", "max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0}},
         layers.ReLU(6.0)),
        ({"class_name": "GRU", "config": {**gates, "reset_after": True}}, layers.GRU(3, **tfjs)),
        ({"class_name": "UnifiedGRU", "config": gates}, layers.GRU(3, reset_after=False, **tfjs)),
        ({"class_name": "LSTM", "config": {**gates, "unit_forget_bias": True}}, layers.LSTM(3, **tfjs)),
        ({"class_name": "Bidirectional", "config": {"name": "b", "trainable": True, "merge_mode": "ave",
          "layer": {"class_name": "LSTM", "config": gates}}}, layers.Bidirectional(layers.LSTM(3, **tfjs), "ave")),
        ({"class_name": "TimeDistributed", "config": {"name": "t", "trainable": True, "dtype": "float32",
          "layer": {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "relu"}}}},
         layers.TimeDistributed(layers.Dense(2, activation="relu"))),
        ({"class_name": "RNN", "config": {"name": "r", "return_sequences": False, "time_major": False, "cell": {
          "class_name": "StackedRNNCells", "config": {"name": "s", "cells": [
              {"class_name": "GRUCell", "config": {"name": "g", "units": 3, "recurrent_activation": "hard_sigmoid"}},
              {"class_name": "SimpleRNNCell", "config": {"name": "q", "units": 2}}]}}}},
         layers.RNN(layers.StackedRNNCells([
             layers.GRUCell(3, reset_after=False, recurrent_activation="hard_sigmoid_tfjs"),
             layers.SimpleRNNCell(2)]))),
        ({"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4, 4, 3], "dtype": "float32",
          "sparse": False, "ragged": False, "name": "i"}}, None),
    ]  # fmt: skip


def old_root(config: Any, by_layer: Mapping[str, list[np.ndarray[Any, Any]]], **attributes: Any) -> Group:
    """A file as tf.keras wrote it: names end in ``:0``, and the words are the old ones."""
    root = Group({"keras_version": "2.4.0", "backend": "tensorflow", "model_config": json.dumps(config), **attributes})
    weights = root.group("model_weights")
    weights.attributes["layer_names"] = list(by_layer)
    for name, arrays in by_layer.items():
        names = [f"{name}/weight_{i}:0" for i in range(len(arrays))]
        group = weights.group(name)
        group.attributes["weight_names"] = names or np.zeros(0)
        if arrays:
            group.group(name).children.update({f"weight_{i}:0": array for i, array in enumerate(arrays)})
    return root


def arrays_of(layer: Any) -> list[np.ndarray[Any, Any]]:
    return [v.numpy() for v in [*layer.trainable_weights, *layer.non_trainable_weights]]


@pytest.mark.parametrize("number", range(len(old_layers()) - 1))
@pytest.mark.parametrize("bare", [False, True])
def test_layers_in_the_words_of_keras_2(number, bare, tmp_path):
    config, layer = old_layers()[number]
    shape = (4, 4, 3) if number < 6 else (5, 4)
    model = randomized(lamina.Sequential([lamina.Input(shape), layer]))
    start = {
        "class_name": "InputLayer",
        "config": {**old_layers()[-1][0]["config"], "batch_input_shape": [None, *shape]},
    }
    entries = [start, config]
    if bare:
        entries = [{**config, "config": {**config["config"], "batch_input_shape": [None, *shape]}}]
    whole = {"class_name": "Sequential", "config": entries if bare else {"name": "s", "layers": entries}}
    path = put(tmp_path / "old.h5", old_root(whole, {config["config"]["name"]: arrays_of(layer)}))
    found = lamina.load_model(path)
    np.testing.assert_allclose(
        found.predict(numbers(2, *shape), verbose=0), model.predict(numbers(2, *shape), verbose=0), rtol=1e-6, atol=1e-6
    )


def old_graph() -> tuple[dict[str, Any], Any]:
    """A nested model that is called twice, a call with a tensor among its settings, and two outputs."""
    x, inner_x = lamina.Input((5, 4), name="x"), lamina.Input((5, 4), name="i")
    inner = lamina.Model(inner_x, layers.Dense(4, name="d")(inner_x), name="inner")
    attention = layers.MultiHeadAttention(2, 3, name="m")
    y = layers.Dense(4, name="y")(x)
    model = lamina.Model(x, [inner(attention(y, x)), inner(y)], name="outer")

    def entry(kind: str, name: str, calls: Any, **settings: Any) -> dict[str, Any]:
        return {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": calls}

    def source(name: str, *shape: Any) -> dict[str, Any]:
        return entry(
            "InputLayer", name, [], batch_input_shape=[None, *shape], dtype="float32", sparse=False, ragged=False
        )

    below = {
        "name": "inner", "layers": [source("i", 5, 4), entry("Dense", "d", [[["i", 0, 0, {}]]], units=4)],
        "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]],
    }  # fmt: skip
    settings = {"value": ["x", 0, 0], "key": None, "attention_mask": None, "training": None}
    config = {
        "name": "outer", "layers": [
            source("x", 5, 4), entry("Dense", "y", [[["x", 0, 0, {}]]], units=4),
            entry("MultiHeadAttention", "m", [[["y", 0, 0, settings]]], num_heads=2, key_dim=3),
            {"class_name": "Model", "name": "inner", "config": below,
             "inbound_nodes": [[["m", 0, 0, {}]], [["y", 0, 0, {}]]]},
        ], "input_layers": [["x", 0, 0]], "output_layers": [["inner", 1, 0], ["inner", 2, 0]],
    }  # fmt: skip
    return {"class_name": "Model", "config": config}, randomized(model)


def test_graphs_in_the_words_of_keras_2(tmp_path):
    config, model = old_graph()
    by_layer = {layer.name: arrays_of(layer) for layer in model.layers}
    found = lamina.load_model(put(tmp_path / "old.h5", old_root(config, by_layer)))
    for one, two in zip(
        found.predict(numbers(2, 5, 4), verbose=0), model.predict(numbers(2, 5, 4), verbose=0), strict=True
    ):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)


OLD_ADAM = {"class_name": "Adam", "config": {"name": "Adam", "learning_rate": 0.01, "decay": 0.0, "beta_1": 0.9,
                                             "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False}}  # fmt: skip
NEW_ADAM = {"class_name": "Custom>Adam", "config": {"name": "Adam", "learning_rate": 0.01, "beta_1": 0.9,
            "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False, "jit_compile": True, "is_legacy_optimizer": False,
            "weight_decay": None,
            "clipnorm": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None}}  # fmt: skip


def old_state(optimizer: Any, names: list[str], new: bool) -> Group:
    """The state of Adam in the order before version 2.11, or after."""
    group = Group()
    kinds = ["m", "v"]
    by_name = {v.name: v.numpy() for v in optimizer.variables}
    pairs = [
        (f"Adam/{kind}/{n}" if new else f"training/Adam/{n}/{kind}", by_name[f"{n}/{kind}"])
        for n, kind in ([(n, k) for n in names for k in kinds] if new else [(n, k) for k in kinds for n in names])
    ]
    listed = [("iteration:0" if new else "training/Adam/iter:0", np.int64(optimizer.iterations.numpy()))]
    listed += [("learning_rate:0", np.float32(0.01))] if new else []
    listed += [(f"{name}:0", array) for name, array in pairs]
    for name, array in listed:
        above, _, last = name.rpartition("/")
        (group.group(above) if above else group).children[last] = np.asarray(array)
    group.attributes["weight_names"] = [name for name, _ in listed]
    return group


@pytest.mark.parametrize("new", [False, True])
def test_training_goes_on_from_the_state_of_keras_2(new, tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(3, name="one"), layers.Dense(3, name="two")])
    model.compile(lamina.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(numbers(8, 3), numbers(8, 3), batch_size=4, verbose=0)
    entries = [{"class_name": "Dense", "config": {"name": name, "units": 3}} for name in ("one", "two")]
    entries[0]["config"]["batch_input_shape"] = [None, 3]
    training = {"optimizer_config": NEW_ADAM if new else OLD_ADAM, "metrics": [["mae"]], "weighted_metrics": None,
                "loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "name": "mse", "fn": "mse"}},
                "loss_weights": None, "sample_weight_mode": None}  # fmt: skip
    root = old_root(
        {"class_name": "Sequential", "config": {"name": "s", "layers": entries}},
        {layer.name: arrays_of(layer) for layer in model.layers},
        training_config=json.dumps(training),
    )
    root.children["optimizer_weights"] = old_state(model.optimizer, [v.name for v in model.weights], new)
    found = lamina.load_model(put(tmp_path / "old.h5", root))
    assert found.optimizer.iterations.numpy() == 2
    for _ in range(3):
        one, two = (m.train_on_batch(numbers(4, 3), numbers(4, 3), return_dict=True) for m in (model, found))
        assert one == pytest.approx(two)
    for mine, theirs in zip(model.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_how_keras_2_compiled():
    found = training_from_keras_2({
        "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.1, "momentum": 0.9}},
        "loss": {"a": "mse", "b": {"class_name": "Huber", "config": {"reduction": "auto", "delta": 2.0}}},
        "metrics": {"a": [{"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "dtype": "float32",
                                                                         "fn": "categorical_accuracy"}}]},
        "loss_weights": {"a": 1.0, "b": 0.5}, "sample_weight_mode": None,
    })  # fmt: skip
    rate = lamina.optimizers.get(found["optimizer"]).get_config()["learning_rate"]
    assert float(lamina.optimizers.schedules.deserialize(rate)(10)) == pytest.approx(0.5 / 2)
    assert found["loss"]["b"]["config"] == {"reduction": "sum_over_batch_size", "delta": 2.0}
    assert lamina.metrics.get(found["metrics"]["a"][0]).name == "accuracy"


def test_words_that_mean_something_are_not_dropped():
    old = {"class_name": "LSTM", "config": {"units": 2, "time_major": True}}
    assert from_keras_2(old)["config"]["time_major"] is True
    with pytest.raises(SerializationError, match="time_major"):
        layers.deserialize(from_keras_2(old))
    assert from_keras_2({"class_name": "Dense", "config": {"units": 1, "activation": "hard_sigmoid"}})["config"] == {
        "units": 1, "activation": "hard_sigmoid_tfjs"
    }  # fmt: skip
