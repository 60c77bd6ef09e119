"""What ``pip install .`` brings into an empty place: how many packages, how large, and what is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST_PACKAGES = 6
MOST_BYTES = 80 * 2**20
"""Of everything, with the bytecode that pip makes. NumPy has 69 MiB of it."""
MOST_OF_OURS = 10 * 2**20

NEW_MODULES = """
import sys, json
import numpy
before = set(sys.modules)
import lamina
after = set(sys.modules) - before
print(json.dumps([sorted(after), sorted(sys.stdlib_module_names)]))
"""


@pytest.fixture(scope="module")
def place(built, tmp_path_factory):
    """A folder into which the wheel was installed, with what it needs."""
    folder = tmp_path_factory.mktemp("core") / "installed"
    (wheel,) = built.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-conflicts"]
    done = subprocess.run([*command, "--target", str(folder), str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def size(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files)


def in_the_place(place, code):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LAMINA"))}
    environment["PYTHONPATH"] = str(place)
    command = [sys.executable, "-S", "-c", code]  # nothing but what was installed there
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout


def test_few_packages(place):
    names = sorted(path.name.partition("-")[0] for path in place.glob("*.dist-info"))
    assert {"lamina", "numpy", "pluggy"} <= set(names)
    assert len(names) <= MOST_PACKAGES, names


def test_little_room(place):
    sizes = {path.name: size(path) for path in place.iterdir()}
    ours = sum(count for name, count in sizes.items() if name.startswith("lamina"))
    assert ours <= MOST_OF_OURS, sizes
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_little_is_imported_beside_numpy(place):
    found, standard = json.loads(in_the_place(place, NEW_MODULES))
    others = {m for m in found if m.partition(".")[0] not in (*standard, "lamina")}
    assert {m.partition(".")[0] for m in others} == {"pluggy"}
    assert len(others) <= 15, others
    assert {m for m in found if m.partition(".")[0] in standard} <= {"__future__", "copy", "dataclasses", "gc"}
    assert len([m for m in found if m.partition(".")[0] == "lamina"]) <= 150


def test_it_works_there(place):
    code = "import lamina; print(lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))]).count_params())"
    assert in_the_place(place, code) == "3\n"
