"""Sequences of steps in one loop."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


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
    dz = torch.empty_like(z).view(*z.shape[:2], 4, units)
    dh, dc, back = torch.zeros_like(h), torch.zeros_like(c), recurrent_kernel.t()
    for t in reversed(range(z.shape[1])):
        dh = dh + d_outputs[:, t]
        dc = torch.addcmul(dc + d_cells[:, t], dh, by_c[:, t])
        torch.mul(by_dc[:, t], dc.unsqueeze(1), out=dz[:, t, :3])
        torch.mul(by_dh[:, t], dh, out=dz[:, t, 3])
        dh, dc = torch.matmul(dz[:, t].flatten(1), back), dc * f[:, t]
    return dz.flatten(2), dh, dc


def _before(first: Any, after: Any) -> Any:
    """The states before each step."""
    return torch.cat([first.unsqueeze(1), after], 1)[:, : after.shape[1]]
