"""Update rules over all parameters at once.

Torch's fused Adam computes the formula of ``adam_update`` when it is told that infinitely many steps are done: its own
corrections of the bias are then exactly 1, and the step size has them already.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_torch import host
from lamina_torch.dtypes import TORCH_DTYPES

kernels = KernelTable()
Tensors = Sequence[Any]
_FUSED = (torch.float32, torch.float64)
_FUSED_ON = ("cpu", "cuda")


def adam_step(
    p: Tensors, m: Tensors, v: Tensors, *, beta_1: float, beta_2: float, epsilon: float
) -> Callable[[Any, Tensors], None]:
    """A function of the step size and gradients that writes the new p, m and v over the old ones.

    All tensors are dense in row-major order, and the gradients have the dtypes of p.
    """
    if not _fusible([*p, *m, *v], beta_1, beta_2):
        return functools.partial(_adam_by_parts, p, m, v, beta_1, beta_2, epsilon)
    steps = [torch.full((), float("inf"), device=t.device) for t in p]
    fused = functools.partial(
        torch._fused_adam_, beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon, amsgrad=False, maximize=False
    )

    def step(alpha: Any, g: Tensors) -> None:
        fused(p, g, m, v, (), steps, lr=alpha)

    return step


def _fusible(tensors: Tensors, beta_1: float, beta_2: float) -> bool:
    """Whether torch's fused Adam gives the formula for these tensors."""
    dtype, device = tensors[0].dtype, tensors[0].device
    if device.type not in _FUSED_ON or torch.compiler.is_compiling():  # the compiler fuses parts, and no whole
        return False
    return 0.0 <= beta_1 < 1.0 and 0.0 <= beta_2 < 1.0 and dtype in _FUSED and all(t.dtype is dtype for t in tensors)


def _adam_by_parts(
    p: Tensors, m: Tensors, v: Tensors, beta_1: float, beta_2: float, epsilon: float, alpha: Any, g: Tensors
) -> None:
    torch._foreach_lerp_(m, g, 1.0 - beta_1)
    torch._foreach_lerp_(v, torch._foreach_mul(g, g), 1.0 - beta_2)
    scale = torch._foreach_sqrt(v)
    torch._foreach_add_(scale, epsilon)
    torch._foreach_sub_(p, torch._foreach_div(torch._foreach_mul(m, alpha), scale))


@kernels("bias_correction")
def bias_correction(step: Any, beta_1: float, beta_2: float, dtype: str, out: Any = None) -> Any:
    """Of one step on the host it is worked out with plain floats, which costs less than two calls of torch."""
    out = step.new_empty(step.shape, dtype=TORCH_DTYPES[dtype]) if out is None else out
    log_1, log_2 = _logarithms(beta_1, beta_2)
    if step.ndim or not host.on_host(step):
        count = step.to(torch.float64)
        return out.copy_(torch.expm1(count * log_2).neg_().sqrt_().div_(torch.expm1(count * log_1).neg_()))
    return out.fill_(_corrected(float(step), log_1, log_2))


def _logarithms(*betas: float) -> list[float]:
    return [math.log(beta) if beta > 0.0 else -math.inf for beta in betas]


def _corrected(count: float, log_1: float, log_2: float) -> float:
    return math.sqrt(-math.expm1(count * log_2)) / -math.expm1(count * log_1) if count > 0 else math.nan


def adam_step_of_rate(
    p: Tensors, m: Tensors, v: Tensors, *, correction: tuple[float, float], **settings: Any
) -> Callable[[Any, Any, Tensors], None]:
    """Like ``adam_step``, of the rate, the number of the step, and gradients; both numbers lie on the host."""
    update = adam_step(p, m, v, **settings)
    log_1, log_2 = _logarithms(*correction)

    def step(rate: Any, count: Any, g: Tensors) -> None:
        update(float(rate) * _corrected(float(count), log_1, log_2), g)

    return step


def adam_update_of_rate(rate: Any, count: Any, *tensors: Any, correction: tuple[float, float], **settings: Any) -> Any:
    dtype = str(rate.dtype).removeprefix("torch.")
    return adam_update(rate * bias_correction(count, *correction, dtype), *tensors, **settings)


def momentum_step(p: Tensors, m: Tensors, *, momentum: float, nesterov: bool) -> Callable[[Any, Tensors], None]:
    """A function of the rate and gradients that writes the new p and m over the old ones."""

    def step(rate: Any, g: Tensors) -> None:
        moves = torch._foreach_mul(g, rate)
        torch._foreach_mul_(m, momentum)
        torch._foreach_sub_(m, moves)
        if nesterov:
            torch._foreach_add_(p, m, alpha=momentum)
            torch._foreach_sub_(p, moves)
        else:
            torch._foreach_add_(p, m)

    return step


def _like(tensors: Tensors, p: Tensors) -> list[Any]:
    """Gradients, dense and in the dtypes of the parameters."""
    return [t.to(q.dtype).contiguous() for t, q in zip(tensors, p, strict=True)]


def _copies(tensors: Tensors) -> list[Any]:
    return [t.clone(memory_format=torch.contiguous_format) for t in tensors]


@kernels("adam_update")
def adam_update(*tensors: Any, count: int, **settings: Any) -> tuple[Any, ...]:
    p, g, m, v = (tensors[1 + i * count : 1 + (i + 1) * count] for i in range(4))
    new = (_copies(p), _copies(m), _copies(v))
    if count:
        adam_step(*new, **settings)(tensors[0], _like(g, p))
    return tuple(t for group in new for t in group)


@kernels("momentum_update")
def momentum_update(*tensors: Any, count: int, **settings: Any) -> tuple[Any, ...]:
    p, g, m = (tensors[1 + i * count : 1 + (i + 1) * count] for i in range(3))
    new = (_copies(p), _copies(m))
    if count:
        momentum_step(*new, **settings)(tensors[0], _like(g, p))
    return tuple(t for group in new for t in group)


IN_PLACE: dict[str, tuple[Callable[..., Callable[..., None]], tuple[int, ...]]] = {
    "adam_update": (adam_step, (0, 2, 3)),
    "momentum_update": (momentum_step, (0, 2)),
}
"""For a recorded step: what makes the in-place call, and which groups of arguments it writes over."""
