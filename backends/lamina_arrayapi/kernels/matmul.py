"""Matrix products."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("matmul")
    def matmul(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
        a = xp.matrix_transpose(a) if transpose_a else a
        b = xp.matrix_transpose(b) if transpose_b else b
        return xp.matmul(a, b)

    return kernels
