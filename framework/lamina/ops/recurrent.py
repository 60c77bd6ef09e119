"""Recurrent cells, which do one step of a sequence, and whole sequences of steps in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.activation import sigmoid, tanh
from lamina.ops.creation import zeros
from lamina.ops.elementwise import add, identity, multiply, square, subtract
from lamina.ops.matmul import matmul
from lamina.ops.reduction import sum as sum_
from lamina.ops.shaping import concatenate, expand_dims, reshape, split, stack, unstack
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

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


def _sequence(projected: Any, recurrent_kernel: Any, h: Any, c: Any) -> tuple[Spec, Spec]:
    """Raises ShapeError unless the shapes fit each other."""
    fits = projected.ndim == 3 and h.ndim == 2 and h.shape == c.shape and h.shape[0] == projected.shape[0]
    if not (fits and projected.shape[2] == 4 * h.shape[1] and recurrent_kernel.shape == (h.shape[1], 4 * h.shape[1])):
        shapes = {"projected": projected, "recurrent_kernel": recurrent_kernel, "h": h, "c": c}
        raise ShapeError(
            "lstm_sequence: " + ", ".join(f"{name} is {tensor.shape}" for name, tensor in shapes.items()) + ".",
            expected="projected (batch, time, 4 * units), recurrent_kernel (units, 4 * units), h and c (batch, units).",
        )
    spec = Spec((*projected.shape[:2], h.shape[1]), projected.dtype)
    return spec, spec


@composite_op(result=_sequence, dtypes=FLOATING, outputs=("outputs", "cells"), public=False)
def lstm_sequence(
    projected: TensorLike, recurrent_kernel: TensorLike, h: TensorLike, c: TensorLike
) -> tuple[Tensor, Tensor]:
    """All steps of a long short-term memory: h and c after each, of shape (batch, time, units).

    At each step [i, f, g, o] = projected_t + h @ recurrent_kernel, c = sigmoid(f) * c + sigmoid(i) * tanh(g) and
    h = sigmoid(o) * tanh(c). ``projected``, (batch, time, 4 * units), is what the inputs give, the bias included.

    >>> h, c = lstm_sequence([[[0.0, 0.0, 1.0, 0.0]] * 2], [[0.0] * 4], [[0.0]], [[0.0]])
    >>> [round(x, 4) for x in c.reshape((2,)).tolist()]
    [0.3808, 0.5712]
    """
    outputs, cells = [], []
    for step in unstack(projected, 1):
        i, f, g, o = split(add(step, matmul(h, recurrent_kernel)), 4, axis=1)
        c = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)))
        h = multiply(sigmoid(o), tanh(c))
        outputs.append(h)
        cells.append(c)
    if not outputs:
        nothing = zeros((h.shape[0], 0, h.shape[1]), h.dtype)
        return nothing, nothing
    return stack(outputs, 1), stack(cells, 1)


@lstm_sequence.gradient("projected", "recurrent_kernel", "h", "c")
def _(
    dy: tuple[Tensor, Tensor], *, projected: Tensor, recurrent_kernel: Tensor, h: Tensor, c: Tensor,
    outputs: Tensor, cells: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    d_projected, dh, dc = lstm_sequence_gradient(*dy, projected, recurrent_kernel, h, c, outputs, cells)
    units = h.shape[1]
    rows, gates = reshape(states_before(h, outputs), (-1, units)), reshape(d_projected, (-1, 4 * units))
    return d_projected, matmul(rows, gates, transpose_a=True), dh, dc


def states_before(first: Tensor, after: Tensor) -> Tensor:
    """The state before each step, of that before the first and those after each."""
    steps = after.shape[1]
    return concatenate([expand_dims(first, 1), after], 1)[:, :steps]


@composite_op(
    result=lambda dh, dc, projected, recurrent_kernel, h, c, outputs, cells: (projected.spec, h.spec, c.spec),
    dtypes=FLOATING,
    outputs=("d_projected", "dh", "dc"),
    public=False,
)
def lstm_sequence_gradient(
    d_outputs: TensorLike,
    d_cells: TensorLike,
    projected: TensorLike,
    recurrent_kernel: TensorLike,
    h: TensorLike,
    c: TensorLike,
    outputs: TensorLike,
    cells: TensorLike,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of ``lstm_sequence`` with respect to ``projected``, ``h`` and ``c``.

    The gates are computed anew from the states, for all steps at once, so that nobody has to keep them.

    >>> found = lstm_sequence_gradient(
    ...     [[[1.0]]], [[[0.0]]], [[[0.0] * 4]], [[0.0] * 4], [[0.0]], [[0.0]], [[[0.0]]], [[[0.0]]]
    ... )
    >>> found[0].tolist()
    [[[0.0, 0.0, 0.25, 0.0]]]
    """
    units, steps = h.shape[1], projected.shape[1]
    if not steps:
        return projected, multiply(h, 0.0), multiply(c, 0.0)
    rows = matmul(reshape(states_before(h, outputs), (-1, units)), recurrent_kernel)
    i, f, g, o = split(add(projected, reshape(rows, projected.shape)), 4, axis=2)
    gates = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    return lstm_steps_back(d_outputs, d_cells, recurrent_kernel, states_before(c, cells), cells, gates)


