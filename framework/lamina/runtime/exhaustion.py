"""Memory that does not suffice: whatever a backend's library raises then becomes one error of ours.

Nothing has to be put back: a kernel that fails has made no tensor, and the active backend is not touched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamina.contract import Backend
from lamina.dtypes import ITEMSIZE
from lamina.errors import LaminaError, OutOfMemoryError
from lamina.shapes import Spec


def check_memory(error: Exception, backend: Backend, what: str, result: Any = ()) -> None:
    """Raises OutOfMemoryError if that is what an error of the backend's library means; else does nothing.

    ``what`` was to be done, and ``result`` is the Spec, or the Specs, of what it was to make.
    """
    if isinstance(error, LaminaError) or not backend.is_exhaustion(error):
        return
    specs = (result,) if isinstance(result, Spec) else tuple(result)
    size = sum(math.prod(spec.shape) * ITEMSIZE.get(spec.dtype, 1) for spec in specs)
    shapes = " and ".join(f"{spec.dtype} of shape {spec.shape}" for spec in specs)
    used = backend.allocated()
    raise OutOfMemoryError(
        f"the device {backend.device!r} of the backend {backend.name!r} has not enough memory for {what}"
        + (f", which makes {shapes}: {size} bytes." if specs else "."),
        expected="what fits into the memory that is free" + ("." if used is None else f"; {used} bytes are in use."),
        fix="use smaller batches or tensors, or a device with more memory: lamina.backend_scope, Model.to.",
    ) from error


def adopted(array: np.ndarray[Any, Any], backend: Backend) -> Any:
    """A native array of one that nobody will write to any more. Raises OutOfMemoryError where it does not fit."""
    try:
        return backend.adopt_host(array)
    except Exception as error:
        check_memory(error, backend, "a batch of data")
        raise


@contextmanager
def memory_checked(backend: Backend, what: str, result: Any = ()) -> Iterator[None]:
    """Raises OutOfMemoryError for what means that inside the block.

    >>> import lamina
    >>> with memory_checked(lamina.get_backend(), "the sum"):
    ...     raise MemoryError
    Traceback (most recent call last):
    lamina.errors.OutOfMemoryError: the device 'cpu' of the backend 'numpy' has not enough memory for the sum.
      Expected what fits into the memory that is free.
      Fix: use smaller batches or tensors, or a device with more memory: lamina.backend_scope, Model.to.
    """
    try:
        yield
    except Exception as error:
        check_memory(error, backend, what, result)
        raise
