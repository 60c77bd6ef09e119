"""What is installed, for reports."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np

import lamina
from lamina.plugins import PluginRecord, plugins
from lamina.utils import versions


def test_what_is_there(monkeypatch):
    monkeypatch.setenv("LAMINA_DEVICE", "cpu")
    found = versions()
    assert (found["lamina"], found["Python"], found["numpy"]) == (
        lamina.__version__,
        platform.python_version(),
        np.__version__,
    )
    assert found["LAMINA_DEVICE"] == "cpu"
    assert {"torch", "cupy", "tqdm"} <= set(found)
    assert not [name for name in found if "lamina_numpy" in name]


def test_what_is_not_there(monkeypatch):
    def missing(name):
        raise versions.__globals__["importlib"].metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert versions()["torch"] == "-"


def test_plugins_of_others(monkeypatch):
    added = [PluginRecord("shelf", "lamina_shelf", "lamina-shelf", "1.2.0", error="no luck")]
    monkeypatch.setattr(type(plugins()), "records", property(lambda self: added))
    assert versions()["plugin shelf"] == "1.2.0 (broken)"


def test_shown(capsys):
    lamina.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["lamina", lamina.__version__]
    assert len({line.index(line.split(maxsplit=1)[1]) for line in lines if " " in line and "system" not in line}) <= 2


def test_no_library_is_imported():
    code = "import lamina, sys; lamina.show_versions(); print({'torch', 'matplotlib', 'h5py'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
