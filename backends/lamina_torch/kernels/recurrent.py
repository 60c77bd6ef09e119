"""Sequences of steps: oneDNN's whole layer where torch has it, else one loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_torch import host

kernels = KernelTable()
Backward = Callable[[Any, Any], tuple[Any, ...]]
_LSTM = 2  # torch's number of this kind of cell


@kernels("lstm")
def lstm(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any) -> Any:
    return lstm_forward(inputs, kernel, recurrent_kernel, bias, h, c, training=False)[:2]


@kernels("lstm_gradient")
def lstm_gradient(
    d_outputs: Any, d_last_c: Any, inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any
) -> Any:
    backward = lstm_forward(inputs, kernel, recurrent_kernel, bias, h, c)[2]
    return backward(d_outputs, d_last_c)


def lstm_forward(
    inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any, training: bool = True
) -> tuple[Any, Any, Backward]:
    """The outputs, the last c, and a function of their gradients that gives those of ``lstm_gradient``.

    It needs the arguments as they are, and only works after a call for training.
    """
    fits = inputs.dtype is torch.float32 and host.on_host(inputs) and inputs.numel() and h.numel()
    if fits and torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled:
        return _layer(inputs, kernel, recurrent_kernel, bias, h, c, training)
    projected = torch.addmm(bias, inputs.flatten(0, 1), kernel).unflatten(0, inputs.shape[:2])
    outputs, cells = lstm_sequence(projected, recurrent_kernel, h, c)
    backward = functools.partial(_loop_backward, inputs, kernel, recurrent_kernel, h, c, projected, outputs, cells)
    return outputs, (cells[:, -1] if cells.shape[1] else c).clone(), backward


def _layer(
    inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, c: Any, training: bool
) -> tuple[Any, Any, Backward]:
    """By oneDNN, which wants the time first, weights transposed, two biases, and everything dense."""
    weights = kernel.t().contiguous(), recurrent_kernel.t().contiguous(), bias.contiguous(), torch.zeros_like(bias)
    given = inputs.transpose(0, 1).contiguous(), *weights, h.contiguous(), c.contiguous()
    with torch.set_grad_enabled(training):  # only so is the workspace kept; none of the tensors wants a gradient
        outputs, *rest = torch.mkldnn_rnn_layer(*given, False, [], _LSTM, h.shape[1], 1, True, False, False, training)
    return outputs.transpose(0, 1), rest[1], functools.partial(_layer_backward, given, outputs, rest)


def _layer_backward(given: Any, outputs: Any, rest: Any, d_outputs: Any, d_last_c: Any) -> tuple[Any, ...]:
    last_h, last_c, workspace = rest
    d_inputs, d_kernel, d_recurrent, d_bias, _, dh, dc = torch.ops.aten.mkldnn_rnn_layer_backward(
        *given, outputs, last_h, last_c, d_outputs.transpose(0, 1).contiguous(), None, d_last_c.contiguous(),
        False, _LSTM, last_h.shape[1], 1, True, True, False, [], False, workspace,
    )  # fmt: skip
    return d_inputs.transpose(0, 1), d_kernel.t(), d_recurrent.t(), d_bias, dh, dc


def _loop_backward(
    inputs: Any, kernel: Any, recurrent_kernel: Any, h: Any, c: Any, projected: Any, outputs: Any, cells: Any,
    d_outputs: Any, d_last_c: Any,
) -> tuple[Any, ...]:  # fmt: skip
    d_cells = torch.zeros_like(cells)
    d_cells[:, -1:] = d_last_c.unsqueeze(1)
    d_projected, dh, dc = lstm_sequence_gradient(d_outputs, d_cells, projected, recurrent_kernel, h, c, outputs, cells)
    rows, before = d_projected.flatten(0, 1), _before(h, outputs).flatten(0, 1)
    d_inputs = torch.mm(rows, kernel.t()).view(inputs.shape)
    d_kernels = torch.mm(inputs.flatten(0, 1).t(), rows), torch.mm(before.t(), rows)
    return d_inputs, *d_kernels, rows.sum(0), dh, dc if cells.shape[1] else dc + d_last_c


@kernels("lstm_sequence")
def lstm_sequence(projected: Any, recurrent_kernel: Any, h: Any, c: Any) -> Any:
    units = h.shape[1]
    steps = projected.transpose(0, 1)
    states = h.new_empty((2, steps.shape[0], *h.shape))
    for step, new_h, new_c in zip(steps, *states, strict=True):
        z = torch.addmm(step, h, recurrent_kernel)
        i, f, g, o = z.split(units, 1)
        torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh(), out=new_c)
        torch.mul(o.sigmoid(), new_c.tanh(), out=new_h)
        h, c = new_h, new_c
    outputs, cells = states.transpose(1, 2)
    return outputs.contiguous(), cells.contiguous()


@kernels("lstm_sequence_gradient")
def lstm_sequence_gradient(
    d_outputs: Any, d_cells: Any, projected: Any, recurrent_kernel: Any, h: Any, c: Any, outputs: Any, cells: Any
) -> Any:
    units = h.shape[1]
    z = projected + torch.matmul(_before(h, outputs), recurrent_kernel)
    i, f, g, o = z.split(units, 2)
    i, f, g, o, wide = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), cells.tanh()
    by_c = o * (1 - wide * wide)
    by_dc = torch.stack([g * i * (1 - i), _before(c, cells) * f * (1 - f), i * (1 - g * g)], 2)
    by_dh = wide * o * (1 - o)
    dz: list[Any] = []
    dh, dc, back = torch.zeros_like(h), torch.zeros_like(c), recurrent_kernel.t()
    for t in reversed(range(z.shape[1])):
        dh = dh + d_outputs[:, t]
        dc = torch.addcmul(dc + d_cells[:, t], dh, by_c[:, t])
        by_gate = torch.cat([by_dc[:, t] * dc.unsqueeze(1), (by_dh[:, t] * dh).unsqueeze(1)], 1)
        dz.append(by_gate.flatten(1))
        dh, dc = torch.mm(dz[-1], back), dc * f[:, t]
    return torch.stack(dz[::-1], 1) if dz else z, dh, dc


def _before(first: Any, after: Any) -> Any:
    """The states before each step."""
    return torch.cat([first.unsqueeze(1), after], 1)[:, : after.shape[1]]
