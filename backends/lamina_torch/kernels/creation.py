"""Constants and ranges. They have no arguments to take a device from, so each device has a table of its own."""

from __future__ import annotations

import math
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_torch.kernels.elementwise import cast

_WIDEST = {bool: torch.bool, int: torch.int64, float: torch.float64, complex: torch.complex128}


def make(device: torch.device) -> KernelTable:
    """The kernels that make tensors on a device."""
    kernels = KernelTable()

    @kernels("constant")
    def constant(shape: tuple[int, ...], fill_value: Any, dtype: str) -> Any:
        return cast(torch.full(shape, fill_value, dtype=_WIDEST[type(fill_value)], device=device), dtype)

    @kernels("progression")
    def progression(start: float, stop: float, step: float, dtype: str) -> Any:
        count = max(0, math.ceil((stop - start) / step))
        exact = torch.int64 if isinstance(start, int) and isinstance(step, int) else torch.float64
        return cast(torch.arange(count, dtype=exact, device=device) * step + start, dtype)

    @kernels("linspace")
    def linspace(start: float, stop: float, num: int, dtype: str) -> Any:
        """As NumPy to the last bit: torch's own counts the second half back from the end."""
        steps = torch.arange(num, dtype=torch.float64, device=device)
        values = steps * ((stop - start) / max(1, num - 1)) + start
        if num > 1:
            values[-1] = stop
        return cast(values, dtype)

    @kernels("identity_matrix")
    def identity_matrix(num_rows: int, num_columns: int, dtype: str) -> Any:
        return cast(torch.eye(num_rows, num_columns, device=device), dtype)

    return kernels
