"""Calls with several arguments in files: each tensor once, and where in the arguments it stands."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import SerializationError
from lamina.models.layouts import layout_of, placed


def attending(**given):
    x, y = lamina.Input((3, 4), name="x"), lamina.Input((5, 4), name="y")
    layer = layers.MultiHeadAttention(1, 2, name="heads")
    return lamina.Model([x, y], layer(x, value=y, key=y, **given))


def calls_of(model):
    config = json.loads(json.dumps(model.get_config()))
    return next(e for e in config["layers"] if e["name"] == "heads")["inbound_nodes"]


def test_each_tensor_stands_once_with_the_arguments_that_take_it():
    settings = {"use_causal_mask": True, "arguments": {"query": 0, "value": 1, "key": 1}}
    assert calls_of(attending(use_causal_mask=True)) == [[["x", 0, 0, settings], ["y", 0, 0, settings]]]


def test_the_model_of_the_config_is_the_same():
    model = attending(use_causal_mask=True)
    again = lamina.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    data = [np.random.default_rng(1).normal(size=(2, n, 4)).astype(np.float32) for n in (3, 5)]
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))
    assert layout_of(again.get_layer("heads")._nodes[0]).arguments == {"query": 0, "value": 1, "key": 1}


@pytest.mark.parametrize(
    "arguments",
    [None, [], {}, "query", {"query": 2}, {"query": -1}, {"query": True}, {"query": "0"}, {"query": [[0]]}, {"q": {}}],
)
def test_malformed_arguments(arguments):
    with pytest.raises(SerializationError, match="the arguments of a call"):
        placed(arguments, ["a", "b"])


def test_lists_and_gaps():
    assert placed({"inputs": [0, 1, 0], "mask": None}, ["a", "b"]) == {"inputs": ["a", "b", "a"], "mask": None}
