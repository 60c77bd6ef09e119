"""Masked sequences at once give what their steps one by one give, and so do their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.models import Sequential
from lamina.runtime.listeners import Listener, listening
from lamina.utils import set_random_seed

X = np.random.default_rng(4).normal(size=(3, 5, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "lstm": (layers.LSTM, layers.LSTMCell, {}),
    "gru": (layers.GRU, layers.GRUCell, {}),
    "gru, reset before": (layers.GRU, layers.GRUCell, {"reset_after": False}),
}


class Heard(Listener):
    def __init__(self) -> None:
        self.ops: list[str] = []

    def on_call(self, call: Any) -> None:
        self.ops.append(call.op.name)


def one_by_one(cell: Any) -> Any:
    """A cell with a step of its own, which no op stands for."""

    class OneByOne(cell):  # type: ignore[misc]
        def step(self, projected: Any, states: Any, training: bool) -> Any:
            return super().step(projected, states, training)

    return OneByOne


def outputs_and_gradients(layer: Any, mask: Any) -> list[Any]:
    x = lamina.Variable(X)
    states = [lamina.Variable(np.random.default_rng(n).normal(size=(3, 4)).astype("f4")) for n in range(2)]
    states = states[: len(layers.recurrent.states.as_list(layer.cell.state_size))]
    layer(x, initial_state=states)
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(size=w.shape) for w in layer.weights])
    found: list[Any] = []

    def loss() -> Any:
        found.extend(layer(x, initial_state=states, mask=lamina.tensor(mask)))
        return sum((ops.sum(ops.sin(y)) for y in found[1:]), ops.sum(ops.cos(found[0])))

    _, pairs = gradients_of_variables(loss, [x, *states, *layer.trainable_weights])
    return [y.numpy() for y in (*found, *(gradient for _, gradient in pairs))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_a_masked_sequence_at_once_is_as_its_steps(kind, zeros, backwards, sequences):
    layer, cell, settings = KINDS[kind]
    common = {
        "return_sequences": sequences, "return_state": True, "go_backwards": backwards, "zero_output_for_mask": zeros
    }  # fmt: skip
    heard = Heard()
    with listening(heard):
        at_once = outputs_and_gradients(layer(4, **settings, **common), MASK)
    assert f"masked_{kind[:4].strip(',')}" in heard.ops
    steps = outputs_and_gradients(layers.RNN(one_by_one(cell)(4, **settings), **common), MASK[..., None])
    for one, other in zip(at_once, steps, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_training_on_padded_words_is_alike_with_and_without_kept_steps(kind, monkeypatch):
    layer, _, settings = KINDS[kind]
    rng = np.random.default_rng(0)
    words, labels = rng.integers(1, 9, (12, 6)), rng.integers(0, 3, 12)
    for row, length in zip(words, rng.integers(1, 6, 12), strict=True):
        row[length:] = 0
    found = []
    for without in ("", "kept-steps"):
        monkeypatch.setenv("LAMINA_WITHOUT", without)
        set_random_seed(3)
        recurrent = [layer(4, return_sequences=True, **settings), layer(4, **settings)]
        model = Sequential([layers.Embedding(9, 3, mask_zero=True, input_shape=(6,)), *recurrent, layers.Dense(3)])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(words, labels, 4, epochs=2, shuffle=False, verbose=0)
        assert model.recorded_step("train").explain().count("masked_") > 4
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-6)
