"""Models to JSON text and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import LaminaError, ModelFileError, SerializationError, UnknownNameError
from lamina.models import model_from_json

X = np.ones((2, 3), np.float32)


class Twice(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2.0


def graph() -> lamina.Model:
    x = lamina.Input(shape=(3,), name="x")
    a = layers.Dense(4, activation="relu", name="a")(x)
    return lamina.Model(x, [layers.Dense(1, name="b")(a), a], name="forked")


def test_a_graph_comes_back_with_new_weights() -> None:
    model = graph()
    again = model_from_json(model.to_json())
    assert again.get_config() == model.get_config()
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    again.set_weights(model.get_weights())
    for one, other in zip(again(X), model(X), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_parts_of_a_file() -> None:
    topology = json.loads(graph().to_json())
    for given in (topology, {"modelTopology": topology, "weightsManifest": []}, {"model_config": topology}):
        assert model_from_json(given).name == "forked"
        assert model_from_json(json.dumps(given)).name == "forked"


def test_words_of_tensorflow_js() -> None:
    lstm = {"class_name": "LSTM", "config": {"units": 2, "batch_input_shape": [None, 4, 3]}}
    model = model_from_json({"class_name": "Sequential", "config": {"name": "s", "layers": [lstm]}})
    assert model.layers[0].unit_forget_bias is False


def test_classes_of_a_user() -> None:
    text = lamina.Sequential([Twice(input_shape=(3,))]).to_json()
    with pytest.raises(UnknownNameError, match="there is no layer named 'Twice'"):
        model_from_json(text)
    model = model_from_json(text, custom_objects={"Twice": Twice})
    assert model(X).numpy().tolist() == (2.0 * X).tolist()


@pytest.mark.parametrize("given", [[], "3", "[]", "{}", {"class_name": "Dense", "config": {"units": 1}}, {"config": 3}])
def test_something_else(given: Any) -> None:
    with pytest.raises(ModelFileError):
        model_from_json(given)


@pytest.mark.parametrize("given", ["", "{", '{"a": NaN}', '{"a": 1, "a": 2}'])
def test_what_is_no_json(given: str) -> None:
    with pytest.raises(LaminaError):
        model_from_json(given)


def test_a_model_with_a_call_of_its_own() -> None:
    class Own(lamina.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(SerializationError):
        Own().to_json()


@pytest.mark.parametrize(
    ("kind", "config"), [("Dense", {}), ("Conv2D", {"filters": 2}), ("Embedding", {"input_dim": 3})]
)
def test_a_setting_that_is_lacking(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(SerializationError, match=f"the config of a {kind} lacks '"):
        layers.deserialize({"class_name": kind, "config": config})
