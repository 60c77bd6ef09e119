"""A single file is replaced whole or not at all, and nothing else is touched: links, modes, other savers' files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

import lamina
from faults.disk import ERRORS, faults, snapshot
from lamina.errors import ModelFileError
from lamina.io import atomic, filesystem, replacing


def write(path, *parts):
    atomic.write_file(str(path), parts)


@pytest.mark.parametrize("error", [*ERRORS, KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_failure_at_any_call(error, after, tmp_path):
    target = tmp_path / "state"
    for fault in faults(error, after, least=8):
        target.write_bytes(b"old")
        with fault.at_work(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                write(target, b"ne", b"w")
                expected = {b"new"}
            except OSError:
                expected = {b"new"} if after and fault.failed == "replace" else {b"old"}
            except KeyboardInterrupt:
                expected = {b"old", b"new"}
        found = snapshot(tmp_path)
        assert found.pop("state") in expected, fault.failed
        assert found == {}, fault.failed


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_first_save_that_fails_leaves_nothing(error, tmp_path):
    for number, fault in enumerate(faults(error, least=8)):
        target = tmp_path / str(number) / "deep" / "state"
        with fault.at_work(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                write(target, b"new")
            except OSError:
                assert not target.parent.parent.exists(), fault.failed
            else:
                assert snapshot(target.parent) == {"state": b"new"}


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "other").write_bytes(b"other")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "other")
    write(link, b"new")
    assert not link.is_symlink()
    assert snapshot(tmp_path) == {"link": b"new", "other": b"other"}


def test_links_that_lead_nowhere_and_hard_links(tmp_path):
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "one").write_bytes(b"old")
    os.link(tmp_path / "one", tmp_path / "two")
    write(tmp_path / "dangling", b"new")
    write(tmp_path / "two", b"new")
    assert snapshot(tmp_path) == {"dangling": b"new", "one": b"old", "two": b"new"}


def test_a_folder_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link" / "deep" / "state", b"new")
    assert (tmp_path / "real" / "deep" / "state").read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_the_umask_gives(umask, tmp_path):
    before = os.umask(umask)
    try:
        write(tmp_path / "state", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_the_mode_of_a_file_is_kept(mode, tmp_path, monkeypatch):
    target = tmp_path / "state"
    target.write_bytes(b"old")
    target.chmod(mode)
    seen = []
    fill = replacing.fill

    def looked_at(descriptor, parts):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fill(descriptor, parts)

    monkeypatch.setattr(replacing, "fill", looked_at)
    before = os.umask(0o077)
    try:
        write(target, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert seen == [mode]  # nobody could read more of it while it was written


def test_a_link_or_file_of_the_temporary_name_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "outside").write_bytes(b"mine")
    names = iter([b"a" * 8, b"b" * 8, b"c" * 8])
    monkeypatch.setattr(replacing.os, "urandom", lambda count: next(names))
    prefix = prefix_of("state")
    link, file = (tmp_path / f"{prefix}{letter.encode().hex() * 8}.tmp" for letter in "ab")
    link.symlink_to(tmp_path / "outside")
    file.write_bytes(b"somebody's")
    held = os.open(file, os.O_RDONLY)
    assert filesystem.try_lock(held)
    write(tmp_path / "state", b"new")
    os.close(held)
    assert link.is_symlink()
    assert snapshot(tmp_path) == {
        "state": b"new", "outside": b"mine", link.name: b"mine", file.name: b"somebody's",
    }  # fmt: skip


def prefix_of(name):
    import hashlib

    return f".lamina-{hashlib.sha256(name.encode()).hexdigest()[:8]}-"


PROGRAM = """
import os, sys
from lamina.io import atomic, filesystem
def stop(descriptor, data):
    os.write(descriptor, b"half")
    print("writing", flush=True)
    sys.stdin.read()
    return len(data)
