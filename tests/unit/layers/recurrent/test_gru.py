"""GRU: a whole sequence at once gives what its steps one by one give, and so do their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.runtime.listeners import Listener, listening

X = np.random.default_rng(4).normal(size=(3, 5, 2)).astype(np.float32)
H = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)


class OneByOne(layers.GRUCell):
    """A cell with a step of its own, which no op stands for."""

    def step(self, projected: Any, states: Any, training: bool) -> Any:
        return super().step(projected, states, training)


class Heard(Listener):
    def __init__(self) -> None:
        self.ops: list[str] = []

    def on_call(self, call: Any) -> None:
        self.ops.append(call.op.name)


def outputs_and_gradients(layer: Any, **call: Any) -> list[Any]:
    x, h = lamina.Variable(X), lamina.Variable(H)
    layer(x, initial_state=[h])
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(size=w.shape) for w in layer.weights])
    found: list[Any] = []

    def loss() -> Any:
        found.extend(layer(x, initial_state=[h], **call))
        return ops.sum(ops.sin(found[0])) + ops.sum(ops.sin(found[1]))

    _, pairs = gradients_of_variables(loss, [x, h, *layer.trainable_weights])
    return [y.numpy() for y in (*found, *(gradient for _, gradient in pairs))]


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("settings", [{}, {"use_bias": False}])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_sequence_at_once_is_as_its_steps(reset_after, settings, backwards):
    common = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    settings = {**settings, "reset_after": reset_after}
    heard = Heard()
    with listening(heard):
        at_once = outputs_and_gradients(layers.GRU(4, **settings, **common))
    assert "gru" in heard.ops
    steps = outputs_and_gradients(layers.RNN(OneByOne(4, **settings), **common))
    for one, other in zip(at_once, steps, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("settings", "call"), [
    ({"activation": "relu"}, {}), ({"recurrent_activation": "hard_sigmoid"}, {}),
    ({"recurrent_dropout": 0.5, "seed": 1}, {"training": True}),
])  # fmt: skip
def test_other_settings_take_their_steps_one_by_one(settings, call):
    layer, heard = layers.GRU(4, **settings), Heard()
    layer(X)
    with listening(heard):
        layer(X, **call)
    assert "gru" not in heard.ops
    assert heard.ops.count("matmul") >= X.shape[1]


def test_dropout_of_inputs_is_done_before_the_sequence():
    layer, heard = layers.GRU(4, dropout=0.5, seed=1), Heard()
    with listening(heard):
        first, second = (layer(X, training=True).numpy() for _ in range(2))
    assert heard.ops.count("gru") == 2
    assert not np.allclose(first, second)


@pytest.mark.parametrize("reset_after", [True, False])
def test_each_gate_has_its_own_softmax(reset_after):
    random = np.random.default_rng(3)
    x, h = random.standard_normal((2, 3)), random.standard_normal((2, 4))
    layer = layers.GRU(4, recurrent_activation="softmax", reset_after=reset_after, use_bias=False, dtype="float64")
    layer.build((2, 1, 3))
    kernel, recurrent = (random.standard_normal(w.shape) for w in layer.weights)
    layer.set_weights([kernel, recurrent])

    def gate(number: int) -> np.ndarray:
        at = slice(4 * number, 4 * number + 4)
        raised = np.exp(x @ kernel[:, at] + h @ recurrent[:, at])
        return raised / raised.sum(axis=1, keepdims=True)

    z, r = gate(0), gate(1)
    of_state = r * (h @ recurrent[:, 8:]) if reset_after else (r * h) @ recurrent[:, 8:]
    expected = z * h + (1 - z) * np.tanh(x @ kernel[:, 8:] + of_state)
    np.testing.assert_allclose(layer(x[:, None], initial_state=[h]).numpy(), expected, rtol=1e-12)
