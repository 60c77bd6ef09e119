"""The active backend: per thread, by name, by environment, and what is said when it cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

import lamina
from backends_here import here
from lamina.contract import KernelTable, Provides, hookimpl
from lamina.errors import BackendError, BackendNotAvailableError, LaminaError
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


def test_the_environment_chooses_torch_and_plugins(tmp_path: Path) -> None:
    here("numpy", "torch")
    assert _run(ACTIVE, LAMINA_BACKEND="torch", LAMINA_DEVICE="cpu") == "torch cpu"
    (tmp_path / "lamina_mine.py").write_text(
        "from lamina.contract import Provides, hookimpl\n"
        "from lamina_numpy.backend import NumPyBackend\n"
        "class Mine(NumPyBackend):\n    name = 'mine'\n"
        "@hookimpl\n"
        "def lamina_backends():\n    return [Provides('mine', 'lamina_mine:Mine')]\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    chosen = {"LAMINA_BACKEND": "mine", "LAMINA_PLUGINS": "lamina_mine", "PYTHONPATH": path}
    assert _run(ACTIVE, **chosen) == "mine cpu"
    assert "has no device 'cuda:0'" in _run(ACTIVE, LAMINA_DEVICE="cuda:0", **chosen)


def test_the_environment_chooses_what_is_not_there(tmp_path: Path) -> None:
    """A backend without its library or device, and one whose plugin fails on import."""
    if lamina.list_backends()["cupy"] is not None:
        assert "BackendNotAvailableError: the backend 'cupy' is not available" in _run(ACTIVE, LAMINA_BACKEND="cupy")
    (tmp_path / "lamina_bad.py").write_text("raise RuntimeError('no luck')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    said = _run(ACTIVE, LAMINA_BACKEND="bad", LAMINA_PLUGINS="lamina_bad", PYTHONPATH=path)
    assert "there is no backend 'bad'." in said
    assert "the plugin 'lamina_bad' (RuntimeError: no luck) did not load" in said
    assert _run(ACTIVE, LAMINA_PLUGINS="lamina_bad", PYTHONPATH=path) == "numpy cpu"


def test_a_backend_whose_library_is_too_old_says_which_it_needs(
    offered: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Aged:
        @hookimpl
        def lamina_backends(self) -> Iterable[Provides]:
            return [Provides("aged", f"{__name__}:Second", needs="aged", least="2.0", install="pip install -U aged")]

    monkeypatch.setitem(sys.modules, "aged", SimpleNamespace(__version__="1.9.9"))
    offered.add(Aged(), "aged")
    active = lamina.get_backend()
    with pytest.raises(BackendNotAvailableError) as caught:
        lamina.set_backend("aged")
    text = str(caught.value)
    assert "the library 'aged' that is installed is 1.9.9" in text
    assert "Expected the library 'aged', 2.0 or later, to be installed." in text
    assert "Fix: pip install -U aged, or choose one of " in text
    assert lamina.get_backend() is active


def test_two_plugins_with_one_backend_leave_the_others(offered: Plugins) -> None:
    class Rival:
        @hookimpl
        def lamina_backends(self) -> Iterable[Provides]:
            return [Provides("second", "nowhere:Second")]

    offered.add(Rival(), "rival")
    with pytest.raises(BackendNotAvailableError, match=r"(?s)two plugins offer 'second'.*uninstall one of them"):
        lamina.set_backend("second")
    assert lamina.set_backend("numpy").name == "numpy"
    assert "two plugins offer" in str(lamina.list_backends()["second"])


class Foreign:
    """An array of a library that nobody here knows: it speaks DLPack, for a device that is not here."""

    shape, dtype = (2,), "float32"

    def __dlpack__(self, **settings: object) -> object:
        raise BufferError("the array lies on a device of its own")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 7, 0


def test_an_array_of_a_foreign_library_that_cannot_be_taken_over() -> None:
    active = lamina.get_backend()
    x = lamina.tensor([1.0, 2.0])
    for call in (lambda: lamina.tensor(Foreign()), lambda: x + Foreign(), lambda: lamina.tensor(object())):
        with pytest.raises((LaminaError, TypeError)) as caught:
            call()
        assert isinstance(caught.value, LaminaError), caught.value
    assert lamina.get_backend() is active
    assert x.tolist() == [1.0, 2.0]


def test_a_wrong_environment_is_a_clear_error() -> None:
    assert "there is no backend 'nupmy'." in _run(ACTIVE, LAMINA_BACKEND="nupmy")
    assert "has no device 'tpu'" in _run(ACTIVE, LAMINA_BACKEND="numpy", LAMINA_DEVICE="tpu")
