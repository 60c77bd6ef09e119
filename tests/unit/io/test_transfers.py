"""Copies, moves and removals: across media and of single files; nothing is removed before its copy is complete."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path

import pytest

import lamina
from faults.savers import model, number_of
from lamina.contract import Provides, hookimpl
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import (
    copy_model,
    find_handler,
    formats,
    from_memory,
    list_models,
    load_artifacts,
    move_model,
    remove_model,
    save_artifacts,
    shards,
    with_save_handler,
)
from lamina.io.memory import MemoryHandler
from lamina.plugins import Plugins


class Text:
    """A format of single files, which knows its first bytes."""

    title = "a text"
    magic = (b"TEXT",)


class FormatPlugin:
    @hookimpl
    def lamina_formats(self):
        return [Provides(ending, f"text_format:{name}") for ending, name in FORMATS.items()]


FORMATS = {".text": "Text", ".txt": "Text", ".other": "Other"}


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    """A store, a folder and two formats of the test's own."""
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shards, "SHARD_BYTES", 512)
    other = type("Other", (Text,), {})
    monkeypatch.setitem(sys.modules, "text_format", types.SimpleNamespace(Text=Text, Other=other))
    fresh = Plugins("")
    fresh.add(FormatPlugin(), "text")
    monkeypatch.setattr(formats, "plugins", lambda: fresh)
    yield
    for address in MemoryHandler.list_models():
        MemoryHandler(address).remove()


MEDIA = ["folder", "memory://m", "localstorage://m", "indexeddb://m"]


@pytest.mark.parametrize("destination", [*MEDIA, "downloads://m"])
@pytest.mark.parametrize("source", MEDIA)
def test_a_model_moves_between_media(source, destination, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DOWNLOADS", str(tmp_path / "downloads"))
    save_artifacts(source, model(2))
    if source == destination:
        with pytest.raises(ArgumentError, match="onto itself"):
            move_model(source, destination)
        assert number_of(load_artifacts(source)) == 2
        return
    saved = move_model(source, destination)
    found = saved.address if destination == "downloads://m" else destination
    assert number_of(load_artifacts(found)) == 2
    with pytest.raises(ModelNotFoundError):
        load_artifacts(source)
    assert not Path("folder").exists() or destination == "folder"


def fail(_):
    raise RuntimeError("the disk is gone")


@pytest.mark.parametrize("source", MEDIA)
def test_a_failed_move_keeps_the_source(source, tmp_path):
    save_artifacts(source, model(1))
    with pytest.raises(RuntimeError, match="the disk is gone"):
        move_model(source, with_save_handler(fail))
    Path("taken").write_text("a file")
    with pytest.raises(ArgumentError, match="is a file"):
        move_model(source, "taken")
    assert number_of(load_artifacts(source)) == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b""], ids=["cut", "empty"])
def test_a_damaged_source_is_neither_moved_nor_removed(damage, tmp_path):
    save_artifacts("folder", model(1))
    path = next(Path("folder").glob("*.bin"))
    path.write_bytes(damage(path.read_bytes()))
    before = {path.name: path.read_bytes() for path in Path("folder").iterdir()}
    for action in (lambda: move_model("folder", "memory://m"), lambda: remove_model("folder")):
        with pytest.raises(ModelFileError):
            action()
    assert {path.name: path.read_bytes() for path in Path("folder").iterdir()} == before
    assert list_models() == {}


def test_a_source_that_cannot_be_removed_is_not_copied():
    with pytest.raises(ArgumentError, match="FromMemory cannot remove a model"):
        move_model(from_memory(model(0)), "memory://a")
    assert list_models() == {}


SAME = [
    "folder",
    "./folder",
    "file://folder",
    Path("folder"),
    "folder/model.json",
    "folder/",
    "link",
    "e/../folder",
]


@pytest.mark.parametrize("destination", SAME, ids=str)
@pytest.mark.parametrize("source", SAME[:5], ids=str)
def test_a_place_under_another_name_is_the_same(source, destination, tmp_path):
    save_artifacts("folder", model(1))
    Path("e").mkdir()
    Path("link").symlink_to("folder")
    with pytest.raises(ArgumentError, match="onto itself"):
        move_model(source, destination)
    with pytest.raises(ArgumentError, match="onto itself"):
        move_model(source, find_handler(destination))
    assert number_of(load_artifacts("folder")) == 1


