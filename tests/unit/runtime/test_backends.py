"""The active backend: per thread, by name, by environment, and what is said when it cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

import lamina
from lamina.contract import KernelTable, Provides, hookimpl
from lamina.errors import BackendError, BackendNotAvailableError
from lamina.plugins import Plugins
from lamina.runtime import backends
from lamina.runtime.backends import find_backend, on_backend
from lamina.runtime.convert import move
from lamina_numpy.backend import NumPyBackend


class Second(NumPyBackend):
    """Another backend to move to and fro."""

    name = "second"
    kernels = NumPyBackend.kernels

    def supports(self, dtype: str) -> str | None:
        return "not in this one." if dtype == "complex64" else None


class _Offers:
    @hookimpl
    def lamina_backends(self) -> Iterable[Provides]:
        here = __name__
        return [
            Provides("second", f"{here}:Second"),
            Provides("broken", "no_such_library_of_ours.backend:Broken", needs="ours", install="pip install ours"),
        ]


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """A set of plugins of this test's own, and no instance from before."""
    found = Plugins()
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(Second=Second))
    found.add(_Offers(), "offers")
    monkeypatch.setattr(backends, "plugins", lambda: found)
    monkeypatch.setattr(backends, "_INSTANCES", {})
    return found


def test_an_unknown_backend_lists_what_is_there() -> None:
    with pytest.raises(BackendNotAvailableError) as caught:
        lamina.set_backend("nupmy")
    text = str(caught.value)
    assert "there is no backend 'nupmy'." in text
    assert "numpy" in text
    assert "second" in text
    assert "LAMINA_BACKEND" in text


def test_a_broken_backend_says_what_is_missing_and_how_to_get_it() -> None:
    active = lamina.get_backend()
    with pytest.raises(BackendNotAvailableError) as caught:
        lamina.set_backend("broken")
    text = str(caught.value)
    assert "No module named 'no_such_library_of_ours'" in text
    assert "Expected the library 'ours' to be installed." in text
    assert "Fix: pip install ours, or choose one of " in text
    assert "numpy" in text
    assert lamina.get_backend() is active


def test_all_backends_are_listed_with_reasons() -> None:
    found = lamina.list_backends()
    assert found["numpy"] is None
    assert found["second"] is None
    assert "No module named" in str(found["broken"])


def test_an_unknown_device_is_an_error() -> None:
    with pytest.raises(BackendNotAvailableError, match="no device 'cuda:0'"):
        find_backend("numpy", "cuda:0")


def test_a_backend_is_made_once() -> None:
    assert find_backend("numpy") is find_backend("numpy")
    assert find_backend("numpy", "cpu") is find_backend("numpy")


def test_a_scope_ends_even_by_an_exception() -> None:
    before = lamina.get_backend()

    def fail() -> None:
        with lamina.backend_scope("second") as active:
            assert lamina.get_backend() is active
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert lamina.get_backend() is before


def test_a_thread_has_an_active_backend_of_its_own() -> None:
    seen: list[str] = []

    def work() -> None:
        lamina.set_backend("second")
        seen.append(lamina.get_backend().name)

    with lamina.backend_scope("numpy"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        seen.append(lamina.get_backend().name)
    assert seen == ["second", "numpy"]


def test_tensors_of_two_backends_meet_on_the_active_one() -> None:
    second = find_backend("second")
    with on_backend(second):
        x = lamina.tensor([1.0])
    with lamina.backend_scope("numpy") as numpy:
        y = lamina.tensor([2.0])
        assert (x + y).backend is numpy
        assert (x + x).backend is second
    with on_backend(second):
        assert (y + x).backend is second
        assert repr(x + y) == "Tensor([3.], shape=(1,), dtype=float32, backend=second)"


def test_a_dtype_that_the_other_side_lacks_does_not_cross() -> None:
    x = lamina.tensor([1j])
    with pytest.raises(BackendError, match="cannot go from 'numpy' to 'second': not in this one"):
        move(x, find_backend("second"))


def test_a_variable_moves() -> None:
    second = find_backend("second")
    v = lamina.Variable([1.0])
    v.to(second)
    assert v.backend is second
    v.assign(lamina.tensor([2.0]))
    assert v.value.backend is second
    assert v.numpy().tolist() == [2.0]


def test_kernels_of_others_are_added(offered: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    table = KernelTable()
    table.add("tanh", lambda x: x * 0.0)

    class More:
        @hookimpl
        def lamina_kernels(self) -> Iterable[Provides]:
            return [Provides("second", "kernels_of_ours:table"), Provides("other", "never:imported")]

    monkeypatch.setitem(sys.modules, "kernels_of_ours", SimpleNamespace(table=table))
    monkeypatch.setattr(Second, "kernels", NumPyBackend.kernels)
    offered.add(More(), "more")
    with lamina.backend_scope("second"):
        assert lamina.tanh(lamina.tensor([1.0])).tolist() == [0.0]
    with lamina.backend_scope("numpy"):
        assert lamina.tanh(lamina.tensor([1.0])).tolist() != [0.0]


def _run(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return (result.stdout + result.stderr).strip()


ACTIVE = "import lamina; print(lamina.get_backend().name, lamina.get_backend().device)"


def test_the_environment_chooses() -> None:
    assert _run(ACTIVE, LAMINA_BACKEND="numpy", LAMINA_DEVICE="cpu") == "numpy cpu"
    assert _run(ACTIVE, LAMINA_BACKEND="") == "numpy cpu"
    assert _run(ACTIVE, LAMINA_BACKEND="auto").split()[0] in {"numpy", "torch", "cupy"}


def test_a_wrong_environment_is_a_clear_error() -> None:
    assert "there is no backend 'nupmy'." in _run(ACTIVE, LAMINA_BACKEND="nupmy")
    assert "has no device 'tpu'" in _run(ACTIVE, LAMINA_BACKEND="numpy", LAMINA_DEVICE="tpu")
