"""Activations against recorded results, and their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import activations, ops
from lamina.errors import ArgumentError, ArgumentTypeError, SerializationError, UnknownNameError
from lamina.serialization import register
from recorded import assert_near, gradient_of, records

# Keras's sparsemax does not sum to 1, so it is tested for itself.
KERAS = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink",
    "threshold",
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
    assert activations.get("hard_sigmoid") is activations.hard_sigmoid is ops.hard_sigmoid
    assert activations.get("hardSigmoid") is activations.hard_sigmoid_tfjs
    assert activations.get("swish") is ops.silu
    assert activations.get(ops.tanh) is ops.tanh
    assert activations.get({"class_name": "function", "config": "relu"}) is activations.relu
    with pytest.raises(UnknownNameError, match="no activation named 'rel'"):
        activations.get("rel")
    with pytest.raises(ArgumentTypeError):
        activations.get(3)


def test_serialize() -> None:
    assert activations.serialize(activations.get("swish")) == "silu"
    assert activations.serialize(activations.get("hardSigmoid")) == "hard_sigmoid_tfjs"
    assert activations.serialize(activations.hard_swish) == "hard_silu"
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

    settings = {"threshold": {"threshold": 1.0, "default_value": 0.0}}.get(name, {})
    found = activations.get(name)(spec_tensor((2, 4), "float32"), **settings)
    assert (found.shape, found.dtype) == ((2, 2 if name == "glu" else 4), "float32")


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis: int) -> None:
    x = np.random.default_rng(3).normal(size=(5, 6, 4)).astype(np.float32)
    y = activations.sparsemax(x, axis=axis).numpy()
    np.testing.assert_allclose(y.sum(axis), 1.0, rtol=1e-5)
    assert (y >= 0.0).all()
    assert (y == 0.0).any()
    taken = np.where(y > 0.0, x - y, np.nan)  # the same off each element that is left
    np.testing.assert_allclose(np.nanmax(taken, axis), np.nanmin(taken, axis), atol=1e-6)
    least = np.expand_dims(np.nanmax(taken, axis), axis)
    assert (np.where(y > 0.0, -np.inf, x) <= least + 1e-6).all()


def test_sparsemax_has_the_gradient_of_its_support() -> None:
    found = gradient_of(activations.sparsemax, np.array([1.0, 0.5, -3.0], np.float32), np.array([1.0, 0.0, 5.0]))
    np.testing.assert_allclose(found, [0.5, -0.5, 0.0])


def test_glu_refuses_odd_sizes() -> None:
    with pytest.raises(ArgumentError, match="size 3"):
        activations.glu([1.0, 2.0, 3.0])


def test_deserialize_knows_custom_objects() -> None:
    assert activations.deserialize("halves", {"halves": ops.tanh}) is ops.tanh


def test_chains_on_tensors() -> None:
    assert activations.relu(lamina.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
