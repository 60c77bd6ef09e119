"""The promise of a backend: arrays in and out, kernels, and how to run a recorded program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from lamina.contract.kernels import KernelTable
from lamina.program import Interpreter, Program
from lamina.shapes import Spec


class Executable(Protocol):
    """A loaded program: called with native arrays, it returns outputs and the written state.

    With ``updates_in_place`` the arrays of ``state`` belong to Variables and the executable has written the new values
    into them itself; the second list is then empty. The same list object is handed over as long as the arrays in it
    are the same, so that views of them can be made once. A method ``explain() -> str``, which need not be there, tells
    what was made of the program: ``step.explain()`` shows it.
    """

    updates_in_place: bool

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]: ...


class Backend(ABC):
    """Array arithmetic of one library on one device, and nothing else.

    A subclass has a ``name`` and a table of ``kernels``. Kernels take and return native arrays, and check nothing
    again: shapes, dtypes and settings were checked before.
    """

    name: ClassVar[str]
    kernels: KernelTable
    limitations: ClassVar[Sequence[tuple[str, str, str]]] = ()
    """What it cannot do, as (op, when, reason) of ``lamina.testing.Limitation``: the kit expects it to fail there."""

    def __init__(self, device: str | None = None) -> None:
        self.device: str = device or "cpu"

    @abstractmethod
    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        """A native array with the values of a NumPy array, sharing no memory with it."""

    def adopt_host(self, array: np.ndarray[Any, Any]) -> Any:
        """Like ``from_host`` for an array that nobody will write to any more: memory may be shared."""
        return self.from_host(array)

    @abstractmethod
    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        """A NumPy array with the values of a native one; it may share memory and must not be written to."""

    @abstractmethod
    def shape_of(self, array: Any) -> tuple[int, ...]:
        """The shape of a native array, needed where it depends on values."""

    @abstractmethod
    def copy(self, array: Any) -> Any:
        """A native array with the same values and its own memory."""

    def overwrite(self, target: Any, source: Any) -> Any:
        """Copies the values of one native array into another of the same shape and dtype, and gives that one.

        Where arrays never change, what comes back is another array.
        """
        target[...] = source
        return target

    def allocate(self, specs: Sequence[Spec]) -> Sequence[Any]:
        """Arrays for Variables that are updated together, with any values; a backend may lay them side by side.

        Where None is given, the Variable makes its array by ``copy``.
        """
        return [None] * len(specs)

    def from_dlpack(self, tensor: Any) -> Any:
        """A native array of another library's array that speaks DLPack; TypeError if it cannot be taken over."""
        raise TypeError(f"the backend {self.name!r} takes no DLPack tensors")

    def share_dlpack(self, tensor: Any) -> Any:
        """Like ``from_dlpack``, in the memory of that array where it lies on this device; the default is a copy."""
        return self.from_dlpack(tensor)

    def supports(self, dtype: str) -> str | None:
        """None if the backend has this dtype, else one line on what is missing and how to get it."""
        return None

    def buffer_of(self, array: Any) -> tuple[Hashable, int] | None:
        """What tells the memory of a native array from other memory, and its size in bytes.

        Views of one memory give the same. None if that cannot be known.
        """
        return None

    def allocated(self) -> int | None:
        """The bytes that the library itself counts as in use on this device; None if it does not count."""
        return None

    def is_exhaustion(self, error: Exception) -> bool:
        """Whether an error of the library says that the device has not enough memory."""
        return isinstance(error, MemoryError)

    def load(self, program: Program) -> Executable:
        """Makes a program runnable. The default is the reference interpreter."""
        return Interpreter(program, self.kernels, self.from_host)

    def load_compiled(self, program: Program) -> Executable:
        """Like ``load``, by the library's own compiler, for ``jit_compile=True``. The default is ``load``."""
        return self.load(program)

    def synchronize(self) -> None:  # noqa: B027 - most backends compute at once and have nothing to wait for
        """Waits until all work handed to the device is done."""
