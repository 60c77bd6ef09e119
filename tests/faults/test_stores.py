"""The user's store under several processes, and the download folder on a disk that fails."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import lamina
from faults.disk import ERRORS, faults, snapshot
from faults.savers import model, number_of
from lamina.errors import ModelFileError
from lamina.io import load_artifacts, save_artifacts


@pytest.mark.parametrize("scheme", ["localstorage", "indexeddb"])
def test_several_processes_use_one_store(scheme, tmp_path):
    roots = [str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    settings = {"PYTHONPATH": os.pathsep.join(roots), "LAMINA_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "error", str(Path(__file__).parent / "users.py"), scheme, "40", "7"]
    run = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
    assert run.stderr == ""
    assert int(run.stdout) > 1


def fails(fault, address):
    """Saves model 1 while a fault is at work; whether that failed."""
    with fault.at_work(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            save_artifacts(address, model(1))
        except (ModelFileError, KeyboardInterrupt):
            return True
    return False


def test_downloads_are_there_both_or_not_at_all(tmp_path, monkeypatch):
    errors = [*ERRORS, KeyboardInterrupt()]
    for number, fault in enumerate(itertools.chain.from_iterable(faults(error, least=12) for error in errors)):
        folder = tmp_path / str(number)
        monkeypatch.setenv("LAMINA_DOWNLOADS", str(folder))
        save_artifacts("downloads://m", model(0))
        before = snapshot(folder)
        failed = fails(fault, "downloads://m")
        assert number_of(load_artifacts(folder / "m.json")) == 0
        if failed and snapshot(folder) == before:
            continue
        assert not failed or isinstance(fault.error, KeyboardInterrupt), fault.failed
        assert number_of(load_artifacts(folder / "m-1.json")) == 1, fault.failed
