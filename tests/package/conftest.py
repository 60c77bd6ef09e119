"""The archives that the tests look into, and the fresh environments that they are installed in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from package.environments import Environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "plugins"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the archives, the wheel being made from the source archive."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def fresh(built, tmp_path_factory):
    """A fresh environment with lamina and what its kits need."""
    found = Environment(tmp_path_factory.mktemp("plugins") / "venv")
    (wheel,) = built.glob("*.whl")
    found.install(f"{wheel}[testing]")
    return found


def build(project: Path, folder: Path, *options: str, umask: int = -1, **variables: str) -> Path:
    """Builds a project's archives into a folder, and gives the folder."""
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(folder), str(project)]
    kept = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, capture_output=True, text=True, env={**kept, **variables}, umask=umask)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def wheel_of(project: Path, folder: Path) -> str:
    """Builds a project's wheel, and gives its path."""
    (found,) = build(project, folder, "--wheel").glob("*.whl")
    return str(found)


@pytest.fixture(scope="session")
def lamina_wheel(built):
    """The path of lamina's wheel, with the extras that bring the kit and all that it checks."""
    (found,) = built.glob("*.whl")
    return f"{found}[testing,bfloat16]"


@pytest.fixture(scope="session")
def environment(lamina_wheel, tmp_path_factory):
    """A fresh environment with the wheels of lamina and of the example of an IO handler, and what they need."""
    folder = tmp_path_factory.mktemp("fresh")
    found = Environment(folder / "venv")
    found.install(lamina_wheel, wheel_of(EXAMPLES / "lamina_shelf", folder / "plugin"))
    return found
