"""What ``pip install .`` brings into an empty place: how many packages, how large, and what is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST_PACKAGES = 6
MOST_BYTES = 80_000_000
"""Of all files that the wheels bring. NumPy 2.4 has 57 MB of them, lamina 3.2."""
MOST_BYTES_COMPILED = 84_000_000
"""The same with the bytecode that pip makes of it. Then NumPy has 71 MB, lamina 9."""
MOST_OF_OURS = 10_000_000
"""Of lamina, with bytecode."""
LONGEST_IMPORT = 2.5
"""Processor time of ``import lamina``, with NumPy in it, beside that of ``import numpy``. It is about 1.8."""

NEW_MODULES = """
import sys, json
import numpy
before = set(sys.modules)
import lamina
after = set(sys.modules) - before
print(json.dumps([sorted(after), sorted(sys.stdlib_module_names)]))
"""

TIMES = """
import json, time
start = time.process_time()
import numpy
between = time.process_time()
import lamina
print(json.dumps([between - start, time.process_time() - between]))
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


def sizes(place: Path, compiled: bool) -> dict[str, int]:
    """How many bytes the files of each package have, with bytecode or without."""
    found: dict[str, int] = {}
    for path in place.rglob("*"):
        if path.is_file() and (compiled or path.suffix != ".pyc"):
            name = path.relative_to(place).parts[0]
            found[name] = found.get(name, 0) + path.stat().st_size
    return found


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
    without, compiled = sizes(place, compiled=False), sizes(place, compiled=True)
    assert sum(without.values()) < sum(compiled.values())
    assert sum(without.values()) <= MOST_BYTES, without
    assert sum(compiled.values()) <= MOST_BYTES_COMPILED, compiled
    assert sum(count for name, count in compiled.items() if name.startswith("lamina")) <= MOST_OF_OURS, compiled


def test_little_is_imported_beside_numpy(place):
    found, standard = json.loads(in_the_place(place, NEW_MODULES))
    others = {m for m in found if m.partition(".")[0] not in (*standard, "lamina")}
    assert {m.partition(".")[0] for m in others} == {"pluggy"}
    assert len(others) <= 15, others
    assert {m for m in found if m.partition(".")[0] in standard} <= {"__future__", "copy", "dataclasses", "gc"}
    assert len([m for m in found if m.partition(".")[0] == "lamina"]) <= 150


def test_importing_lamina_takes_little_longer_than_numpy(place):
    """The least of several processes each, in processor time, so that what else runs on the machine does not count."""
    rounds = [json.loads(in_the_place(place, TIMES)) for _ in range(7)]
    numpy, ours = (min(times) for times in zip(*rounds, strict=True))
    assert numpy + ours <= LONGEST_IMPORT * numpy, rounds


def test_it_works_there(place):
    code = "import lamina; print(lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))]).count_params())"
    assert in_the_place(place, code) == "3\n"
