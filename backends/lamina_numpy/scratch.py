"""Memory that kernels compute in on their way, kept for the next call.

Large arrays that are made anew at each call cost more than what is done in them: the system hands out each page only
when it is first written to.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

_LARGEST = 32 * 1024 * 1024
"""Bytes; larger ones are not kept."""


class _Arrays(threading.local):
    """Of each thread, since two may run the same kernel."""

    def __init__(self) -> None:
        self.held: dict[str, np.ndarray[Any, Any]] = {}


_arrays = _Arrays()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """An array with anything in it, which is used again at this thread's next call with the same name.

    So it must not leave the kernel that asks for it, nor be asked for again within.

    >>> scratch("doctest", (2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size > _LARGEST or dtype.hasobject:
        return np.empty(shape, dtype)
    held = _arrays.held.get(name)
    if held is None or held.nbytes < size:
        held = _arrays.held[name] = np.empty(size, np.uint8)
    found: np.ndarray[Any, Any] = held[:size].view(dtype).reshape(shape)
    return found
