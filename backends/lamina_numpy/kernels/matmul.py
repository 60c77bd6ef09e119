"""Matrix products straight into BLAS: transposed views cost nothing, copies would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec

kernels = KernelTable()
_DOT_LIMIT = 1 << 20  # multiplications; below it the method's smaller overhead counts
_BLAS = ("float32", "float64")


@kernels("matmul", out=True)
def matmul(a: Any, b: Any, transpose_a: bool, transpose_b: bool, out: Any = None) -> Any:
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    y = np.matmul(a, b, out=out)
    return y if y.dtype is a.dtype or y.dtype == a.dtype else y.astype(a.dtype)  # of bfloat16 NumPy makes float32


@kernels.specialized("matmul")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    """The executable has turned the transposes into views; for small matrices the array method is cheapest."""
    a, b = inputs
    if attrs["transpose_a"] or attrs["transpose_b"]:
        return None
    if a.ndim == 2 and b.ndim == 2 and a.dtype in _BLAS and a.size * b.shape[1] < _DOT_LIMIT:
        return np.ndarray.dot
    return np.matmul
