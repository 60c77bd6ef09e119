"""Non-linearities."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()
    kernels.add("tanh", xp.tanh)

    @kernels("sigmoid")
    def sigmoid(x: Any) -> Any:
        small = xp.exp(-xp.abs(x))  # at most 1, so that nothing overflows and small results keep their digits
        return xp.where(x < 0, small, xp.ones((), dtype=x.dtype)) / (1.0 + small)

    @kernels("relu")
    def relu(x: Any) -> Any:
        return xp.maximum(x, xp.zeros((), dtype=x.dtype))

    @kernels("relu_gradient")
    def relu_gradient(dy: Any, y: Any) -> Any:
        return xp.where(y > 0, dy, xp.zeros((), dtype=dy.dtype))

    @kernels("softmax")
    def softmax(x: Any, axis: int) -> Any:
        _, shifted = _less_the_largest(xp, x, axis)
        e = xp.exp(shifted)
        return e / xp.sum(e, axis=axis, keepdims=True)

    @kernels("log_softmax")
    def log_softmax(x: Any, axis: int) -> Any:
        largest, shifted = _less_the_largest(xp, x, axis)
        ones = xp.astype(largest, x.dtype)
        others = xp.sum(xp.exp(shifted) - ones, axis=axis, keepdims=True)
        count = xp.sum(ones, axis=axis, keepdims=True)
        return shifted - xp.log1p(others + (count - 1.0))  # the others' sum keeps its digits without the first 1

    return kernels


def _less_the_largest(xp: Any, x: Any, axis: int) -> tuple[Any, Any]:
    """Where the largest numbers along an axis are, and all less it: 0 there, if they are infinite too."""
    if x.shape[axis] == 0:
        return xp.zeros(x.shape, dtype=xp.bool), x
    peak = xp.max(x, axis=axis, keepdims=True)
    largest = x == peak
    return largest, xp.where(largest, xp.zeros((), dtype=x.dtype), x - peak)
