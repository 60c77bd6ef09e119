"""What is alive on a backend: counted when asked for, so that it costs nothing before."""

from __future__ import annotations

import gc
import sys
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from lamina.contract import Backend
from lamina.dtypes import ITEMSIZE
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import shared_scalars
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


@dataclass(frozen=True)
class Memory:
    """What ``memory`` found on one backend.

    ``tensors`` counts the tensors that are alive, the values of Variables among them; ``variables`` the Variables;
    ``buffers`` and ``bytes`` the pieces of memory they lie in, each once, whoever shares it; ``allocated`` is the
    library's own count of bytes on the device, None where it has none. ``reliable`` is False if something could not
    be counted, and ``reasons`` says what.
    """

    tensors: int
    variables: int
    buffers: int
    bytes: int
    allocated: int | None
    reasons: tuple[str, ...]

    @property
    def reliable(self) -> bool:
        """Whether everything could be counted."""
        return not self.reasons


def memory() -> Memory:
    """What is alive on the active backend: tensors, Variables, and the bytes they take.

    Tensors are ordinary Python objects and go when nobody holds them; this walks over those that are there, which
    takes some milliseconds. Work space inside kernels and the buffers of recorded steps are not counted, but are part
    of ``allocated``. As ``tf.memory`` of TensorFlow.js.

    >>> import lamina
    >>> before = lamina.memory()
    >>> x = lamina.ones((10, 10))
    >>> after = lamina.memory()
    >>> after.tensors - before.tensors, after.bytes - before.bytes
    (1, 400)
    """
    backend = get_backend()
    tensors, variables = _alive(backend)
    buffers, reasons = _buffers(backend, tensors, variables)
    return Memory(
        tensors=len(tensors),
        variables=len(variables),
        buffers=len(buffers),
        bytes=sum(buffers.values()),
        allocated=backend.allocated(),
        reasons=tuple(sorted({*reasons, *_blind_spots()})),
    )


def _alive(backend: Backend) -> tuple[list[Tensor], list[Variable]]:
    tensors: list[Tensor] = []
    variables: list[Variable] = []
    own = {id(t) for t in shared_scalars()}
    for found in gc.get_objects():
        kind = type(found)
        if kind is Tensor:
            if getattr(found, "_backend", None) is backend and id(found) not in own:
                tensors.append(found)
        elif issubclass(kind, Variable) and getattr(found, "_backend", None) is backend:
            variables.append(found)
    return tensors, variables


def _buffers(
    backend: Backend, tensors: Iterable[Tensor], variables: Iterable[Variable]
) -> tuple[dict[Hashable, int], list[str]]:
    """The size in bytes of each piece of memory, and what could not be known."""
    buffers: dict[Hashable, int] = {}
    reasons: list[str] = []
    arrays: list[tuple[Any, str, int]] = [(t._array, t.dtype, t.size) for t in tensors]
    arrays += [(v._storage, v.dtype, v.size) for v in variables if v._storage is not None]
    for array, dtype, size in arrays:
        if dtype == "string":
            reasons.append("strings take more than the references to them that are counted")
        known = backend.buffer_of(array)
        if known is None:
            reasons.append(f"the backend {backend.name!r} cannot say which arrays share memory")
            known = (id(array), size * ITEMSIZE.get(dtype, 8))
        buffers[known[0]] = known[1]
    return buffers, reasons


def _blind_spots() -> list[str]:
    if sys.implementation.name != "cpython":
        return ["only CPython can list the objects that are alive"]
    return ["objects that gc.freeze() has put aside cannot be listed"] if gc.get_freeze_count() else []
