"""Equations."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("solve")
    def solve(a: Any, b: Any) -> Any:
        return xp.linalg.solve(a, b)

    return kernels
