"""``lamina plugin new``: what it writes is built, installed in a fresh environment, and passes its tests as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from package.conftest import EXAMPLES, wheel_of

EXAMPLE_OF = {"layer": "lamina-squeeze-excitation", "io": "lamina-shelf", "backend": "lamina-jax"}
PARTS = {"backend": ("--lamina-brief",)}
"""What is run of a kind's tests, where all of them take a minute."""


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


@pytest.mark.parametrize("kind", EXAMPLE_OF)
def test_what_is_written_passes_its_own_tests(kind, environment, tmp_path):
    name = f"lamina-fresh-{kind}"
    done = environment.run("-m", "lamina", "plugin", "new", name, "--kind", kind, "--into", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    project = tmp_path / name.replace("-", "_")
    wheel = wheel_of(project, tmp_path / "dist")
    installed = tmp_path / "installed"
    environment.install("--no-deps", "--no-index", "--target", str(installed), wheel)
    options = {"PYTHONPATH": str(installed)}
    listed = environment.run("-m", "lamina", "plugins", **options).stdout.splitlines()
    assert [line.split()[1] for line in listed if name in line] == ["0.1.0"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for part in ("tests", "pyproject.toml"):
        (project / part).rename(elsewhere / part)
    environment.test(elsewhere, *PARTS.get(kind, ()), **options)


@pytest.mark.parametrize("kind", EXAMPLE_OF)
def test_the_examples_have_the_shape_of_what_is_written(kind, environment, tmp_path):
    example = EXAMPLES / EXAMPLE_OF[kind].replace("-", "_")
    done = environment.run("-m", "lamina", "plugin", "new", f"try-{kind}", "--kind", kind, "--into", str(tmp_path))
    assert done.returncode == 0, done.stderr
    module = f"try_{kind}"
    written = {path.replace(module, example.name) for path in files(tmp_path / module)}
    assert written <= files(example)
    one, other = (tomllib.loads((folder / "pyproject.toml").read_text()) for folder in (tmp_path / module, example))
    assert one.keys() == other.keys()
    assert one["project"].keys() <= other["project"].keys()
    assert one["tool"].keys() == other["tool"].keys()
    assert one["project"]["optional-dependencies"] == other["project"]["optional-dependencies"]
    assert (tmp_path / module / "tox.ini").read_text() == (example / "tox.ini").read_text()
