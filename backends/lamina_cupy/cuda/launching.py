"""Builds a source for a dtype at its first use, and launches its kernels."""

from __future__ import annotations

import functools
from typing import Any, Final

import cupy
import numpy as np

SUPPORTED: Final = {"float32": "float", "float64": "double"}
"""Dtypes that these kernels compute in, and what CUDA calls them; others take the shared kernels."""

PRELUDE: Final = """
typedef {type} T;
typedef long long wide;
#define EACH(i, count) \\
    for (wide i = blockIdx.x * (wide) blockDim.x + threadIdx.x; i < count; i += (wide) gridDim.x * blockDim.x)
"""
THREADS: Final = 256
MOST_BLOCKS: Final = 65536
EXACT: Final = ("--fmad=false",)
"""Products and sums are rounded one by one, as on every other backend."""


def grid(count: int) -> tuple[int]:
    """Blocks enough for a thread per element, or for several each."""
    return (min(MOST_BLOCKS, -(-count // THREADS)),)


class Kernels:
    """The kernels of one source. ``kernels("im2col", "float32", count, *arguments)`` launches a thread per element."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._function = functools.lru_cache(maxsize=None)(self._build)

    def _build(self, name: str, dtype: str, device: int) -> Any:
        return cupy.RawModule(code=self.code(dtype), options=EXACT).get_function(name)

    def code(self, dtype: str) -> str:
        """The source as the compiler gets it."""
        return PRELUDE.format(type=SUPPORTED[dtype]) + self.source

    def __call__(self, name: str, dtype: str, count: int, *arguments: Any) -> None:
        """Nothing is launched for no elements. Ints are passed as int32."""
        if count:
            kernel = self._function(name, dtype, cupy.cuda.runtime.getDevice())
            given = [np.int32(a) if isinstance(a, int) else a for a in arguments]
            kernel(grid(count), (THREADS,), (*given, np.int64(count)))
