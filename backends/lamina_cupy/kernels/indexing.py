"""Gather and scatter on the device. Positions outside an axis wrap around: an error would mean to wait for it."""

from __future__ import annotations

import math
from typing import Any

import cupy
import cupyx

from lamina.contract import KernelTable

kernels = KernelTable()

_ADDED_AS = {"float16": "float32", "uint8": "int32", "int8": "int32", "int16": "int32"}
"""Atomic addition knows 32 and 64 bits only; sums of small integers keep their low bits, as NumPy's do."""


@kernels("take")
def take(x: Any, indices: Any, axis: int) -> Any:
    return cupy.take(x, indices, axis=axis)


@kernels("scatter_add")
def scatter_add(updates: Any, indices: Any, axis: int, size: int) -> Any:
    before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
    rows = updates.reshape(*before, math.prod(indices.shape), *after)
    result = cupy.zeros((*before, size, *after), updates.dtype)
    if rows.size:
        _add_at(result, (slice(None),) * axis + (indices.reshape(-1),), rows)
    return result


@kernels("last_writer")
def last_writer(positions: Any, size: int) -> Any:
    writer = cupy.full(size, -1, cupy.int32)
    if positions.size:
        cupyx.scatter_max(writer, positions, cupy.arange(positions.size, dtype=cupy.int32))
    return writer


def _add_at(result: Any, places: tuple[Any, ...], rows: Any) -> None:
    name = result.dtype.name
    if name.startswith("complex"):
        parts = [cupy.zeros(result.shape, result.real.dtype) for _ in range(2)]
        cupyx.scatter_add(parts[0], places, cupy.ascontiguousarray(rows.real))
        cupyx.scatter_add(parts[1], places, cupy.ascontiguousarray(rows.imag))
        result.real[...], result.imag[...] = parts
    elif name == "int64":  # the same bits, whatever the sign is called
        cupyx.scatter_add(result.view(cupy.uint64), places, cupy.ascontiguousarray(rows).view(cupy.uint64))
    elif name in _ADDED_AS:
        wide = cupy.zeros(result.shape, _ADDED_AS[name])
        cupyx.scatter_add(wide, places, rows.astype(wide.dtype))
        result[...] = wide.astype(result.dtype)
    else:
        cupyx.scatter_add(result, places, rows)
