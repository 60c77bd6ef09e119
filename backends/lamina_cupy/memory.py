"""Arrays side by side in one piece of memory, so that one launch can update them all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import cupy

from lamina.program.memory import size_of
from lamina.shapes import Spec


def shaped(raw: Any, start: int, spec: Spec) -> Any:
    """Some bytes of a piece of memory as an array."""
    count = math.prod(spec.shape)
    size = count * cupy.dtype(spec.dtype).itemsize
    return raw[start : start + size].view(cupy.dtype(spec.dtype)).reshape(spec.shape)


def side_by_side(specs: Sequence[Spec]) -> list[Any]:
    """Arrays one after the other, each at the start of a line; what lies between them is zeros."""
    starts = list(itertools.accumulate((size_of(spec) for spec in specs), initial=0))
    raw = cupy.zeros(max(1, starts[-1]), cupy.uint8)
    return [shaped(raw, start, spec) for start, spec in zip(starts, specs, strict=False)]


def as_one(arrays: Sequence[Any]) -> Any | None:
    """Arrays that lie side by side as one flat array, the zeros between them included; None if they do not."""
    first = arrays[0]
    place = first.data.ptr
    for array in arrays:
        if array.dtype != first.dtype or not array.flags.c_contiguous or array.data.ptr != place:
            return None
        place += size_of(Spec(array.shape, array.dtype.name))
    base = first
    while base.base is not None:
        base = base.base
    start = first.data.ptr - base.data.ptr
    stop = start + place - first.data.ptr
    if base.dtype != cupy.uint8 or stop > base.nbytes:
        return None
    return base[start:stop].view(first.dtype)
