"""Raw memory as arrays: aligned, and several side by side so that one call can update them all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.program.memory import ALIGNMENT, size_of
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype

Array = np.ndarray[Any, Any]


def aligned(size: int) -> Array:
    """Zeroed bytes that start at a cache line."""
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % ALIGNMENT
    return raw[offset : offset + size]


def shaped(raw: Array, spec: Spec) -> Array:
    """The first bytes of some memory as an array."""
    dtype = numpy_dtype(spec.dtype)
    return raw[: math.prod(spec.shape) * dtype.itemsize].view(dtype).reshape(spec.shape)


def side_by_side(specs: Sequence[Spec]) -> list[Array]:
    """Arrays one after the other in one piece of memory, each at a cache line."""
    starts = list(itertools.accumulate((size_of(spec) for spec in specs), initial=0))
    raw = aligned(starts[-1])
    return [shaped(raw[start:], spec) for start, spec in zip(starts, specs, strict=False)]


def as_one(arrays: Sequence[Array]) -> Array | None:
    """The memory of arrays that lie side by side as one flat array, padding included; None if they do not.

    The padding between them is zeros, and elementwise updates keep it finite.
    """
    first = arrays[0]
    place = first.__array_interface__["data"][0]
    start = place
    for array in arrays:
        if array.dtype != first.dtype or not array.flags.c_contiguous or array.__array_interface__["data"][0] != place:
            return None
        place += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    base = first
    while isinstance(base.base, np.ndarray):
        base = base.base
    offset = start - base.__array_interface__["data"][0]
    if base.dtype != np.uint8 or offset + place - start > base.nbytes:
        return None
    return base[offset : offset + place - start].view(first.dtype)
