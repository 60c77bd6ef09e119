"""Update rules over all parameters at once.

Torch's fused Adam computes the formula of ``adam_update`` when it is told that infinitely many steps are done: its own
corrections of the bias are then exactly 1, and the step size has them already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
_FUSED = (torch.float32, torch.float64)


def adam_in_place(
    alpha: Any, p: Sequence[Any], g: Sequence[Any], m: Sequence[Any], v: Sequence[Any],
    beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    """Writes the new p, m and v over the old ones, which are dense in row-major order, as is g."""
    if fusible([*p, *g, *m, *v], beta_1, beta_2):
        steps = [torch.full((), float("inf"), device=alpha.device)] * len(p)
        torch._fused_adam_(
            p, g, m, v, [], steps, lr=alpha, beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon,
            amsgrad=False, maximize=False,
        )  # fmt: skip
        return
    g = [g_.to(p_.dtype) for g_, p_ in zip(g, p, strict=True)]
    torch._foreach_lerp_(m, g, 1.0 - beta_1)
    torch._foreach_lerp_(v, torch._foreach_mul(g, g), 1.0 - beta_2)
    scale = torch._foreach_sqrt(v)
    torch._foreach_add_(scale, epsilon)
    moves = torch._foreach_div(torch._foreach_mul(m, alpha), scale)
    torch._foreach_sub_(p, moves)


def fusible(tensors: Sequence[Any], beta_1: float, beta_2: float) -> bool:
    """Whether torch's fused Adam gives the formula for these tensors."""
    dtype = tensors[0].dtype
    return 0.0 <= beta_1 < 1.0 and 0.0 <= beta_2 < 1.0 and dtype in _FUSED and all(t.dtype is dtype for t in tensors)


def momentum_in_place(
    rate: Any, p: Sequence[Any], g: Sequence[Any], m: Sequence[Any], momentum: float, nesterov: bool
) -> None:
    """Writes the new p and m over the old ones."""
    steps = torch._foreach_mul(g, rate)
    torch._foreach_mul_(m, momentum)
    torch._foreach_sub_(m, steps)
    if nesterov:
        torch._foreach_add_(p, torch._foreach_mul(m, momentum))
        torch._foreach_sub_(p, steps)
    else:
        torch._foreach_add_(p, m)


def _dense(tensors: Sequence[Any]) -> list[Any]:
    return [t.contiguous() for t in tensors]


def _copies(tensors: Sequence[Any]) -> list[Any]:
    return [t.clone(memory_format=torch.contiguous_format) for t in tensors]


@kernels("adam_update")
def adam_update(*tensors: Any, count: int, beta_1: float, beta_2: float, epsilon: float) -> tuple[Any, ...]:
    p, g, m, v = (tensors[1 + i * count : 1 + (i + 1) * count] for i in range(4))
    new = [_copies(p), _copies(m), _copies(v)]
    if count:
        adam_in_place(tensors[0], new[0], _dense(g), new[1], new[2], beta_1, beta_2, epsilon)
    return (*new[0], *new[1], *new[2])


@kernels("momentum_update")
def momentum_update(*tensors: Any, count: int, momentum: float, nesterov: bool) -> tuple[Any, ...]:
    p, g, m = (tensors[1 + i * count : 1 + (i + 1) * count] for i in range(3))
    new = [_copies(p), _copies(m)]
    if count:
        momentum_in_place(tensors[0], new[0], _dense(g), new[1], momentum, nesterov)
    return (*new[0], *new[1])
