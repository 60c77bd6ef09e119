"""Running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


def _scan(name: str, accumulate: Callable[..., Any], neutral: int) -> None:
    @kernels(name)
    def kernel(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
        if reverse:
            x = x.flip(axis)
        y = accumulate(x, axis, dtype=x.dtype)
        if exclusive and x.shape[axis]:
            first = torch.full_like(y.narrow(axis, 0, 1), neutral)
            y = torch.cat([first, y.narrow(axis, 0, x.shape[axis] - 1)], axis)
        return y.flip(axis) if reverse else y


_scan("cumsum", torch.cumsum, 0)
_scan("cumprod", torch.cumprod, 1)
