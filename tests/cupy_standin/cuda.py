"""``cupy.cuda``: one device that is not there, and streams that run everything at once."""

from __future__ import annotations

import types
from typing import Any

from cupy_standin import ledger
from cupy_standin.array import OutOfMemoryError

FREE, TOTAL = 3 * 2**30, 8 * 2**30


class CUDARuntimeError(RuntimeError):
    """As CuPy's."""


class Device:
    """The one device."""

    def __init__(self, device: int = 0) -> None:
        if device != 0:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self.id = device

    mem_info = property(lambda self: (FREE, TOTAL))

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def synchronize(self) -> None:
        ledger.wait("synchronize")


class Stream:
    """A stream whose work is done when it is asked for."""

    ptr = 0

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: Any = None
    ) -> None:
        pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def synchronize(self) -> None:
        ledger.wait("synchronize")

    def wait_event(self, event: Any) -> None:
        pass

    def record(self, event: Any = None) -> None:
        pass


def module() -> types.ModuleType:
    """``cupy.cuda``."""
    found = types.ModuleType("cupy.cuda")
    found.Device, found.Stream = Device, Stream
    found.get_current_stream = lambda device_id=-1: Stream()
    found.runtime = types.ModuleType("cupy.cuda.runtime")
    found.runtime.CUDARuntimeError = CUDARuntimeError
    found.runtime.getDeviceCount = lambda: 1
    found.runtime.getDevice = lambda: 0
    found.memory = types.ModuleType("cupy.cuda.memory")
    found.memory.OutOfMemoryError = OutOfMemoryError
    return found
