"""Non-linearities and the losses that belong to them: one kernel each where lamina composes several."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from lamina.contract import KernelTable

kernels = KernelTable()
_STRAIGHT = 40.0  # beyond it softplus(x) is x in every dtype; torch's own limit of 20 shows in float64

kernels.add("tanh", torch.tanh, out=True)
kernels.add("sigmoid", torch.sigmoid, out=True)
kernels.add("relu", torch.relu)
kernels.add("silu", functional.silu)


@kernels("relu_gradient")
def relu_gradient(dy: Any, y: Any) -> Any:
    return torch.ops.aten.threshold_backward(dy, y, 0)


@kernels("gelu")
def gelu(x: Any) -> Any:
    """By the normal distribution function: torch's own gelu of infinity is NaN on some processors."""
    return x * torch.special.ndtr(x)


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
    return torch.softmax(x, axis)


@kernels("log_softmax")
def log_softmax(x: Any, axis: int) -> Any:
    return torch.log_softmax(x, axis)


@kernels("softmax_cross_entropy")
def softmax_cross_entropy(labels: Any, logits: Any) -> Any:
    return torch.mul(labels, torch.log_softmax(logits, -1)).sum(-1).neg_()


@kernels("sigmoid_cross_entropy")
def sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
