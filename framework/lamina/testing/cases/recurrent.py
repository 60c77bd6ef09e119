"""Cases of recurrent cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.testing.cases.activation import sigmoid
from lamina.testing.inputs import empty, non_contiguous, normal
from lamina.testing.table import case


def basic_lstm_cell(forget_bias: Any, kernel: Any, bias: Any, data: Any, c: Any, h: Any) -> Any:
    i, j, f, o = np.split(np.concatenate([data, h], 1) @ kernel + bias, 4, axis=1)
    next_c = c * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
    return next_c, np.tanh(next_c) * sigmoid(o)


case("basic_lstm_cell", [normal(), normal(5, 12), normal(12), normal(2, 2), normal(2, 3), normal(2, 3)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(2, 4), normal(4), normal(1, 1), normal(1, 1), normal(1, 1)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [0.0, non_contiguous(4, 8), normal(8), non_contiguous(3, 2), normal(3, 2), normal(3, 2)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), empty(0, 2), empty(0, 1), empty(0, 1)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), normal(2, 3), normal(2, 1), normal(2, 1)], raises=ShapeError)
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), normal(2), normal(2, 1), normal(2, 1)], raises=ShapeError)


def lstm_sequence(projected: Any, recurrent_kernel: Any, h: Any, c: Any) -> Any:
    outputs, cells = np.zeros((2, *projected.shape[:2], h.shape[1]))
    for t in range(projected.shape[1]):
        i, f, g, o = np.split(projected[:, t] + h @ recurrent_kernel, 4, axis=1)
        c = c * sigmoid(f) + sigmoid(i) * np.tanh(g)
        outputs[:, t] = h = np.tanh(c) * sigmoid(o)
        cells[:, t] = c
    return outputs, cells


def lstm_sequence_gradient(
    d_outputs: Any, d_cells: Any, projected: Any, recurrent_kernel: Any, h: Any, c: Any, outputs: Any, cells: Any
) -> Any:
    """The slopes of sum(h * d_outputs + c * d_cells), by the chain rule at each step by itself."""
    dh, dc, found = np.zeros_like(h), np.zeros_like(c), np.zeros_like(projected)
    for t in reversed(range(projected.shape[1])):
        before, cell = (outputs[:, t - 1], cells[:, t - 1]) if t else (h, c)
        i, f, g, o = np.split(projected[:, t] + before @ recurrent_kernel, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        dh = dh + d_outputs[:, t]
        dc = dc + d_cells[:, t] + dh * o * (1 - np.tanh(cells[:, t]) ** 2)
        parts = [dc * g * i * (1 - i), dc * cell * f * (1 - f), dc * i * (1 - g * g)]
        found[:, t] = np.concatenate([*parts, dh * np.tanh(cells[:, t]) * o * (1 - o)], 1)
        dh, dc = found[:, t] @ recurrent_kernel.T, dc * f
    return found, dh, dc


case("lstm_sequence", [normal(2, 3, 8), normal(2, 8), normal(2, 2), normal(2, 2)], reference=lstm_sequence)
case("lstm_sequence", [normal(1, 1, 4), non_contiguous(1, 4), normal(1, 1), normal(1, 1)], reference=lstm_sequence)
case("lstm_sequence", [non_contiguous(3, 2, 12), normal(3, 12), normal(3, 3), normal(3, 3)], reference=lstm_sequence)
case("lstm_sequence", [empty(0, 2, 4), normal(1, 4), empty(0, 1), empty(0, 1)], reference=lstm_sequence)
case("lstm_sequence", [empty(2, 0, 4), normal(1, 4), normal(2, 1), normal(2, 1)], reference=lstm_sequence)
case("lstm_sequence", [normal(2, 3, 8), normal(2, 8), normal(2, 2), normal(2, 3)], raises=ShapeError)
case("lstm_sequence", [normal(2, 3, 8), normal(3, 8), normal(2, 2), normal(2, 2)], raises=ShapeError)
case("lstm_sequence", [normal(2, 8), normal(2, 8), normal(2, 2), normal(2, 2)], raises=ShapeError)
for _make, _b, _t, _u in ((normal, 2, 3, 2), (normal, 1, 1, 1), (empty, 0, 2, 1), (empty, 2, 0, 1)):
    _states = empty(_b, _u) if not _b else normal(_b, _u)
    case("lstm_sequence_gradient",
         [_make(_b, _t, _u), _make(_b, _t, _u), _make(_b, _t, 4 * _u), normal(_u, 4 * _u), _states, _states,
          _make(_b, _t, _u), _make(_b, _t, _u)], reference=lstm_sequence_gradient)  # fmt: skip


def lstm(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any) -> Any:
    outputs, cells = lstm_sequence(inputs @ kernel + bias, recurrent_kernel, h, c)
    return outputs, cells[:, -1] if inputs.shape[1] else c


def lstm_gradient(
    d_outputs: Any, d_last_c: Any, inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any
) -> Any:
    projected = inputs @ kernel + bias
    outputs, cells = lstm_sequence(projected, recurrent_kernel, h, c)
    d_cells = np.zeros_like(cells)
    d_cells[:, -1:] = d_last_c[:, None]
    dz, dh, dc = lstm_sequence_gradient(d_outputs, d_cells, projected, recurrent_kernel, h, c, outputs, cells)
    before = np.concatenate([h[:, None], outputs], 1)[:, : inputs.shape[1]]
    by_kernels = [np.einsum("bti,btj->ij", x, dz) for x in (inputs, before)]
    return dz @ kernel.T, *by_kernels, dz.sum((0, 1)), dh, dc if inputs.shape[1] else dc + d_last_c


for _b, _t, _f, _u in ((2, 3, 4, 2), (1, 1, 1, 1), (0, 2, 3, 1), (2, 0, 3, 1)):
    _inputs = normal(_b, _t, _f) if _b * _t else empty(_b, _t, _f)
    _states = empty(_b, _u) if not _b else normal(_b, _u)
    _given = [_inputs, normal(_f, 4 * _u), non_contiguous(_u, 4 * _u), normal(4 * _u), _states, _states]
    _outputs = normal(_b, _t, _u) if _b * _t else empty(_b, _t, _u)
    case("lstm", _given, reference=lstm)
    case("lstm_gradient", [_outputs, _states, *_given], reference=lstm_gradient)
case("lstm", [non_contiguous(3, 2, 5), normal(5, 12), normal(3, 12), normal(12), non_contiguous(3, 3), normal(3, 3)],
     reference=lstm)  # fmt: skip
case("lstm", [normal(2, 3, 4), normal(4, 8), normal(2, 8), normal(4), normal(2, 2), normal(2, 2)], raises=ShapeError)
case("lstm", [normal(2, 3, 4), normal(3, 8), normal(2, 8), normal(8), normal(2, 2), normal(2, 2)], raises=ShapeError)
case("lstm", [normal(2, 4), normal(4, 8), normal(2, 8), normal(8), normal(2, 2), normal(2, 2)], raises=ShapeError)
