"""Activations against recorded results, and their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import activations, ops
from lamina.errors import ArgumentTypeError, SerializationError, UnknownNameError
from lamina.serialization import register
from recorded import assert_near, gradient_of, records

# hard_sigmoid has the slope of TensorFlow.js, not of Keras 3.
KERAS = (
    "elu", "exponential", "gelu", "leaky_relu", "linear", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "silu", "softmax", "softplus", "softsign", "tanh",
)  # fmt: skip
TENSORFLOW_JS = (
    "elu", "gelu", "gelu_new", "hardSigmoid", "linear", "logSoftmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "softmax", "softplus", "softsign", "swish", "tanh",
)  # fmt: skip

# Of minus infinity TensorFlow.js computes -inf * 0, which is NaN; here it is the limit, 0.
VANISHING = ("gelu", "gelu_new", "mish", "swish")


@pytest.mark.parametrize("name", KERAS)
def test_as_keras(name: str) -> None:
    for record in records("keras", "misc.jsonl.gz", kind="activation", name=name):
        settings = dict(record["kwargs"])
        if name == "leaky_relu" and settings:
            settings = {"alpha": settings["negative_slope"]}

        def f(x: Any, settings: dict[str, Any] = settings) -> Any:
            return activations.get(name)(x, **settings)

        assert_near(f(record["x"]), record["result"], record["id"])
        if "grad_x" in record:
            found = gradient_of(f, record["x"], record["cotangent"])
            assert_near(found, record["grad_x"], f"gradient of {record['id']}")


@pytest.mark.parametrize("name", TENSORFLOW_JS)
def test_as_tensorflow_js(name: str) -> None:
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="activation", name=name):
        if name == "swish" and len(record["args"]) > 1:
            continue  # a second factor that no layer can set
        settings = {"axis": record["args"][1]} if len(record["args"]) > 1 else {}
        found = activations.get(name)(record["args"][0], **settings).numpy()
        if name in VANISHING:
            lost = np.isneginf(record["args"][0])
            assert not found[lost].any()
            found = np.where(lost, record["result"], found)
        assert_near(found, record["result"], record["id"])


def test_get() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("hardSigmoid") is activations.get("hard_sigmoid")
    assert activations.get("swish") is ops.silu
    assert activations.get(ops.tanh) is ops.tanh
    assert activations.get({"class_name": "function", "config": "relu"}) is activations.relu
    with pytest.raises(UnknownNameError, match="no activation named 'rel'"):
        activations.get("rel")
    with pytest.raises(ArgumentTypeError):
        activations.get(3)


def test_serialize() -> None:
    assert activations.serialize(activations.get("swish")) == "silu"
    assert activations.serialize(activations.get("hardSigmoid")) == "hard_sigmoid"
    with pytest.raises(SerializationError, match="cannot be saved"):
        activations.serialize(lambda x: x)


def test_serialize_of_a_registered_function() -> None:
    @register("tests_halved")
    def halved(x: Any) -> Any:
        return ops.multiply(x, 0.5)

    assert activations.serialize(halved) == "tests_halved"
    assert activations.get("tests_halved") is halved


@pytest.mark.parametrize("name", KERAS)
def test_works_on_shapes_alone(name: str) -> None:
    from lamina.runtime.tensor import spec_tensor

    found = activations.get(name)(spec_tensor((2, 3), "float32"))
    assert (found.shape, found.dtype) == ((2, 3), "float32")


def test_chains_on_tensors() -> None:
    assert activations.relu(lamina.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
