"""Cases of recurrent layers, their cells and what wraps them, with references written step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import layers
from unit.layers.image_cases import convolved
from unit.layers.layer_case import Case, normal

Array = np.ndarray[Any, Any]
Step = Callable[..., tuple[Array, ...]]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def simple_step(x: Array, states: Any, kernel: Array, recurrent: Array, bias: Any = 0.0) -> tuple[Array, ...]:
    return (np.tanh(x @ kernel + states[0] @ recurrent + bias),)


def gru_step(x: Array, states: Any, kernel: Array, recurrent: Array, bias: Array) -> tuple[Array, ...]:
    h, units = states[0], len(recurrent)
    if bias.ndim == 1:
        xz, xr, xh = np.split(x @ kernel + bias, 3, 1)
        z, r = (sigmoid(a + h @ u) for a, u in zip((xz, xr), np.split(recurrent[:, : 2 * units], 2, 1), strict=True))
        candidate = np.tanh(xh + (r * h) @ recurrent[:, 2 * units :])
    else:
        xz, xr, xh = np.split(x @ kernel + bias[0], 3, 1)
        hz, hr, hh = np.split(h @ recurrent + bias[1], 3, 1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        candidate = np.tanh(xh + r * hh)
    return (z * h + (1 - z) * candidate,)


def lstm_step(x: Array, states: Any, kernel: Array, recurrent: Array, bias: Array) -> tuple[Array, ...]:
    return lstm_gates(x @ kernel + states[0] @ recurrent + bias, states[1], 1)


def lstm_gates(z: Array, c: Array, axis: int) -> tuple[Array, ...]:
    i, f, g, o = np.split(z, 4, axis)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def image_step(x: Array, states: Any, kernel: Array, recurrent: Array, bias: Array) -> tuple[Array, ...]:
    pads = [(0, 0), *(((k - 1) // 2, k // 2) for k in recurrent.shape[:-2]), (0, 0)]
    inner = convolved(np.pad(states[0], pads), recurrent)
    return lstm_gates(convolved(x, kernel, bias) + inner, states[1], -1)


def over_time(step: Step, count: int = 1, backwards: bool = False, sequences: bool = False) -> Callable[..., Array]:
    """The reference of a recurrent layer whose cell does ``step`` with ``count`` states."""

    def reference(x: Array, kernel: Array, recurrent: Array, *bias: Array) -> Array:
        units = recurrent.shape[-2]
        sizes = [n - k + 1 for n, k in zip(x.shape[2:], kernel.shape[:-2], strict=False)]
        states: tuple[Array, ...] = (np.zeros((len(x), *sizes, units)),) * count
        outputs = []
        for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
            states = step(x[:, t], states, kernel, recurrent, *bias)
            outputs.append(states[0])
        return np.stack(outputs, 1) if sequences else outputs[-1]

    return reference


def one_step(step: Step) -> Callable[..., Array]:
    return lambda given, *weights: step(given[0], given[1:], *weights)[0]


def both_ways(x: Array, *weights: Array) -> Array:
    half = len(weights) // 2
    ahead, back = over_time(lstm_step, 2), over_time(lstm_step, 2, backwards=True)
    return np.concatenate([ahead(x, *weights[:half]), back(x, *weights[half:])], -1)


def stacked(x: Array, *weights: Array) -> Array:
    below = over_time(gru_step, sequences=True)(x, *weights[:3])
    return over_time(lstm_step, 2)(below, *weights[3:])


def weights(gates: int, features: int = 3, units: int = 2, bias: Any = None, scope: str = "") -> dict[str, Any]:
    width = gates * units
    shapes = {"kernel": (features, width), "recurrent_kernel": (units, width), "bias": bias or (width,)}
    return {scope + name: shape for name, shape in shapes.items()}


def config(class_name: str, /, **settings: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": settings}


X, H = normal(2, 4, 3), normal(2, 2)
GRU_WEIGHTS = weights(3, bias=(2, 6))
CELLS = [config("GRUCell", units=2), config("LSTMCell", units=3)]
STACKED = {**weights(3, bias=(2, 6), scope="RNNCell_0/"), **weights(4, 2, 3, scope="RNNCell_1/")}


def image_weights(rank: int) -> dict[str, Any]:
    return {"kernel": (*(2,) * rank, 3, 8), "recurrent_kernel": (*(2,) * rank, 2, 8), "bias": (8,)}


def first(reference: Any) -> Any:
    """A reference for channels_last applied to channels_first."""
    return lambda x, *w: np.moveaxis(reference(np.moveaxis(x, 2, -1), *w), -1, 1)


CASES = [
    Case(layers.SimpleRNN, {"units": 2}, X, weights(1), over_time(simple_step)),
    Case(layers.SimpleRNN, {"units": 2, "use_bias": False, "return_sequences": True, "go_backwards": True}, X,
         {"kernel": (3, 2), "recurrent_kernel": (2, 2)}, over_time(simple_step, backwards=True, sequences=True)),
    Case(layers.GRU, {"units": 2}, X, GRU_WEIGHTS, over_time(gru_step)),
    Case(layers.GRU, {"units": 2, "reset_after": False, "unroll": True}, X, weights(3), over_time(gru_step)),
    Case(layers.LSTM, {"units": 2, "kernel_regularizer": "l2", "recurrent_constraint": "non_neg"}, X, weights(4),
         over_time(lstm_step, 2)),
    Case(layers.LSTM, {"units": 2, "go_backwards": True, "dropout": 0.3, "recurrent_dropout": 0.3, "seed": 1}, X,
         weights(4), over_time(lstm_step, 2, backwards=True)),
    Case(layers.RNN, {"cell": CELLS}, X, STACKED, stacked),
    Case(layers.RNN, {"cell": config("SimpleRNNCell", units=2), "return_sequences": True}, X, weights(1),
         over_time(simple_step, sequences=True)),
    Case(layers.SimpleRNNCell, {"units": 2}, [X[:, 0], H], weights(1), one_step(simple_step)),
    Case(layers.GRUCell, {"units": 2, "dropout": 0.3, "seed": 2}, [X[:, 0], H], GRU_WEIGHTS, one_step(gru_step)),
    Case(layers.LSTMCell, {"units": 2}, [X[:, 0], H, normal(2, 2)], weights(4), one_step(lstm_step)),
    Case(layers.StackedRNNCells, {"cells": CELLS}, [X[:, 0], H, normal(2, 3), normal(2, 3)], STACKED,
         lambda given, *w: lstm_step(gru_step(given[0], given[1:2], *w[:3])[0], given[2:], *w[3:])[0]),
    Case(layers.ConvLSTM1D, {"filters": 2, "kernel_size": 2}, normal(2, 3, 4, 3), image_weights(1),
         over_time(image_step, 2)),
    Case(layers.ConvLSTM2D, {"filters": 2, "kernel_size": 2, "return_sequences": True}, normal(2, 3, 4, 5, 3),
         image_weights(2), over_time(image_step, 2, sequences=True)),
    Case(layers.ConvLSTM2D, {"filters": 2, "kernel_size": 2, "data_format": "channels_first"}, normal(2, 3, 3, 4, 5),
         image_weights(2), first(over_time(image_step, 2))),
    Case(layers.ConvLSTM2DCell, {"filters": 2, "kernel_size": 2}, [normal(2, 4, 5, 3), *(normal(2, 3, 4, 2),) * 2],
         image_weights(2), one_step(image_step)),
    Case(layers.ConvLSTM3D, {"filters": 2, "kernel_size": 2}, normal(2, 2, 3, 3, 4, 3), image_weights(3),
         over_time(image_step, 2)),
    Case(layers.Bidirectional, {"layer": config("LSTM", units=2, name="r")}, X,
         {**weights(4, scope="forward_r/"), **weights(4, scope="backward_r/")}, both_ways),
    Case(layers.TimeDistributed, {"layer": config("Dense", units=2)}, X, {"kernel": (3, 2), "bias": (2,)},
         lambda x, kernel, bias: x @ kernel + bias),
]  # fmt: skip
