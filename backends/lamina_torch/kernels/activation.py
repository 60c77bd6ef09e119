"""Non-linearities and the losses that belong to them: one kernel each where lamina composes several."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from lamina.contract import KernelTable

kernels = KernelTable()
_STRAIGHT = 40.0  # beyond it softplus(x) is x in every dtype; torch's own limit of 20 shows in float64
_VANISHED = -1000.0  # below it x * sigmoid(x) is 0 in every dtype; as a bound it keeps -inf * 0 away

kernels.add("tanh", torch.tanh, out=True)
kernels.add("sigmoid", torch.sigmoid, out=True)
kernels.add("relu", torch.relu)


@kernels("relu_gradient")
def relu_gradient(dy: Any, y: Any) -> Any:
    return torch.ops.aten.threshold_backward(dy, y, 0)


@kernels("gelu")
def gelu(x: Any) -> Any:
    """By the normal distribution function: torch's own gelu of infinity is NaN on some processors."""
    return x.clamp(min=_VANISHED) * torch.special.ndtr(x)


@kernels("silu")
def silu(x: Any) -> Any:
    return functional.silu(x.clamp(min=_VANISHED))


@kernels("softplus")
def softplus(x: Any) -> Any:
    return functional.softplus(x, threshold=_STRAIGHT)


@kernels("elu")
def elu(x: Any, alpha: float) -> Any:
    return functional.elu(x, alpha)


@kernels("leaky_relu")
def leaky_relu(x: Any, alpha: float) -> Any:
    return functional.leaky_relu(x, alpha)


@kernels("softmax")
def softmax(x: Any, axis: int) -> Any:
    """In float64, so that the distance to the largest is exact: its error counts as often as it is long."""
    if not x.numel():
        return torch.softmax(x, axis)
    _, _, e = _exponentials(x, axis)
    return e.div_(e.sum(axis, True)).to(x.dtype)


@kernels("log_softmax")
def log_softmax(x: Any, axis: int) -> Any:
    """By the logarithm of 1 and the others, so that the largest element's result keeps its digits near 0."""
    if not x.numel():
        return torch.log_softmax(x, axis)
    largest, shifted, e = _exponentials(x, axis)
    others = e.masked_fill_(largest, 0.0).sum(axis, True)
    return shifted.sub_(torch.log1p(others + (largest.sum(axis, True) - 1))).to(x.dtype)


def _exponentials(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """Where the largest along an axis are, how far all are from it, and e to the power of that, in float64."""
    wide = x.double()
    peak = torch.amax(wide, axis, True)
    largest = wide == peak
    shifted = (wide - peak).masked_fill_(largest, 0.0)  # also where the largest is infinite
    e = torch.exp(shifted)
    if wide is x:
        back = shifted - x
        lost = (x - (shifted - back)) - (peak + back)  # what rounding took from the distance (Knuth's two-sum)
        e += torch.where(lost.isfinite(), e * lost, 0.0)
    return largest, shifted, e


@kernels("softmax_cross_entropy")
def softmax_cross_entropy(labels: Any, logits: Any) -> Any:
    finite = log_softmax(logits, -1).clamp_min_(torch.finfo(logits.dtype).min)
    return finite.mul_(labels).sum(-1).neg_()


@kernels("sigmoid_cross_entropy")
def sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    """A sum of terms that are not negative, where torch's own takes a difference."""
    largest = torch.finfo(logits.dtype).max
    x = logits.clamp(-largest, largest)
    linear = (1.0 - labels).mul_(x.clamp_min(0.0)).add_(x.neg_().clamp_min_(0.0).mul_(labels))
    return linear.add_(torch.log1p(torch.exp(-logits.abs())))


@kernels("softmax_cross_entropy_gradient")
def softmax_cross_entropy_gradient(dy: Any, labels: Any, logits: Any) -> Any:
    spread = softmax(logits, -1).mul_(labels.sum(-1, True))
    return spread.sub_(labels).mul_(dy.unsqueeze(-1))


def log_softmax_gradient(dy: Any, y: Any, axis: int) -> Any:
    """dy - exp(y) * sum(dy), for y = log_softmax(x)."""
    return torch._log_softmax_backward_data(dy, y, axis, y.dtype)
