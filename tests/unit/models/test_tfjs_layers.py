"""Configs in TensorFlow.js's words: defaults where a key is missing, keys and functions that are called otherwise."""

from __future__ import annotations

import pytest

import lamina
from lamina import layers
from lamina.models.tfjs_layers import DEFAULTS, from_tfjs, layer_from_tfjs, to_tfjs


def test_missing_keys_get_the_defaults_of_tensorflow_js():
    dense = layer_from_tfjs({"class_name": "Dense", "config": {"units": 2}})
    assert isinstance(dense.kernel_initializer, lamina.initializers.GlorotNormal)
    assert isinstance(layers.Dense(2).kernel_initializer, lamina.initializers.GlorotUniform)


def test_given_keys_stay():
    dense = layer_from_tfjs({"class_name": "Dense", "config": {"units": 2, "kernel_initializer": "ones"}})
    assert isinstance(dense.kernel_initializer, lamina.initializers.Ones)


def test_nested_configs_too():
    config = {"class_name": "Bidirectional", "config": {"layer": {"class_name": "LSTM", "config": {"units": 2}}}}
    assert from_tfjs(config)["config"]["layer"]["config"]["unit_forget_bias"] is False


def test_a_regularizer():
    dense = {"units": 2, "kernel_regularizer": {"class_name": "L1L2", "config": {}}}
    assert layer_from_tfjs({"class_name": "Dense", "config": dense}).kernel_regularizer.l2 == pytest.approx(0.01)


def test_keys_with_other_names_go_out_and_back():
    ours = {"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}
    theirs = {"class_name": "LeakyReLU", "config": {"alpha": 0.2}}
    assert to_tfjs(ours) == theirs
    assert from_tfjs(theirs) == ours


def test_there_and_back_changes_nothing():
    for name in DEFAULTS:
        config = {"class_name": name, "config": {**DEFAULTS[name], "activation": "relu", "other": [1, {"a": None}]}}
        assert from_tfjs(to_tfjs(config)) == config


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("hard_sigmoid_tfjs", "hard_sigmoid"), ("hard_sigmoid", "hard_sigmoid_keras3"), ("silu", "swish")],
)
def test_functions_with_two_meanings(ours, theirs):
    written = to_tfjs({"class_name": "LSTM", "config": {**DEFAULTS["LSTM"], "recurrent_activation": ours}})
    assert written["config"]["recurrent_activation"] == theirs
    assert from_tfjs(written)["config"]["recurrent_activation"] == ours


@pytest.mark.parametrize("name", ["hard_sigmoid", "hardSigmoid", "hard_sigmoid_tfjs"])
def test_a_saved_model_keeps_its_hard_sigmoid(tmp_path, name):
    model = lamina.Sequential([layers.Dense(4, activation=name)])
    x = lamina.tensor([[1.0, -2.0, 0.5]])
    before = model(x)
    model.save(f"file://{tmp_path}/model")
    again = lamina.load_model(f"file://{tmp_path}/model/model.json")
    assert again(x).tolist() == before.tolist()
    assert again.layers[-1].activation is model.layers[-1].activation


def test_words_with_another_meaning_are_exchanged():
    theirs = {"class_name": "UpSampling2D", "config": {"size": [2, 2], "interpolation": "bilinear"}}
    layer = layer_from_tfjs(theirs)
    x = lamina.tensor([[[[0.0], [4.0]]]])
    assert layer(x).tolist()[0][0] == [[0.0], [2.0], [4.0], [4.0]]
    assert (
        to_tfjs({"class_name": "UpSampling2D", "config": layer.get_config()})["config"]["interpolation"] == "bilinear"
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_what_tensorflow_js_cannot_compute_is_no_word_of_its_own(data_format):
    layer = layers.UpSampling2D(2, data_format, "bilinear")
    config = to_tfjs({"class_name": "UpSampling2D", "config": layer.get_config()})
    assert config["config"]["interpolation"] not in ("nearest", "bilinear")
    assert from_tfjs(config)["config"] == layer.get_config()


def test_a_depth_multiplier_that_tensorflow_js_does_not_write():
    config = {"class_name": "SeparableConv2D", "config": {"name": "s", "filters": 3, "kernel_size": [2, 2]}}
    assert "depth_multiplier" not in from_tfjs(config)["config"]
    assert from_tfjs(config, {"s/depthwise_kernel": (2, 2, 5, 4)})["config"]["depth_multiplier"] == 4
    given = {**config, "config": {**config["config"], "depth_multiplier": 2}}
    assert from_tfjs(given, {"s/depthwise_kernel": (2, 2, 5, 4)}) == given


def test_a_penalty_that_it_writes_as_a_constraint_too():
    penalty = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}
    config = {"kernel_size": [2, 2], "depthwise_regularizer": penalty, "depthwise_constraint": penalty}
    layer = layer_from_tfjs({"class_name": "DepthwiseConv2D", "config": config})
    assert layer.depthwise_constraint is None
    assert layer.depthwise_regularizer.l2 == pytest.approx(0.5)
