"""What can be known of the CuPy backend without a device."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lamina
import lamina_cupy
from lamina.errors import BackendNotAvailableError
from lamina_cupy.devices import count_devices, find_device


class FakeRuntime:
    """Stands in for ``cupy.cuda.runtime``."""

    def __init__(self, count: int | RuntimeError) -> None:
        self.count = count

    def getDeviceCount(self) -> int:
        if isinstance(self.count, RuntimeError):
            raise self.count
        return self.count


def test_importing_the_entry_module_imports_no_cupy() -> None:
    code = "import lamina_cupy, lamina_cupy.devices, sys; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_it_is_offered_through_the_hook() -> None:
    (offer,) = lamina_cupy.lamina_backends()
    assert (offer.name, offer.needs) == ("cupy", "cupy")
    assert "cupy" in lamina.list_backends()


@pytest.mark.parametrize("count", [0, RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")])
def test_no_device_is_one_clear_error(count: int | RuntimeError) -> None:
    with pytest.raises(BackendNotAvailableError, match="not available: no CUDA device") as caught:
        count_devices(FakeRuntime(count))
    assert "driver" in str(caught.value.expected)


def test_devices_by_name() -> None:
    runtime = FakeRuntime(2)
    assert find_device(runtime, None) == (0, 2)
    assert find_device(runtime, "cuda") == (0, 2)
    assert find_device(runtime, "cuda:1") == (1, 2)


@pytest.mark.parametrize("name", ["cpu", "cuda:2", "gpu"])
def test_an_absent_device_lists_those_that_are_there(name: str) -> None:
    with pytest.raises(BackendNotAvailableError, match=f"no device '{name}'") as caught:
        find_device(FakeRuntime(2), name)
    assert caught.value.expected == "one of cuda:0, cuda:1."


def test_asking_for_it_where_it_cannot_run_says_so() -> None:
    if lamina.list_backends()["cupy"] is None:
        assert lamina.set_backend("cupy").device.startswith("cuda:")
        lamina.set_backend("numpy")
        return
    active = lamina.get_backend()
    with pytest.raises(BackendNotAvailableError, match="'cupy' is not available"):
        lamina.set_backend("cupy")
    assert lamina.get_backend() is active