class TestRemovingFolders:
    def test_files_of_others_stay(self):
        save_artifacts("folder", model(1))
        Path("folder", "notes.txt").write_text("mine")
        Path("folder", "weights.bin").write_bytes(b"not named by the document")
        saved = remove_model("folder")
        assert (saved.address, saved.weight_bytes) == ("folder", len(model(1).weight_data))
        assert sorted(os.listdir("folder")) == ["notes.txt", "weights.bin"]

    def test_a_folder_with_nothing_else_goes_too(self):
        save_artifacts("deep/folder", model(1))
        remove_model("deep/folder/model.json")
        assert os.listdir("deep") == []

    @pytest.mark.parametrize("name", ["notes.txt", "sub/weights.bin", "other.bin", "x.weights.bin"])
    def test_a_document_may_not_have_other_files_removed(self, name):
        path = Path("folder", name)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\1")
        manifest = [{"paths": [name], "weights": [{"name": "w", "shape": [1], "dtype": "bool"}]}]
        Path("folder", "model.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": manifest}))
        with pytest.raises(ArgumentError, match="not named like one of weights"):
            remove_model("folder")
        assert path.read_bytes() == b"\1"
        assert Path("folder", "model.json").exists()

    def test_what_is_no_model(self):
        Path("folder").mkdir()
        Path("folder", "model.json").write_text("{}")
        with pytest.raises(ModelFileError, match="has no model"):
            remove_model("folder")
        with pytest.raises(ModelNotFoundError):
            remove_model("nowhere")
        assert os.listdir("folder") == ["model.json"]


class TestFiles:
    def test_bytes_are_copied_and_moved(self):
        Path("a.text").write_bytes(b"TEXT and more")
        assert copy_model("a.text", "memory://b.text").weight_bytes == 13
        move_model("memory://b.text", "deep/c.txt")
        assert Path("deep/c.txt").read_bytes() == b"TEXT and more"
        assert list_models("memory") == {}
        assert Path("a.text").exists()
        move_model(Path("a.text"), find_handler("d.text"))
        assert not Path("a.text").exists()
        assert Path("d.text").read_bytes() == b"TEXT and more"

    def test_a_file_that_is_something_else_is_not_removed(self):
        Path("a.text").write_bytes(b"PK\3\4")
        for action in (lambda: remove_model("a.text"), lambda: move_model("a.text", "b.text")):
            with pytest.raises(UnsafeModelError, match="is a ZIP archive"):
                action()
        Path("a.text").write_bytes(b"TEXT")
        assert remove_model("a.text").weight_bytes == 4
        assert os.listdir() == []
        with pytest.raises(ModelNotFoundError):
            remove_model("a.text")

    @pytest.mark.parametrize("destination", ["a.other", "folder", "memory://a"])
    def test_another_format_is_no_copy(self, destination):
        Path("a.text").write_bytes(b"TEXT")
        for transfer in (copy_model, move_model):
            with pytest.raises(ArgumentError, match="is of another format than") as caught:
                transfer("a.text", destination)
            assert "lamina convert" in str(caught.value)
        assert os.listdir() == ["a.text"]

    def test_a_failed_move_keeps_the_file(self):
        Path("a.text").write_bytes(b"TEXT")
        Path("b.text").mkdir()
        with pytest.raises(ArgumentError, match="is a folder"):
            move_model("a.text", "b.text")
        with pytest.raises(ArgumentError, match="cannot write a single file"):
            move_model("a.text", "localstorage://b.text")
        assert Path("a.text").read_bytes() == b"TEXT"

    def test_files_and_artifacts_in_memory(self):
        copy_model(from_memory(model(0)), "memory://m")
        Path("a.text").write_bytes(b"TEXT")
        copy_model("a.text", "memory://a.text")
        assert list(list_models("memory")) == ["memory://a.text", "memory://m"]
        with pytest.raises(ModelFileError, match="is a single file"):
            MemoryHandler("memory://a.text").load()
        with pytest.raises(ModelFileError, match="is no single file"):
            MemoryHandler("memory://m").read_file()
        remove_model("memory://a.text")
        assert list(list_models("memory")) == ["memory://m"]


@pytest.mark.parametrize("address", ["folder", "localstorage://m", "indexeddb://m"])
def test_progress_of_artifacts(address):
    for action in (lambda handler: handler.save(model(2)), lambda handler: number_of(handler.load())):
        shares = []
        action(find_handler(address, on_progress=shares.append))
        assert (shares[0], shares[-1]) == (0.0, 1.0)
        assert len(shares) > 3
        assert shares == sorted(set(shares))


def test_progress_of_a_file(monkeypatch):
    monkeypatch.setattr(shards, "_PIECE", 10)
    for action in (lambda handler: handler.write_file([bytes(25)]), lambda handler: handler.read_file()):
        shares = []
        action(find_handler("a.text", on_progress=shares.append))
    assert shares == [0.0, 0.4, 0.8, 1.0]


def test_chains_of_addresses_are_refused():
    for address in ("simplecache::s3://bucket/m", "zip://model.keras::s3://bucket/a.zip"):
        with pytest.raises(ArgumentError, match="is a chain of addresses"):
            lamina.load_model(address)
