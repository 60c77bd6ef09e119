"""Recurrent cells: one step of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina.errors import ArgumentError, ShapeError
from lamina.ops.activation import sigmoid, tanh
from lamina.ops.elementwise import add, multiply
from lamina.ops.matmul import matmul
from lamina.ops.shaping import concatenate, split
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor

Cell = Callable[[Any, Any, Any], Sequence[Tensor]]


def basic_lstm_cell(
    forget_bias: TensorLike, kernel: TensorLike, bias: TensorLike, data: TensorLike, c: TensorLike, h: TensorLike
) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory: the next (c, h) (Hochreiter and Schmidhuber 1997; Zaremba et al. 2014).

    With i, j, f, o the quarters of [data, h] @ kernel + bias: c' = c * sigmoid(f + forget_bias) + sigmoid(i) * tanh(j)
    and h' = tanh(c') * sigmoid(o). ``data`` is (batch, features), ``c`` and ``h`` (batch, units), ``kernel``
    (features + units, 4 * units), ``bias`` (4 * units,). As TensorFlow.js. Raises ShapeError.

    >>> c, h = basic_lstm_cell(1.0, [[0.0] * 4] * 3, [0.0] * 4, [[1.0, 2.0]], [[1.0]], [[0.0]])
    >>> c.shape, h.shape, round(c.item(), 4)
    ((1, 1), (1, 1), 0.7311)
    """
    kernel, bias, data, c, h = (to_tensor(value) for value in (kernel, bias, data, c, h))
    _check_cell(kernel, bias, data, c, h)
    gates = add(matmul(concatenate([data, h], 1), kernel), bias)
    i, j, f, o = split(gates, 4, axis=1)
    next_c = add(multiply(c, sigmoid(add(f, forget_bias))), multiply(sigmoid(i), tanh(j)))
    return next_c, multiply(tanh(next_c), sigmoid(o))


def _check_cell(kernel: Tensor, bias: Tensor, data: Tensor, c: Tensor, h: Tensor) -> None:
    fits = (data.ndim, c.ndim) == (2, 2) and c.shape == h.shape and c.shape[0] == data.shape[0]
    if fits:
        features, units = data.shape[1], c.shape[1]
        fits = kernel.shape == (features + units, 4 * units) and bias.shape == (4 * units,)
    if not fits:
        shapes = {"kernel": kernel, "bias": bias, "data": data, "c": c, "h": h}
        raise ShapeError(
            "basic_lstm_cell: " + ", ".join(f"{name} is {tensor.shape}" for name, tensor in shapes.items()) + ".",
            expected="data (batch, features), c and h (batch, units), kernel (features + units, 4 * units) and "
            "bias (4 * units,).",
        )


def multi_rnn_cell(
    cells: Sequence[Cell], data: TensorLike, c: Sequence[TensorLike], h: Sequence[TensorLike]
) -> tuple[list[Tensor], list[Tensor]]:
    """One step of cells on top of each other: each takes (data, c, h), gives (c, h), and its h is the next one's data.

    Returns the lists of the next c and h. As TensorFlow.js. Raises ArgumentError unless there is one of each state for
    every cell.

    >>> import lamina
    >>> cell = lambda data, c, h: (c + data, h * data)
    >>> c, h = multi_rnn_cell([cell, cell], lamina.tensor(2.0), [lamina.tensor(1.0)] * 2, [lamina.tensor(3.0)] * 2)
    >>> [x.item() for x in c], [x.item() for x in h]
    ([3.0, 7.0], [6.0, 18.0])
    """
    if not len(cells) == len(c) == len(h):
        raise ArgumentError(
            f"multi_rnn_cell: there are {len(cells)} cells, {len(c)} of c and {len(h)} of h.", expected="one for each."
        )
    below = to_tensor(data)
    states: tuple[list[Tensor], list[Tensor]] = ([], [])
    for cell, cell_c, cell_h in zip(cells, c, h, strict=True):
        next_c, below = cell(below, to_tensor(cell_c), to_tensor(cell_h))
        states[0].append(next_c)
        states[1].append(below)
    return states
