"""Sorting, and searching what is sorted."""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("argsort")
    def argsort(x: Any, axis: int, descending: bool) -> Any:
        """Descending is ascending from behind, so that equal elements keep their order and NaN its place."""
        if x.dtype == xp.bool:
            x = xp.astype(x, xp.int8)
        elif not xp.isdtype(x.dtype, "numeric"):  # of dtypes from other packages, NaN has no order
            x = xp.astype(x, xp.float32)
        if not descending:
            return xp.astype(xp.argsort(x, axis=axis, stable=True), xp.int32)
        order = xp.argsort(xp.flip(x, axis=axis), axis=axis, stable=True)
        return xp.astype(xp.flip(x.shape[axis] - 1 - order, axis=axis), xp.int32)

    @kernels("searchsorted")
    def searchsorted(sorted_sequence: Any, values: Any, side: str) -> Any:
        """All rows at once, by halving the part in question."""
        count = sorted_sequence.shape[-1]
        rows = math.prod(values.shape[:-1])
        flat = xp.reshape(sorted_sequence, (-1,))
        wanted = xp.reshape(values, (rows, values.shape[-1]))
        start = xp.reshape(xp.arange(rows, dtype=xp.int64) * count, (rows, 1))
        low = xp.zeros(wanted.shape, dtype=xp.int64)
        high = xp.full(wanted.shape, count, dtype=xp.int64)
        for _ in range(count.bit_length()):
            middle = (low + high) // 2
            place = xp.reshape(start + xp.minimum(middle, xp.full_like(middle, count - 1)), (-1,))
            found = xp.reshape(xp.take(flat, place), wanted.shape)
            after = (found < wanted if side == "left" else found <= wanted) & (low < high)
            low = xp.where(after, middle + 1, low)
            high = xp.where(after, high, middle)
        return xp.reshape(xp.astype(low, xp.int32), values.shape)

    return kernels
