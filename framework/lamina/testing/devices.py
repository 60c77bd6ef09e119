"""Where a backend computes: the device that was asked for, and a clear error for one that is not there."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import BackendNotAvailableError
from lamina.runtime.backends import find_backend
from lamina.testing.base import BackendTests

NOWHERE: Final = "nowhere:7"
"""A device that no backend has."""

HOST: Final = (1, 3)
CUDA: Final = (2, 13)
"""How DLPack numbers kinds of memory: the host's, plain and pinned; CUDA's, plain and managed."""


class DeviceTests(BackendTests):
    """Devices by name."""

    area = "devices"

    def test_the_device_is_known_by_its_name(self, backend: Backend) -> None:
        assert backend.device
        assert find_backend(self.backend_name, backend.device) is backend, f"{backend.device!r} makes another backend"
        assert type(backend)(backend.device).device == backend.device

    def test_tensors_say_the_device(self, backend: Backend) -> None:
        x = lamina.tensor([1.0, 2.0])
        assert {x.device, (x * 2.0).device, lamina.zeros((2,)).device} == {backend.device}

    def test_arrays_lie_on_the_device(self, backend: Backend) -> None:
        """What goes in, and what kernels make of it and of nothing; as far as the library tells by DLPack."""
        x = lamina.tensor(np.ones((2, 3), np.float32))
        made = [x, x + 1.0, lamina.matmul(x, x.T), lamina.zeros((3,)), lamina.random.uniform((3,), seed=1)]
        for tensor in [*made, lamina.Variable([1.0]).value]:
            told = _told(tensor.array)
            assert told is None or _is(backend.device, *told), f"{backend.device!r} is said, DLPack tells {told}"

    def test_an_unknown_device_is_a_clear_error(self, backend: Backend) -> None:
        with pytest.raises(BackendNotAvailableError, match=NOWHERE) as caught:
            type(backend)(NOWHERE)
        assert backend.name in str(caught.value)
        assert caught.value.expected, "the error does not say which devices there are"

    def test_an_unknown_device_leaves_the_active_backend(self, backend: Backend) -> None:
        with pytest.raises(BackendNotAvailableError):
            lamina.set_backend(self.backend_name, device=NOWHERE)
        assert lamina.get_backend() is backend
        assert (lamina.tensor([1.0]) + 1.0).backend is backend


def _told(array: Any) -> tuple[int, int] | None:
    """The kind of memory and its number, by DLPack; None of a library that does not speak it."""
    ask = getattr(array, "__dlpack_device__", None)
    if ask is None:
        return None
    kind, number = ask()
    return int(kind), int(number)


def _is(device: str, kind: int, number: int) -> bool:
    name, _, index = device.partition(":")
    if name == "cpu":
        return kind in HOST
    if name == "cuda":
        return kind in CUDA and number == int(index or 0)
    return kind not in HOST
