"""Matrix products."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("matmul")
def matmul(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    a = a.transpose(-1, -2) if transpose_a else a
    b = b.transpose(-1, -2) if transpose_b else b
    if a.device.type != "cpu" and not a.is_floating_point() and not a.is_complex():
        return torch.sum(a.unsqueeze(-1) * b.unsqueeze(-3), -2, dtype=a.dtype)  # devices' libraries take no integers
    return torch.matmul(a, b)
