"""Saves of every format happen whole or not at all: kills, races, disk errors at each call, files that may not grow."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import lamina
from faults import savers
from faults.disk import ERRORS, faults
from faults.formats import ALL, FOLDERS, SINGLE_FILES, by_name, files_below, untidy
from lamina.errors import ModelFileError

TRIES = int(os.environ.get("LAMINA_KILLS", "20"))


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def run_savers(action, found, tries, tmp_path):
    roots = [str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
    command = [
        sys.executable,
        "-W",
        "error",
        savers.__file__,
        action,
        found.medium,
        found.address(tmp_path),
        str(tries),
    ]
    run = subprocess.run([*command, "7"], env=environment, capture_output=True, text=True, timeout=60 + tries)
    assert run.stderr == ""
    return json.loads(run.stdout)


@pytest.mark.parametrize("found", ALL, ids=by_name)
class TestProcesses:
    def test_a_killed_saver_leaves_a_whole_model(self, found, tmp_path):
        told = run_savers("kill", found, TRIES, tmp_path)
        assert told["loads"] == TRIES
        assert len(told["seen"]) > 1
        if found.medium == "backups":
            found.load(tmp_path)  # which of the two comes next
            found.save(tmp_path, 0)
        found.save(tmp_path, 0)
        if "://" not in found.name:
            assert untidy(tmp_path) == []

    def test_savers_at_once_leave_one_whole_winner(self, found, tmp_path):
        told = run_savers("race", found, 10, tmp_path)
        assert told["loads"] > 1
        if "://" not in found.name:
            assert untidy(tmp_path) == []


@pytest.mark.parametrize("error", ERRORS, ids=str)
@pytest.mark.parametrize("found", [*FOLDERS, *SINGLE_FILES], ids=by_name)
def test_a_disk_error_at_any_call(found, error, tmp_path):
    failed = set()
    for fault in faults(error, least=8):
        found.save(tmp_path, 0)
        if found.medium == "backups":
            found.save(tmp_path, 2)  # both generations are there; the older one is replaced next
        assert untidy(tmp_path) == []
        before, number = files_below(tmp_path), found.load(tmp_path)
        try:
            with fault.at_work(), quiet():
                found.save(tmp_path, 1)
        except ModelFileError:
            failed.add(fault.failed)
            assert found.load(tmp_path) == number, fault.failed
            assert untidy(tmp_path) == [], fault.failed
            assert files_below(tmp_path) == before, fault.failed
        else:
            assert found.load(tmp_path) == 1, fault.failed
    assert failed >= {"create", "write", "sync", "replace"}


@contextlib.contextmanager
def files_up_to(size):
    """No file of this process may grow beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("found", ALL, ids=by_name)
def test_files_that_may_not_grow(found, tmp_path):
    found.save(tmp_path, 0)
    if found.medium == "backups":
        found.save(tmp_path, 0)
    largest = max(len(data) for data in files_below(tmp_path).values())
    before = files_below(tmp_path)
    outcomes = []
    for size in [0, 1, 100, *range(500, largest, largest // 7 + 1), largest + 100_000]:
        try:
            with files_up_to(size):
                found.save(tmp_path, 1)
        except ModelFileError:
            outcomes.append("refused")
            assert found.load(tmp_path) == 0
            if "://" not in found.name:
                assert files_below(tmp_path) == before
        else:
            outcomes.append("saved")
            assert found.load(tmp_path) == 1
            break
    assert outcomes[0] == "refused"
    assert outcomes[-1] == "saved"
    found.save(tmp_path, 2)
    assert found.load(tmp_path) == 2


@pytest.mark.parametrize("found", [*FOLDERS, *SINGLE_FILES], ids=by_name)
def test_a_folder_that_may_not_be_written_to(found, tmp_path):
    """Also as the root user, who may: the process gives its rights up meanwhile."""
    found.save(tmp_path, 0)
    before = files_below(tmp_path)
    folders = [tmp_path, *(p for p in tmp_path.rglob("*") if p.is_dir())]
    with rights_given_up(tmp_path):
        for folder in folders:
            folder.chmod(0o555)
        try:
            with pytest.raises(ModelFileError, match="could not be saved: Permission denied"):
                found.save(tmp_path, 1)
        finally:
            for folder in folders:
                folder.chmod(0o755)
    assert files_below(tmp_path) == before
    assert found.load(tmp_path) == 0


@contextlib.contextmanager
def rights_given_up(folder):
    if os.geteuid() != 0:
        yield
        return
    above = [*reversed(folder.parents), folder]
    modes = {path: path.stat().st_mode for path in above}
    for path in [*above, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o555)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 65534, -1)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode & 0o7777)
