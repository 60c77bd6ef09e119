"""Gather and scatter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.errors import OutOfRangeError

kernels = KernelTable()


@kernels("take", out=True)
def take(x: Any, indices: Any, axis: int, out: Any = None) -> Any:
    try:
        if out is None:
            return np.take(x, indices, axis)
        return np.take(x, indices, axis, out)
    except IndexError as error:
        raise OutOfRangeError(
            f"gather: an index is outside axis {axis} of x with shape {x.shape}.",
            expected=f"indices between {-x.shape[axis]} and {x.shape[axis] - 1}.",
        ) from error


@kernels("scatter_add", out=True)
def scatter_add(updates: Any, indices: Any, axis: int, size: int, out: Any = None) -> Any:
    before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
    if out is None:
        out = np.empty((*before, size, *after), updates.dtype)
    out[...] = 0
    rows = updates.reshape(*before, math.prod(indices.shape), *after)
    np.add.at(out, (slice(None),) * axis + (indices.reshape(-1),), rows)
    return out


@kernels("flat_positions")
def flat_positions(indices: Any, shape: tuple[int, ...]) -> Any:
    wide = indices.astype(np.int64)
    sizes = np.asarray(shape, np.int64)
    if np.any((wide < -sizes) | (wide >= sizes)):
        raise OutOfRangeError(
            f"indices: a coordinate is outside the axes of sizes {shape}.",
            expected="each between minus the size of its axis and that size less 1.",
        )
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    flat = np.where(wide < 0, wide + sizes, wide) @ np.asarray(steps, np.int64)
    return flat.astype(np.int32 if math.prod(shape) < 2**31 else np.int64)


@kernels("last_writer")
def last_writer(positions: Any, size: int) -> Any:
    writer = np.full(size, -1, np.int32)
    writer[positions] = np.arange(positions.size, dtype=np.int32)  # of equal positions NumPy keeps the last
    return writer
