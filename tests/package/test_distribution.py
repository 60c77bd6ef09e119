"""What is built: a pure-Python wheel with everything in it, and a source archive that gives the same wheel."""

from __future__ import annotations

import configparser
import email
import hashlib
import os
import shutil
import subprocess
import sys
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


def test_archives_are_the_same_bytes_wherever_whenever_and_by_whomever_they_are_built(built, tmp_path):
    """From another folder, with other times and permissions of files, another umask, time zone and order of hashes."""
    with tarfile.open(archive_of(built)) as archive:
        sources = [name.partition("/")[2] for name in archive.getnames() if not name.endswith("/PKG-INFO")]
    for number, name in enumerate(sources):
        copy = tmp_path / "another place" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)  # with the time of now
        copy.chmod((ROOT / name).stat().st_mode & 0o700 | (0o000, 0o055, 0o066)[number % 3])
    build(tmp_path / "another place", tmp_path / "dist", umask=0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert {p.name: digest(p) for p in (tmp_path / "dist").iterdir()} == {p.name: digest(p) for p in built.iterdir()}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def archive_of(folder):
    (path,) = folder.glob("*.tar.gz")
    return path


def test_the_source_archive_holds_what_the_tests_need_and_they_run_there(built, tmp_path):
    with tarfile.open(archive_of(built)) as archive:
        archive.extractall(tmp_path, filter="data")
    (there,) = tmp_path.iterdir()
    wanted = {path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if is_source(path)}
    assert {path for path in wanted if not (there / path).is_file()} == set()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LAMINA"))}
    kept["PYTHONPATH"] = os.pathsep.join(str(there / name) for name in ("framework", "backends", "plugins"))
    some = ["tests/architecture/test_contracts.py", "tests/unit/test_shapes.py", "tests/pages/test_security.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *some]
    done = subprocess.run(command, cwd=there, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


FOLDERS = ("framework", "backends", "plugins", "tests", "docs", "examples", "benchmarks")
"""What a checkout has of sources; what tools leave there is not told apart by name, but by its ending."""


def is_source(path):
    left = {"__pycache__", "node_modules", "api"}
    return path.suffix in {".py", ".md", ".toml", ".txt", ".typed"} and not left & set(path.parts)
