"""Cases of recurrent cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.testing.cases.activation import sigmoid
from lamina.testing.inputs import bools, empty, non_contiguous, normal
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


def gru(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, reset_after: bool) -> Any:
    return _gru_steps(inputs, kernel, recurrent_kernel, bias, h, reset_after)[0]


def _gru_steps(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, reset_after: bool) -> Any:
    """The states after each step, and of each the state before, z, r, the candidate and what r acts on."""
    units = h.shape[1]
    outputs, steps = np.zeros((*inputs.shape[:2], units)), []
    for t in range(inputs.shape[1]):
        xz, xr, xh = np.split(inputs[:, t] @ kernel + (bias[0] if reset_after else bias), 3, axis=1)
        hz, hr, hh = np.split(h @ recurrent_kernel + (bias[1] if reset_after else 0), 3, axis=1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        candidate = np.tanh(xh + (r * hh if reset_after else (r * h) @ recurrent_kernel[:, 2 * units :]))
        steps.append((h, z, r, candidate, hh))
        outputs[:, t] = h = z * h + (1 - z) * candidate
    return outputs, steps


def gru_gradient(
    d_outputs: Any, inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, reset_after: bool
) -> Any:
    """The slopes of sum(outputs * d_outputs), by the chain rule at each step by itself."""
    d_inputs, d_kernel, d_recurrent, d_bias, dh = (
        np.zeros_like(x) for x in (inputs, kernel, recurrent_kernel, bias, h)
    )
    uz, ur, uh = np.split(recurrent_kernel, 3, axis=1)
    for t, (before, z, r, candidate, hh) in reversed(list(enumerate(
        _gru_steps(inputs, kernel, recurrent_kernel, bias, h, reset_after)[1]
    ))):  # fmt: skip
        dh = dh + d_outputs[:, t]
        dz = dh * (before - candidate) * z * (1 - z)
        d_last = dh * (1 - z) * (1 - candidate**2)
        d_reset = d_last * hh if reset_after else (d_last @ uh.T) * before
        dr = d_reset * r * (1 - r)
        by_last = (d_last * r) @ uh.T if reset_after else (d_last @ uh.T) * r
        of_state = d_last * r if reset_after else d_last
        dx = np.concatenate([dz, dr, d_last], 1)
        dh = dh * z + dz @ uz.T + dr @ ur.T + by_last
        d_inputs[:, t] = dx @ kernel.T
        d_kernel += inputs[:, t].T @ dx
        gates = before.T @ dz, before.T @ dr, (before if reset_after else r * before).T @ of_state
        d_recurrent += np.concatenate(gates, 1)
        sums = dx.sum(0)
        d_bias += np.stack([sums, np.concatenate([dz, dr, of_state], 1).sum(0)]) if reset_after else sums
    return d_inputs, d_kernel, d_recurrent, d_bias, dh


for _b, _t, _f, _u in ((2, 3, 4, 2), (1, 1, 1, 1), (0, 2, 3, 1), (2, 0, 3, 1)):
    for _after in (True, False):
        _inputs = normal(_b, _t, _f) if _b * _t else empty(_b, _t, _f)
        _states = empty(_b, _u) if not _b else normal(_b, _u)
        _bias = normal(2, 3 * _u) if _after else normal(3 * _u)
        _given = [_inputs, normal(_f, 3 * _u), non_contiguous(_u, 3 * _u), _bias, _states]
        _outputs = normal(_b, _t, _u) if _b * _t else empty(_b, _t, _u)
        case("gru", _given, reset_after=_after, reference=gru)
        case("gru_gradient", [_outputs, *_given], reset_after=_after, reference=gru_gradient)
case("gru", [normal(2, 3, 4), normal(4, 6), normal(2, 6), normal(6), normal(2, 2)], raises=ShapeError)
case("gru", [normal(2, 3, 4), normal(3, 6), normal(2, 6), normal(2, 6), normal(2, 2)], raises=ShapeError)
case("gru", [normal(2, 4), normal(4, 6), normal(2, 6), normal(2, 6), normal(2, 2)], raises=ShapeError)
case("gru", [normal(2, 3, 4), normal(4, 6), normal(2, 6), normal(2, 6), normal(2, 2)], reset_after=False,
     raises=ShapeError)  # fmt: skip


def masked_lstm(*given: Any) -> Any:
    states, c = _masked_lstm_states(*given)
    return np.stack([h for h, _ in states[1:]], 1) if states[1:] else np.zeros((len(c), 0, c.shape[1])), c


def _masked_lstm_states(*given: Any) -> Any:
    """The states before and after each step, and the last c."""
    inputs, kernel, recurrent_kernel, bias, h, c, mask = given
    weights = kernel, recurrent_kernel, bias
    states = [(h, c)]
    for t in range(inputs.shape[1]):
        new_h, new_c = lstm(inputs[:, t : t + 1], *weights, h, c)
        keep = mask[:, t, None]
        h, c = np.where(keep, new_h[:, 0], h), np.where(keep, new_c, c)
        states.append((h, c))
    return states, c


def masked_lstm_gradient(d_outputs: Any, d_last_c: Any, *given: Any) -> Any:
    """Step by step, by the slopes of the sequence of one step."""
    inputs, *weights, h, _, mask = given
    states, found = _masked_lstm_states(*given)[0], [np.zeros_like(x) for x in (inputs, *weights)]
    dh, dc = np.zeros_like(h), d_last_c
    for t in reversed(range(inputs.shape[1])):
        dh, keep = dh + d_outputs[:, t], mask[:, t, None]
        d_step, *d_weights, new_dh, new_dc = lstm_gradient(
            (dh * keep)[:, None], dc * keep, inputs[:, t : t + 1], *weights, *states[t]
        )
        found[0][:, t : t + 1] = d_step
        found[1:] = [a + b for a, b in zip(found[1:], d_weights, strict=True)]
        dh, dc = np.where(keep, new_dh, dh), np.where(keep, new_dc, dc)
    return *found, dh, dc


def masked_gru(*given: Any, reset_after: bool) -> Any:
    inputs, kernel, recurrent_kernel, bias, h, mask = given
    weights = kernel, recurrent_kernel, bias
    outputs = np.zeros((*inputs.shape[:2], h.shape[1]), h.dtype)
    for t in range(inputs.shape[1]):
        new = gru(inputs[:, t : t + 1], *weights, h, reset_after=reset_after)[:, 0]
        outputs[:, t] = h = np.where(mask[:, t, None], new, h)
    return outputs


def masked_gru_gradient(d_outputs: Any, *given: Any, reset_after: bool) -> Any:
    """Step by step, by the slopes of the sequence of one step."""
    inputs, kernel, recurrent_kernel, bias, h, mask = given
    weights = kernel, recurrent_kernel, bias
    states = [h, *masked_gru(*given, reset_after=reset_after).swapaxes(0, 1)]
    found, dh = [np.zeros_like(x) for x in (inputs, *weights)], np.zeros_like(h)
    for t in reversed(range(inputs.shape[1])):
        dh, keep = dh + d_outputs[:, t], mask[:, t, None]
        d_step, *d_weights, new = gru_gradient(
            (dh * keep)[:, None], inputs[:, t : t + 1], *weights, states[t], reset_after=reset_after
        )
        found[0][:, t : t + 1] = d_step
        found[1:] = [a + b for a, b in zip(found[1:], d_weights, strict=True)]
        dh = np.where(keep, new, dh)
    return *found, dh


for _b, _t, _f, _u in ((2, 3, 4, 2), (1, 1, 1, 1), (2, 0, 3, 1)):
    _inputs = normal(_b, _t, _f) if _b * _t else empty(_b, _t, _f)
    _outputs = normal(_b, _t, _u) if _b * _t else empty(_b, _t, _u)
    _states, _mask = normal(_b, _u), bools(_b, _t)
    _given = [_inputs, normal(_f, 4 * _u), non_contiguous(_u, 4 * _u), normal(4 * _u), _states, _states, _mask]
    case("masked_lstm", _given, reference=masked_lstm)
    case("masked_lstm_gradient", [_outputs, _states, *_given], reference=masked_lstm_gradient)
    for _after in (True, False):
        _bias = normal(2, 3 * _u) if _after else normal(3 * _u)
        _given = [_inputs, normal(_f, 3 * _u), non_contiguous(_u, 3 * _u), _bias, _states, _mask]
        case("masked_gru", _given, reset_after=_after, reference=masked_gru)
        case("masked_gru_gradient", [_outputs, *_given], reset_after=_after, reference=masked_gru_gradient)
case("masked_lstm", [normal(2, 3, 4), normal(4, 8), normal(2, 8), normal(8), normal(2, 2), normal(2, 2), bools(2, 4)],
     raises=ShapeError)  # fmt: skip
case("masked_gru", [normal(2, 3, 4), normal(4, 6), normal(2, 6), normal(2, 6), normal(2, 2), bools(3, 2)],
     raises=ShapeError)  # fmt: skip
