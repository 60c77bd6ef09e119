"""A save happens whole or not at all: disk errors at every call, kills, races and power failures."""

from __future__ import annotations

import json
import os
import warnings

import pytest

from faults.disk import ERRORS, Fault, faults, snapshot
from faults.savers import model, number_of
from lamina.errors import ModelFileError
from lamina.io import filesystem, load_artifacts, save_artifacts, shards


@pytest.fixture(autouse=True)
def _many_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 512)


def assert_tidy(folder):
    """Asserts that a folder holds its model's files and nothing else."""
    document = json.loads((folder / "model.json").read_bytes())
    named = [path for group in document["weightsManifest"] for path in group["paths"]]
    assert sorted(os.listdir(folder)) == sorted([*named, "model.json"])


def save_with(fault, folder):
    """Saves model 1 while a fault is at work; whether that failed."""
    with fault.at_work(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            save_artifacts(folder, model(1))
        except (ModelFileError, KeyboardInterrupt):
            return True
    return False


COMMIT = {
    "create",
    "write",
    "sync",
    "replace",
    "list_folder",
    "sync_folder",
    "locked",
    "mode_of",
    "set_mode",
    "try_lock",
    "links",
}


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_a_disk_error_at_any_call_leaves_the_old_model_or_the_new(error, tmp_path):
    folder = tmp_path / "m"
    failures = set()
    for fault in faults(error):
        save_artifacts(folder, model(0))
        assert_tidy(folder)
        before = snapshot(folder)
        if save_with(fault, folder):
            failures.add(fault.failed)
            assert snapshot(folder) == before, fault.failed
        else:
            assert number_of(load_artifacts(folder)) == 1, fault.failed
    assert failures == COMMIT
    assert_tidy(folder)


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_a_first_save_that_fails_leaves_nothing(error, tmp_path):
    for number, fault in enumerate(faults(error)):
        folder = tmp_path / str(number) / "deep"
        if save_with(fault, folder):
            assert not folder.parent.exists(), fault.failed
        else:
            assert number_of(load_artifacts(folder)) == 1, fault.failed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupt_at_any_call(after, tmp_path):
    folder = tmp_path / "m"
    seen = set()
    for fault in faults(KeyboardInterrupt(), after):
        save_artifacts(folder, model(0))
        assert_tidy(folder)
        save_with(fault, folder)
        seen.add(number_of(load_artifacts(folder)))
    assert seen == {0, 1}
    save_artifacts(folder, model(2))
    assert_tidy(folder)


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_a_disk_error_while_loading_is_ours(error, tmp_path):
    save_artifacts(tmp_path / "m", model(0))
    for fault in faults(error, least=5):
        with fault.at_work():
            try:
                assert number_of(load_artifacts(tmp_path / "m")) == 0
                assert fault.failed in (None, "close", "regular_size", "read_into")
            except ModelFileError as caught:
                assert "cannot be read" in str(caught)  # noqa: PT017


def test_the_message_of_a_failed_save(tmp_path):
    with pytest.raises(ModelFileError) as caught, Fault(3, ERRORS[1]).at_work():
        save_artifacts(str(tmp_path / "m"), model(1))
    assert str(caught.value) == (
        f"'{tmp_path}/m' could not be saved: No space left on device. What was there is unchanged.\n"
        "  Fix: see that the folder may be written to and that the disk has room."
    )


def test_a_folder_that_cannot_be_synced_is_saved_with_a_warning(tmp_path, monkeypatch):
    save_artifacts(tmp_path, model(0))
    renamed = []

    def replace(source, destination):
        os.replace(source, destination)
        renamed.append(destination)

    def sync_folder(folder):
        if renamed[-1].endswith("model.json"):
            raise ERRORS[0]

    monkeypatch.setattr(filesystem, "replace", replace)
    monkeypatch.setattr(filesystem, "sync_folder", sync_folder)
    with pytest.warns(RuntimeWarning, match="was saved, but may be lost if the power fails now"):
        save_artifacts(tmp_path, model(1))
    assert number_of(load_artifacts(tmp_path)) == 1


def test_a_disk_that_takes_a_few_bytes_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(filesystem, "write", lambda descriptor, data: os.write(descriptor, data[:7]))
    monkeypatch.setattr(filesystem, "read_into", lambda descriptor, data: os.readv(descriptor, [data[:7]]))
    save_artifacts(tmp_path / "m", model(2))
    assert number_of(load_artifacts(tmp_path / "m")) == 2


def test_a_weight_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    save_artifacts(tmp_path / "m", model(0))
    monkeypatch.setattr(filesystem, "regular_size", lambda descriptor: 0)
    with pytest.raises(ModelFileError, match="not JSON"):
        load_artifacts(tmp_path / "m")


def test_a_reader_follows_a_saver(tmp_path, monkeypatch):
    """The model is replaced after its document was read and before its weights are: the new one is loaded."""
    save_artifacts(tmp_path / "m", model(0))
    open_beneath = filesystem.open_beneath

    def replaced_first(folder, parts):
        monkeypatch.setattr(filesystem, "open_beneath", open_beneath)
        save_artifacts(tmp_path / "m", model(2))
        return open_beneath(folder, parts)

    monkeypatch.setattr(filesystem, "open_beneath", replaced_first)
    assert number_of(load_artifacts(tmp_path / "m")) == 2


class Recorded:
    """A save as the disk sees it: what was written, synced, renamed and removed, in order."""

    def __init__(self, patch):
        self.log = []
        self._paths = {}
        for name in ("create", "write", "sync", "replace", "remove", "sync_folder"):
            patch.setattr(filesystem, name, self._recorded(name, getattr(filesystem, name)))

    def _recorded(self, name, call):
        def recorded(*given):
            result = call(*given)
            if name == "create":
                self._paths[result] = given[0]
            path = self._paths[given[0]] if name in ("write", "sync") else given[0]
            more = bytes(given[1][:result]) if name == "write" else given[1] if name == "replace" else None
            self.log.append((name, os.path.basename(path), os.path.basename(more) if name == "replace" else more))
            return result

        return recorded


def after_power_failure(old, log, lost):
    """The folder if the power fails after ``log``, and folder changes since the last sync for which ``lost`` holds
    did not reach the disk; bytes that were not synced are cut to half."""
    contents, synced = {}, set()
    folder, pending = dict.fromkeys(old), []
    for name, path, more in log:
        if name == "write":
            contents[path] = contents.get(path, b"") + more
        elif name == "sync":
            synced.add(path)
        elif name == "sync_folder":
            _apply(folder, pending)
            pending = []
        else:
            pending.append((name, path, more))
    _apply(folder, [change for number, change in enumerate(pending) if not lost(number)])

    def bytes_of(name):
        source = folder[name]
        if source is None:
            return old[name]
        data = contents.get(source, b"")
        return data if source in synced else data[: len(data) // 2]

    return {name: bytes_of(name) for name in folder}


def _apply(folder, changes):
    """Folder entries map to the temporary name under which their bytes were written, or None for old bytes."""
    for name, path, more in changes:
        if name == "create":
            folder[path] = path
        elif name == "replace":
            folder.pop(path, None)
            folder[more] = path
        elif name == "remove":
            folder.pop(path, None)


def test_a_power_failure_at_any_moment_leaves_a_whole_model(tmp_path):
    folder = tmp_path / "m"
    save_artifacts(folder, model(0))
    old = snapshot(folder)
    with pytest.MonkeyPatch.context() as patch:
        log = Recorded(patch).log
        save_artifacts(folder, model(1))
    states = []
    for length in range(len(log) + 1):
        for lost in (lambda _: False, lambda _: True, lambda n: n % 2 == 0, *(lambda n, k=k: n == k for k in range(8))):
            state = after_power_failure(old, log[:length], lost)
            if state not in states:
                states.append(state)
    seen = [number_loaded_from(state, tmp_path / str(number)) for number, state in enumerate(states)]
    assert states[0] == old
    assert len(seen) > 30
    assert (seen[0], seen[-1]) == (0, 1)


def number_loaded_from(state, folder):
    folder.mkdir()
    for name, data in state.items():
        (folder / name).write_bytes(data)
    return number_of(load_artifacts(folder))
