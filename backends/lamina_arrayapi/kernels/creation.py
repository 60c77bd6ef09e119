"""Constants and ranges."""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("constant")
    def constant(shape: tuple[int, ...], fill_value: Any, dtype: str) -> Any:
        wanted = getattr(xp, dtype)
        return xp.astype(xp.full(shape, fill_value), wanted)

    @kernels("progression")
    def progression(start: float, stop: float, step: float, dtype: str) -> Any:
        count = max(0, math.ceil((stop - start) / step))
        exact = xp.int64 if isinstance(start, int) and isinstance(step, int) else xp.float64
        return xp.astype(xp.arange(count, dtype=exact) * step + start, getattr(xp, dtype))

    @kernels("linspace")
    def linspace(start: float, stop: float, num: int, dtype: str) -> Any:
        return xp.astype(xp.linspace(start, stop, num, dtype=xp.float64), getattr(xp, dtype))

    @kernels("identity_matrix")
    def identity_matrix(num_rows: int, num_columns: int, dtype: str) -> Any:
        return xp.astype(xp.eye(num_rows, num_columns), getattr(xp, dtype))

    return kernels
