"""The archives that the tests look into and install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from package.environments import Environment

ROOT = Path(__file__).resolve().parents[2]


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


def build(project: Path, folder: Path, *options: str) -> Path:
    """Builds a project's archives into a folder, and gives the folder."""
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(folder), str(project)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
