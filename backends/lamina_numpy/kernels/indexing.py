"""Gather and scatter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.errors import OutOfRangeError

kernels = KernelTable()


@kernels("gather", out=True)
def gather(x: Any, indices: Any, axis: int, out: Any = None) -> Any:
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
