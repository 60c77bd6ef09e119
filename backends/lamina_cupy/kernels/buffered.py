"""Kernels that write into a given array: matrix products and sums, where gradients of parameters come from."""

from __future__ import annotations

from typing import Any

import cupy

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import reduction

kernels = KernelTable()
general = reduction.make(cupy)


@kernels("matmul", out=True)
def matmul(a: Any, b: Any, transpose_a: bool, transpose_b: bool, out: Any = None) -> Any:
    a = cupy.matrix_transpose(a) if transpose_a else a
    b = cupy.matrix_transpose(b) if transpose_b else b
    return cupy.matmul(a, b, out=out)


@kernels("sum", out=True)
def sum_(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    if out is not None and out.dtype == x.dtype:
        return cupy.sum(x, axis=axis, dtype=x.dtype, out=out, keepdims=keepdims)
    found = general["sum"](x, axis, keepdims)
    if out is None:
        return found
    cupy.copyto(out, found)
    return out
