"""Conversion and devices on CuPy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import cupy
import numpy as np

from lamina.contract import Executable, KernelTable
from lamina.program import Program
from lamina.shapes import Spec
from lamina_arrayapi import ArrayAPIBackend
from lamina_cupy.devices import find_device
from lamina_cupy.executable import CuPyExecutable
from lamina_cupy.kernels import kernels
from lamina_cupy.memory import side_by_side

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


class CuPyBackend(ArrayAPIBackend):
    """Arrays of CuPy on one CUDA device."""

    name = "cupy"
    limitations = (("*", "bfloat16", "CuPy has no bfloat16"),)
    xp = cupy
    devices = None
    kernels = kernels

    def __init__(self, device: str | None = None) -> None:
        number, count = find_device(cupy.cuda.runtime, device, self.name)
        super().__init__(f"cuda:{number}")
        self._device = cupy.cuda.Device(number)
        if count > 1:  # CuPy computes on the thread's current device, which another backend may have left elsewhere
            self.kernels = on_device(self._device, type(self).kernels)

    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        with self._device:
            return cupy.array(array, dtype=array.dtype.newbyteorder("="), order="C")

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = cupy.asnumpy(array)
        return found

    def copy(self, array: Any) -> Any:
        with self._device:
            return cupy.array(array, order="C")

    def overwrite(self, target: Any, source: Any) -> Any:
        with self._device:
            cupy.copyto(target, source)
        return target

    def allocate(self, specs: Sequence[Spec]) -> Sequence[Any]:
        with self._device:
            return side_by_side(specs)

    def from_dlpack(self, tensor: Any) -> Any:
        with self._device:
            return cupy.array(cupy.from_dlpack(tensor), order="C")

    def supports(self, dtype: str) -> str | None:
        if dtype in DTYPES:
            return None
        return f"CuPy has no {dtype}. Use float16 or float32, or the backend torch."

    def buffer_of(self, array: Any) -> tuple[Hashable, int]:
        memory = array.data.mem
        return memory.ptr or id(array), memory.size

    def allocated(self) -> int:
        with self._device:
            found: int = cupy.get_default_memory_pool().used_bytes()
            return found

    def load(self, program: Program) -> Executable:
        return CuPyExecutable(program, self.kernels, self._device)

    def synchronize(self) -> None:
        self._device.synchronize()


def on_device(device: Any, table: KernelTable) -> KernelTable:
    """The same kernels, each run with a device as the current one."""

    def bound(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def kernel(*arrays: Any, **attrs: Any) -> Any:
            with device:
                return function(*arrays, **attrs)

        return kernel

    found = KernelTable()
    for name, function in table.functions.items():
        found.add(name, bound(function))
    return found
