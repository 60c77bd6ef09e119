"""Conversion, dtypes and loading on NumPy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from lamina.contract import Backend, Executable, KernelTable
from lamina.errors import BackendNotAvailableError
from lamina.program import Program
from lamina.shapes import Spec
from lamina_numpy.executable import NumPyExecutable
from lamina_numpy.kernels import gru, kernels, lstm
from lamina_numpy.memory import side_by_side

_TOO_BIG = ("array is too big", "Maximum allowed dimension exceeded", "Maximum allowed size exceeded")
"""How NumPy says that an array's size is more than a machine's word can count."""


class NumPyBackend(Backend):
    """Arrays of NumPy, on the CPU."""

    name = "numpy"
    kernels = kernels

    def __init__(self, device: str | None = None) -> None:
        if device not in (None, "cpu"):
            raise BackendNotAvailableError(
                f"the backend {self.name!r} has no device {device!r}.",
                expected="cpu.",
                fix="use torch or cupy for a GPU.",
            )
        super().__init__(device)

    def from_host(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        copied = np.array(array, dtype=object if array.dtype.kind in "UT" else None, order="C")
        return copied if copied.dtype.isnative else copied.astype(copied.dtype.newbyteorder("="))

    def adopt_host(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return array if array.flags.c_contiguous and array.dtype.isnative else self.from_host(array)

    def to_host(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(array)

    def shape_of(self, array: np.ndarray[Any, Any]) -> tuple[int, ...]:
        shape: tuple[int, ...] = array.shape
        return shape

    def copy(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.array(array, order="C")

    def overwrite(self, target: np.ndarray[Any, Any], source: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        np.copyto(target, source)
        return target

    def allocate(self, specs: Sequence[Spec]) -> list[np.ndarray[Any, Any]]:
        return side_by_side(specs)

    def from_dlpack(self, tensor: Any) -> np.ndarray[Any, Any]:
        return np.array(np.from_dlpack(tensor))

    def share_dlpack(self, tensor: Any) -> np.ndarray[Any, Any]:
        return np.from_dlpack(tensor)

    def buffer_of(self, array: np.ndarray[Any, Any]) -> tuple[Hashable, int]:
        while isinstance(array.base, np.ndarray):
            array = array.base
        return id(array), array.nbytes

    def is_exhaustion(self, error: Exception) -> bool:
        return isinstance(error, MemoryError) or (isinstance(error, ValueError) and str(error).startswith(_TOO_BIG))

    def load(self, program: Program) -> Executable:
        return NumPyExecutable(program, KernelTable.merge(self.kernels, lstm.rewritten, gru.rewritten))
