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
        """In float64, so that the distance to the largest is exact: its error counts as often as it is long."""
        _, _, e = _exponentials(xp, x, axis)
        return xp.astype(e / xp.sum(e, axis=axis, keepdims=True), x.dtype)

    @kernels("log_softmax")
    def log_softmax(x: Any, axis: int) -> Any:
        largest, shifted, e = _exponentials(xp, x, axis)
        ones = xp.astype(largest, xp.float64)
        others = xp.sum(e - ones, axis=axis, keepdims=True)
        count = xp.sum(ones, axis=axis, keepdims=True)
        y = shifted - xp.log1p(others + (count - 1.0))  # the others' sum keeps its digits without the first 1
        return xp.astype(y, x.dtype)

    return kernels


def _exponentials(xp: Any, x: Any, axis: int) -> tuple[Any, Any, Any]:
    """Where the largest along an axis are, how far all are from it, and e to the power of that, in float64."""
    wide = xp.astype(x, xp.float64)
    if x.shape[axis] == 0:
        return xp.zeros(x.shape, dtype=xp.bool), wide, wide
    peak = xp.max(wide, axis=axis, keepdims=True)
    largest = wide == peak
    shifted = xp.where(largest, xp.zeros((), dtype=xp.float64), wide - peak)  # 0 also where the largest is infinite
    e = xp.exp(shifted)
    if x.dtype == xp.float64:
        back = shifted - wide
        lost = (wide - (shifted - back)) - (peak + back)  # what rounding took from the distance (Knuth's two-sum)
        e = e + xp.where(xp.isfinite(lost), e * lost, xp.zeros((), dtype=xp.float64))
    return largest, shifted, e
