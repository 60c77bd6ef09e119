"""``pytest --pyargs lamina.testing --lamina-backend=...`` from a folder that knows nothing of lamina."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WRONG = '''
import sys
import types

import numpy as np

from lamina.contract import Provides, hookimpl
from lamina_numpy.backend import NumPyBackend
from lamina.contract import KernelTable


class Wrong(NumPyBackend):
    """NumPy with one wrong kernel, and one that it says is missing."""

    name = "wrong"
    limitations = (("erf", "value", "it gives zeros"),)
    kernels = KernelTable()


for name, function in NumPyBackend.kernels.functions.items():
    Wrong.kernels.add(name, function)
Wrong.kernels.functions["sign"] = lambda x: np.abs(x)
Wrong.kernels.functions["erf"] = lambda x: np.zeros_like(x)


@hookimpl
def lamina_backends():
    return [Provides("wrong", "wrong_backend:Wrong")]
'''


def run(folder, *arguments, **variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "lamina.testing"]
    if not _is_installed():
        command[4:4] = ["-p", "lamina_pytest"]
    found = subprocess.run(
        [*command, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), **variables},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return found.returncode, found.stdout + found.stderr


def _is_installed() -> bool:
    from importlib.metadata import entry_points

    return any(entry.value == "lamina_pytest" for entry in entry_points(group="pytest11"))


def test_a_backend_by_name(tmp_path):
    status, out = run(tmp_path, "--lamina-backend=numpy", "-k", "test_value and tanh")
    assert status == 0, out
    assert "numpy: " in out
    assert "conformance of backends" in out


def test_a_backend_that_is_not_there_is_not_passed(tmp_path):
    status, out = run(tmp_path, "--lamina-backend=nobody", "-k", "test_value and tanh")
    assert "nobody: NOT RUN" in out
    assert " passed" not in out
    assert status == 0


@pytest.mark.parametrize(("op", "status"), [("sign", 1), ("erf", 0)])
def test_what_is_wrong_and_what_is_said_to_be(op, status, tmp_path):
    (tmp_path / "wrong_backend.py").write_text(WRONG)
    chosen = f"test_value and {op} or limitations"
    got, out = run(tmp_path, "--lamina-backend=wrong", "-k", chosen, LAMINA_PLUGINS="wrong_backend")
    assert got == status, out
    assert "cannot: erf value: it gives zeros" in out


def test_a_brief_run_checks_one_value_of_each_op(tmp_path):
    status, out = run(tmp_path, "--lamina-backend=numpy", "--lamina-brief", "-k", "tanh or gather", "--collect-only")
    assert status == 0, out
    for op in ("tanh", "gather"):
        (chosen,) = [line for line in out.splitlines() if f"[{op}(" in line]
        assert "test_value" in chosen
        assert "empty(" not in chosen
