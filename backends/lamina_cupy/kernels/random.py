"""Random numbers in one launch; the seed is read on the device, so nothing waits."""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.random import KEPT, SINGLE_WORD
from lamina_cupy.cuda.random import kernels as cuda

kernels = KernelTable()


def _key(seed: Any) -> Any:
    return cupy.ascontiguousarray(seed.astype(cupy.int32, copy=False))


@kernels("random_uniform")
def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    if dtype == "float64":
        values = cupy.empty(shape, cupy.float64)
        cuda("uniform_double", dtype, count, _key(seed), values)
        return values
    values = cupy.empty(shape, cupy.float32)
    cuda("uniform", "float32", count, _key(seed), values, KEPT[dtype])
    return values.astype(dtype, copy=False)


@kernels("random_normal")
def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    values = cupy.empty(shape, "float64" if dtype == "float64" else "float32")
    cuda("normal", values.dtype.name, count, _key(seed), values, np.int64((count + 1) // 2))
    return values.astype(dtype, copy=False)


@kernels("random_integers")
def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
    values = cupy.empty(shape, cupy.int32)
    span = np.uint64(high - low)
    cuda("integers", "float32", values.size, _key(seed), values, np.int64(low), span, int(high - low > SINGLE_WORD))
    return values
