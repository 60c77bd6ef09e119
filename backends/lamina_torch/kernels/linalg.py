"""Equations and factors."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("solve")
def solve(a: Any, b: Any) -> Any:
    return torch.linalg.solve(a, b)
