"""Running sums and products."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    def scan(name: str, accumulate: Any, neutral: int) -> None:
        @kernels(name)
        def kernel(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
            if reverse:
                x = xp.flip(x, axis=axis)
            y = accumulate(x, axis=axis, dtype=x.dtype)
            if exclusive and x.shape[axis]:
                before = (slice(None),) * axis
                first = xp.full_like(y[(*before, slice(0, 1), ...)], neutral)
                y = xp.concat([first, y[(*before, slice(0, -1), ...)]], axis=axis)
            return xp.flip(y, axis=axis) if reverse else y

    # Before version 2023.12 of the standard there were none, and NumPy 2.0 has them by their old names only.
    scan("cumsum", getattr(xp, "cumulative_sum", None) or xp.cumsum, 0)
    scan("cumprod", getattr(xp, "cumulative_prod", None) or xp.cumprod, 1)
    return kernels