def lstm_steps_back(
    d_outputs: Tensor,
    d_cells: Tensor,
    recurrent_kernel: Tensor,
    before: Tensor,
    cells: Tensor,
    gates: Sequence[Tensor],
    skipped: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the products of all steps, at least one, and of the first h and c.

    ``before`` and ``cells`` are c before and after each step. ``skipped``, (batch, time, 1), is 1 where h stays.
    """
    i, f, g, o = gates
    wide = tanh(cells)
    by_cell = multiply(o, subtract(1.0, square(wide)))
    by_gate = [
        multiply(g, slope_of_sigmoid(i)),
        multiply(before, slope_of_sigmoid(f)),
        multiply(i, subtract(1.0, square(g))),
        multiply(wide, slope_of_sigmoid(o)),
    ]
    steps_of = [unstack(x, 1) for x in (d_outputs, d_cells, by_cell, f, *by_gate)]
    stays = [None] * cells.shape[1] if skipped is None else unstack(skipped, 1)
    dh = dc = multiply(cells[:, 0], 0.0)
    found = []
    for d_output, d_cell, by_c, forget, by_i, by_f, by_g, by_o, stay in reversed(
        list(zip(*steps_of, stays, strict=True))
    ):
        dh = add(dh, d_output)
        dc = add(add(dc, d_cell), multiply(dh, by_c))
        dz = concatenate([multiply(dc, by_i), multiply(dc, by_f), multiply(dc, by_g), multiply(dh, by_o)], 1)
        found.append(dz)
        passed = None if stay is None else multiply(dh, stay)
        dh, dc = matmul(dz, recurrent_kernel, transpose_b=True), multiply(dc, forget)
        dh = dh if passed is None else add(dh, passed)
    return stack(found[::-1], 1), dh, dc


def slope_of_sigmoid(y: Tensor) -> Tensor:
    """The slope of the logistic function where its value is y."""
    return multiply(y, subtract(1.0, y))


def lstm_shapes(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any) -> tuple[Spec, Spec]:
    """Raises ShapeError unless the shapes fit each other."""
    fits = inputs.ndim == 3 and h.ndim == 2 and h.shape == c.shape and h.shape[0] == inputs.shape[0]
    if fits:
        units, features = h.shape[1], inputs.shape[2]
        fits = kernel.shape == (features, 4 * units) and bias.shape == (4 * units,)
        fits = fits and recurrent_kernel.shape == (units, 4 * units)
    if not fits:
        shapes = {
            "inputs": inputs,
            "kernel": kernel,
            "recurrent_kernel": recurrent_kernel,
            "bias": bias,
            "h": h,
            "c": c,
        }
        raise ShapeError(
            "lstm: " + ", ".join(f"{name} is {tensor.shape}" for name, tensor in shapes.items()) + ".",
            expected="inputs (batch, time, features), kernel (features, 4 * units), recurrent_kernel "
            "(units, 4 * units), bias (4 * units,), h and c (batch, units).",
        )
    return Spec((*inputs.shape[:2], units), inputs.dtype), Spec(c.shape, c.dtype)


@composite_op(result=lstm_shapes, dtypes=FLOATING, outputs=("outputs", "last_c"), public=False)
def lstm(
    inputs: TensorLike, kernel: TensorLike, recurrent_kernel: TensorLike, bias: TensorLike, h: TensorLike, c: TensorLike
) -> tuple[Tensor, Tensor]:
    """A whole layer of long short-term memory: h after each step, (batch, time, units), and c after the last.

    It is ``lstm_sequence`` of inputs @ kernel + bias, for backends whose library does both in one call.

    >>> outputs, c = lstm([[[1.0]] * 2], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4, [[0.0]], [[0.0]])
    >>> outputs.shape, round(c.item(), 4)
    ((1, 2, 1), 0.5712)
    """
    outputs, cells = lstm_sequence(input_products(inputs, kernel, bias), recurrent_kernel, h, c)
    return outputs, cells[:, -1] if cells.shape[1] else identity(c)


def input_products(inputs: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """What the inputs give, the bias included."""
    rows = add(matmul(reshape(inputs, (-1, inputs.shape[2])), kernel), bias)
    return reshape(rows, (*inputs.shape[:2], bias.shape[0]))


@lstm.gradient()
def _(
    dy: tuple[Tensor, Tensor], *, inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor,
    h: Tensor, c: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    return lstm_gradient(*dy, inputs, kernel, recurrent_kernel, bias, h, c)


@composite_op(
    result=lambda d_outputs, d_last_c, *inputs: tuple(x.spec for x in inputs),
    dtypes=FLOATING,
    outputs=("d_inputs", "d_kernel", "d_recurrent_kernel", "d_bias", "dh", "dc"),
    public=False,
)
def lstm_gradient(
    d_outputs: TensorLike,
    d_last_c: TensorLike,
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    c: TensorLike,
) -> tuple[Tensor, ...]:
    """The gradients of ``lstm`` with respect to all that it takes.

    The steps are computed anew; a recorded step need not, where the backend keeps what they left.

    >>> weights = [[0.0] * 4], [[0.0] * 4], [0.0] * 4
    >>> found = lstm_gradient([[[1.0]]], [[0.0]], [[[2.0]]], *weights, [[0.0]], [[0.0]])
    >>> found[1].tolist(), found[3].tolist()
    ([[0.0, 0.0, 0.5, 0.0]], [0.0, 0.0, 0.25, 0.0])
    """
    units, (batch, steps, features) = h.shape[1], inputs.shape
    projected = input_products(inputs, kernel, bias)
    outputs, cells = lstm_sequence(projected, recurrent_kernel, h, c)
    last = reshape(d_last_c, (batch, 1, units))[:, :steps]  # without a step, the last c is the first
    d_cells = concatenate([zeros((batch, max(0, steps - 1), units), c.dtype), last], 1)
    d_projected, dh, dc = lstm_sequence_gradient(d_outputs, d_cells, projected, recurrent_kernel, h, c, outputs, cells)
    rows = reshape(d_projected, (-1, 4 * units))
    return (
        reshape(matmul(rows, kernel, transpose_b=True), inputs.shape),
        matmul(reshape(inputs, (-1, features)), rows, transpose_a=True),
        matmul(reshape(states_before(h, outputs), (-1, units)), rows, transpose_a=True),
        sum_(rows, 0),
        dh,
        dc if steps else add(dc, d_last_c),
    )
