"""What is built: a pure-Python wheel with everything in it, and a source archive that gives the same wheel."""

from __future__ import annotations

import configparser
import email
import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

import lamina
from package.conftest import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_the_wheel_is_for_every_python_3_and_every_machine(wheel):
    assert Path(wheel.filename).name.endswith("-py3-none-any.whl")
    assert not [n for n in wheel.namelist() if n.endswith((".so", ".pyd", ".dll", ".dylib"))]


def test_the_wheel_holds_every_module_of_every_package(wheel):
    there = {
        path.relative_to(ROOT / root).as_posix()
        for root in ("framework", "backends", "plugins")
        for path in (ROOT / root).rglob("*.py")
    }
    assert there <= set(wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel):
    tops = {n.partition("/")[0] for n in wheel.namelist()}
    assert not {n for n in tops if not n.startswith("lamina")}
    assert not [n for n in wheel.namelist() if "test_" in n or "__pycache__" in n]


def test_every_package_is_marked_as_typed(wheel):
    packages = {n.partition("/")[0] for n in wheel.namelist() if n.endswith("/__init__.py")}
    assert {p for p in packages if f"{p}/py.typed" not in wheel.namelist()} == set()


def test_the_licence_is_inside(wheel, metadata):
    (name,) = (n for n in wheel.namelist() if n.endswith("/licenses/LICENSE"))
    assert b"Apache License" in wheel.read(name)
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_version_is_the_same_everywhere(metadata):
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert metadata["Version"] == lamina.__version__
    assert f"\n## {lamina.__version__} " in changes


def test_the_core_needs_little(metadata):
    needed = [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r]
    assert {"numpy", "pluggy"} <= {r.partition(">")[0] for r in needed}
    assert len(needed) <= 5


def test_the_entry_points_lead_somewhere(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/entry_points.txt"))
    parser = configparser.ConfigParser()
    parser.read_string(wheel.read(name).decode())
    for module in parser["lamina"].values():
        path = module.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & set(wheel.namelist()), module


def test_archives_are_the_same_bytes_wherever_and_whenever_they_are_built(built, tmp_path):
    for name in ("framework", "backends", "plugins"):
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, copy_function=shutil.copyfile)  # with the time of now
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore"):
        shutil.copyfile(ROOT / name, tmp_path / "copy" / name)
    build(tmp_path / "copy", tmp_path / "dist")
    assert {p.name: digest(p) for p in (tmp_path / "dist").iterdir()} == {p.name: digest(p) for p in built.iterdir()}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_source_archive_holds_sources_and_no_tests(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"framework", "backends", "LICENSE", "README.md", "pyproject.toml"} <= tops
    assert "tests" not in tops
