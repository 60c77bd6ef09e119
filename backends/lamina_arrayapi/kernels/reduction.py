"""Sums, extremes, tests and positions."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()
    small = (xp.bool, xp.int8, xp.uint8, xp.int16)

    @kernels("sum")
    def sum_(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        if x.dtype in small:
            return xp.sum(xp.astype(x, xp.int32), axis=axis, keepdims=keepdims, dtype=xp.int32)
        return xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)

    @kernels("mean")
    def mean(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        count = 1
        for a in axis:
            count *= x.shape[a]
        total = xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
        return total / (count if count else float("nan"))

    @kernels("prod")
    def prod(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        x = xp.astype(x, xp.int32) if x.dtype == xp.bool else x
        return xp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)

    def extreme(name: str, as_bool: Any) -> None:
        numeric = getattr(xp, name)

        @kernels(name)
        def kernel(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
            chosen = as_bool if x.dtype == xp.bool else numeric
            return chosen(x, axis=axis, keepdims=keepdims) if axis or not x.ndim else x

    extreme("max", xp.any)
    extreme("min", xp.all)

    @kernels("all")
    def all_(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        return xp.all(x, axis=axis, keepdims=keepdims)

    @kernels("any")
    def any_(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        return xp.any(x, axis=axis, keepdims=keepdims)

    def position(name: str) -> None:
        numeric = getattr(xp, name)

        @kernels(name)
        def kernel(x: Any, axis: int) -> Any:
            x = xp.astype(x, xp.int8) if x.dtype == xp.bool else x
            return xp.astype(numeric(x, axis=axis), xp.int32)

    position("argmax")
    position("argmin")
    return kernels
