"""Non-linearities."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()
    kernels.add("tanh", xp.tanh)

    @kernels("sigmoid")
    def sigmoid(x: Any) -> Any:
        return xp.tanh(x * 0.5) * 0.5 + 0.5

    @kernels("relu")
    def relu(x: Any) -> Any:
        return xp.maximum(x, xp.zeros((), dtype=x.dtype))

    @kernels("relu_gradient")
    def relu_gradient(dy: Any, y: Any) -> Any:
        return xp.where(y > 0, dy, xp.zeros((), dtype=dy.dtype))

    @kernels("softmax")
    def softmax(x: Any, axis: int) -> Any:
        e = xp.exp(x - _finite_max(xp, x, axis))
        return e / xp.sum(e, axis=axis, keepdims=True)

    @kernels("log_softmax")
    def log_softmax(x: Any, axis: int) -> Any:
        shifted = x - _finite_max(xp, x, axis)
        return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))

    return kernels


def _finite_max(xp: Any, x: Any, axis: int) -> Any:
    if x.shape[axis] == 0:
        return xp.zeros((), dtype=x.dtype)
    return xp.max(x, axis=axis, keepdims=True)
