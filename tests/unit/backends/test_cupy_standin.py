"""The stand-in for CuPy behaves as CuPy does, and has nothing that CuPy has not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lamina
from cupy_standin import ledger
from cupy_standin.array import ndarray
from cupy_standin.namespace import modules

COMPARE = """
import inspect, sys
import cupy, cupyx, cupyx.scipy.special
from cupy_standin.namespace import FUNCTIONS, modules
for name, module in modules().items():
    real = sys.modules.get(name) or __import__(name)
    for member in vars(module):
        if not member.startswith("__") and not hasattr(real, member):
            print(f"{name} has no {member}")
for name, function in FUNCTIONS.items():
    try:
        mine, theirs = (list(inspect.signature(f).parameters) for f in (function, getattr(cupy, name)))
    except ValueError:  # compiled without a signature
        continue
    if [p for p in mine if p not in theirs] and "args" not in theirs:
        print(f"cupy.{name} takes {theirs}, the stand-in {mine}")
"""


@pytest.fixture
def array() -> ndarray:
    return modules()["cupy"].array([1.0, 2.0])


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed; it needs no device here")
def test_every_name_and_parameter_is_one_of_cupys() -> None:
    paths = ":".join([*sys.path, str(Path(__file__).parents[2])])
    run = subprocess.run([sys.executable, "-c", COMPARE], env={"PYTHONPATH": paths}, capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("", 0), run.stderr


def test_the_host_gets_nothing_without_asking(array: ndarray) -> None:
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(array)
    with pytest.raises(TypeError, match="Unsupported type"):
        array + np.ones(2)
    with pytest.raises(TypeError):
        np.add(np.ones(2), array)
    with pytest.raises(BufferError):
        np.from_dlpack(array)


def test_waits_and_uploads_are_counted(array: ndarray) -> None:
    cupy = modules()["cupy"]
    with ledger.watched() as seen:
        float(cupy.sum(array))
        bool(array[0] > 0)
        cupy.asnumpy(array)
        cupy.asarray(3.0)
    assert seen.waits == ["float", "bool", "get"]
    assert len(seen.uploads) == 1


def test_it_says_what_it_is() -> None:
    assert lamina.list_backends()["cupy_standin"] is None
    with lamina.backend_scope("cupy_standin") as backend:
        assert backend.name == "cupy_standin"
        assert type(lamina.ones(2).array) is ndarray


def test_a_tensor_on_a_device_that_torch_cannot_reach_goes_through_the_host() -> None:
    pytest.importorskip("torch")
    with lamina.backend_scope("cupy_standin"):
        x = lamina.tensor([1.0, 2.0])
    with lamina.backend_scope("torch", device="cpu") as torch:
        y = x + lamina.tensor([1.0, 1.0])
        assert (y.backend, y.tolist()) == (torch, [2.0, 3.0])
