"""The user's store behind localstorage:// and indexeddb://: one file, names of each scheme, several processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import lamina
from faults.savers import model, number_of
from lamina.errors import ModelFileError, ModelNotFoundError
from lamina.io import list_models, load_artifacts, move_model, remove_model, save_artifacts, shards


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """The file of a store of the test's own; no other models are listed."""
    monkeypatch.setattr("lamina.io.memory._models", {})
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models.sqlite3"


@pytest.mark.parametrize("scheme", ["localstorage", "indexeddb"])
class TestBothSchemes:
    def test_several_names_are_listed_and_removed(self, scheme):
        assert list_models(scheme) == {}
        save_artifacts(f"{scheme}://b", model(0))
        saved = save_artifacts(f"{scheme.title()}://a", model(1))
        assert list(list_models()) == [f"{scheme}://a", f"{scheme}://b"]
        assert list_models()[f"{scheme}://a"] == saved
        assert remove_model(f"{scheme}://a") == saved
        assert list(list_models(scheme)) == [f"{scheme}://b"]
        with pytest.raises(ModelNotFoundError) as caught:
            remove_model(f"{scheme}://a")
        assert str(caught.value) == f"there is no model at '{scheme}://a'.\n  Expected one of '{scheme}://b'."

    def test_long_weights(self, scheme, monkeypatch):
        monkeypatch.setattr(shards, "SHARD_BYTES", 7)
        save_artifacts(f"{scheme}://m", model(2))
        assert number_of(load_artifacts(f"{scheme}://m")) == 2

    def test_another_process_sees_it(self, scheme):
        save_artifacts(f"{scheme}://m", model(1))
        code = f"from lamina.io import *; copy_model('{scheme}://m', '{scheme}://n')"
        path = os.pathsep.join([str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        run = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True)
        assert run.stderr == b""
        assert number_of(load_artifacts(f"{scheme}://n")) == 1

    def test_looking_makes_no_store(self, scheme, file):
        with pytest.raises(ModelNotFoundError):
            load_artifacts(f"{scheme}://m")
        assert list_models() == {}
        assert not file.parent.exists()

    def test_a_file_that_is_no_store(self, scheme, file):
        file.parent.mkdir()
        file.write_bytes(b"not a database at all, but some text")
        for action in (load_artifacts, remove_model, lambda address: save_artifacts(address, model(0))):
            with pytest.raises(ModelFileError, match="cannot be used: file is not a database") as caught:
                action(f"{scheme}://m")
            assert "set LAMINA_HOME" in str(caught.value)
        assert file.read_bytes() == b"not a database at all, but some text"


def test_names_belong_to_their_scheme(file):
    save_artifacts("localstorage://m", model(0))
    save_artifacts("indexeddb://m", model(1))
    assert number_of(load_artifacts("localstorage://m")) == 0
    assert list(list_models()) == ["indexeddb://m", "localstorage://m"]
    assert list(list_models("indexeddb")) == ["indexeddb://m"]
    remove_model("localstorage://m")
    assert number_of(load_artifacts("indexeddb://m")) == 1
    move_model("indexeddb://m", "localstorage://m")
    assert list(list_models()) == ["localstorage://m"]
    assert number_of(load_artifacts("localstorage://m")) == 1
    assert len(os.listdir(file.parent)) == 1


def test_what_a_removed_model_took_goes_back_to_the_disk(file):
    save_artifacts("indexeddb://m", model(0))
    empty = file.stat().st_size
    for number in range(30):
        save_artifacts(f"indexeddb://{number}", model(1))
    assert file.stat().st_size > 2 * empty
    for number in range(30):
        remove_model(f"indexeddb://{number}")
    assert file.stat().st_size <= empty


@pytest.mark.parametrize(
    ("column", "value"),
    [("date_saved", "yesterday"), ("date_saved", 5), ("document", "text"), ("document", b"{}"), ("document", b"\xff")],
)
def test_a_damaged_row(column, value, file):
    save_artifacts("localstorage://m", model(0))
    save_artifacts("indexeddb://n", model(1))
    with sqlite3.connect(file) as store:
        store.execute(f"UPDATE models SET {column} = ? WHERE address = 'localstorage://m'", (value,))
    store.close()
    with pytest.raises(ModelFileError):
        list_models("localstorage") if column == "date_saved" else load_artifacts("localstorage://m")
    assert number_of(load_artifacts("indexeddb://n")) == 1


@pytest.mark.parametrize(
    "change", ["DELETE FROM shards", "UPDATE shards SET data = 'text'", "UPDATE shards SET data = x'00'"]
)
def test_damaged_weights(change, file):
    save_artifacts("localstorage://m", model(0))
    with sqlite3.connect(file) as store:
        store.execute(change)
    store.close()
    with pytest.raises(ModelFileError):
        load_artifacts("localstorage://m")


def test_a_damaged_file_is_told_and_left_alone(file):
    for number in range(20):
        save_artifacts(f"localstorage://{number}", model(0))
    whole = file.read_bytes()
    outcomes = set()
    for start in range(0, len(whole), 1024):
        damaged = whole[:start] + b"\x55" * 200 + whole[start + 200 :]
        file.write_bytes(damaged)
        try:
            number_of(load_artifacts("localstorage://7"))
            outcomes.add("loaded")
        except ModelFileError:
            outcomes.add("refused")
        assert file.read_bytes() == damaged
    assert outcomes == {"loaded", "refused"}
    for length in (5000, len(whole) // 2, len(whole) - 5000):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            save_artifacts("localstorage://new", model(0))
        assert file.read_bytes() == whole[:length]


def test_a_store_of_a_newer_version(file):
    save_artifacts("localstorage://m", model(0))
    with sqlite3.connect(file) as store:
        store.execute("PRAGMA user_version = 9")
    store.close()
    with pytest.raises(ModelFileError, match="newer lamina"):
        load_artifacts("localstorage://m")


def test_importing_lamina_imports_no_database():
    code = "import lamina.io, sys; print('sqlite3' in sys.modules)"
    path = os.pathsep.join([str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True)
    assert (run.stdout.strip(), run.stderr) == (b"False", b"")