filesystem.write = stop
atomic.write_file(sys.argv[1], [b"theirs"])
"""


@pytest.fixture
def saver():
    """Starts a process that is in the middle of saving a file."""
    children = []

    def start(path):
        roots = [str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        )  # fmt: skip
        children.append(child)
        assert child.stdout.readline() == "writing\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def test_what_a_killed_saver_left_goes_with_the_next_save_of_that_file(saver, tmp_path):
    for name in ("state", "other"):
        child = saver(tmp_path / name)
        child.kill()
        child.wait()
    (tmp_path / ".lamina-notes.tmp").write_bytes(b"not one of ours")
    assert len(snapshot(tmp_path)) == 3
    write(tmp_path / "state", b"new")
    left = snapshot(tmp_path)
    assert left.pop("state") == b"new"
    assert left.pop(".lamina-notes.tmp") == b"not one of ours"
    (of_the_other,) = left
    assert of_the_other.startswith(prefix_of("other"))
    write(tmp_path / "other", b"new")
    assert snapshot(tmp_path).keys() == {"state", "other", ".lamina-notes.tmp"}


def test_what_a_living_saver_writes_is_not_touched(saver, tmp_path):
    child = saver(tmp_path / "state")
    write(tmp_path / "state", b"mine")
    (theirs,) = snapshot(tmp_path).keys() - {"state"}
    write(tmp_path / "state", b"mine again")
    assert snapshot(tmp_path) == {"state": b"mine again", theirs: b"half"}
    child.communicate("go on", timeout=60)
    assert child.returncode == 0
    assert snapshot(tmp_path) == {"state": b"half"}  # all that this disk took, in place and whole


def test_threads_of_one_process_do_not_take_each_other_for_dead(tmp_path, monkeypatch):
    real, first = os.write, threading.Event()
    go_on = threading.Event()

    def slow(descriptor, data):
        if bytes(data) == b"slow":
            first.set()
            assert go_on.wait(60)
        return real(descriptor, data)

    monkeypatch.setattr(filesystem, "write", slow)
    thread = threading.Thread(target=write, args=(tmp_path / "state", b"slow"))
    thread.start()
    assert first.wait(60)
    write(tmp_path / "state", b"fast")
    assert len(snapshot(tmp_path)) == 2
    go_on.set()
    thread.join()
    assert snapshot(tmp_path) == {"state": b"slow"}


@pytest.mark.parametrize("removes", [True, False], ids=["removed", "only locked"])
def test_a_file_that_is_taken_for_abandoned_before_it_is_locked(removes, tmp_path, monkeypatch):
    """Another saver comes between making the file and locking it: this one takes another name."""
    create, others = filesystem.create, []

    def create_and_look(path, mode):
        descriptor = create(path, mode)
        if not others:
            others.append(os.open(path, os.O_RDONLY))
            assert filesystem.try_lock(others[0])
            if removes:
                os.remove(path)
                os.close(others[0])
        return descriptor

    monkeypatch.setattr(filesystem, "create", create_and_look)
    write(tmp_path / "state", b"new")
    assert snapshot(tmp_path) == {"state": b"new"}
    if not removes:
        os.close(others[0])


def test_where_there_are_no_locks(saver, tmp_path, monkeypatch):
    """Savers do not know of each other there: nothing is removed, and saving goes on."""
    saver(tmp_path / "state").kill()
    monkeypatch.setattr(filesystem, "try_lock", lambda descriptor: None)
    write(tmp_path / "state", b"new")
    assert snapshot(tmp_path)["state"] == b"new"
    assert len(snapshot(tmp_path)) == 2


def test_the_error_names_the_file_and_what_to_do(tmp_path, monkeypatch):
    def full(descriptor):
        raise ERRORS[1]

    model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(1,))])
    monkeypatch.setattr(filesystem, "sync", full)
    with pytest.raises(ModelFileError, match=r"m\.safetensors' could not be saved: No space left on device") as caught:
        model.save(tmp_path / "m.safetensors")
    assert "What was there is unchanged" in str(caught.value)
    assert snapshot(tmp_path) == {}
