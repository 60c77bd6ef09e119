"""The handlers: folders, the user's store, memory, and what users bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lamina
from lamina.contract import Provides, hookimpl
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    ModelFileError,
    ModelNotFoundError,
    PluginError,
    UnknownNameError,
)
from lamina.io import (
    ModelArtifacts,
    SaveResult,
    copy_model,
    decode_weights,
    encode_weights,
    find_handler,
    from_memory,
    list_models,
    load_artifacts,
    remove_model,
    save_artifacts,
    shards,
    with_save_handler,
)
from lamina.io.file import FileHandler
from lamina.io.memory import MemoryHandler
from lamina.plugins import Plugins, plugins


def artifacts(value: float = 1.0, size: int = 10) -> ModelArtifacts:
    specs, data = encode_weights(
        [("d/kernel", np.full(size, value, "float32"), None), ("iter", np.int32(3), "optimizer")]
    )
    return ModelArtifacts({"class_name": "Sequential", "config": {}}, specs, data, generated_by="lamina v0")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """A store and a working folder of the test's own, and no models in memory after it."""
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield
    for address in MemoryHandler.list_models():
        MemoryHandler(address).remove()


ADDRESSES = [
    "model",
    "./deep/er/model/",
    "file://model",
    Path("model"),
    "memory://my model",
    "localstorage://a/b",
    "indexeddb://a/b",
]


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
class TestEveryMedium:
    def test_a_model_comes_back(self, address):
        saved = save_artifacts(address, artifacts())
        assert load_artifacts(address) == artifacts()
        assert (saved.topology_bytes, saved.weight_bytes) == (39, 44)
        assert saved.weight_specs_bytes > 100

    def test_saving_again_replaces_it(self, address):
        save_artifacts(address, artifacts(1.0))
        save_artifacts(address, artifacts(2.0, size=3))
        assert load_artifacts(address) == artifacts(2.0, size=3)

    def test_a_model_without_weights(self, address):
        save_artifacts(address, ModelArtifacts({}))
        assert load_artifacts(address).weight_data == b""

    def test_a_model_that_is_not_there(self, address):
        with pytest.raises(ModelNotFoundError, match="there is no model at"):
            load_artifacts(address)

    def test_a_refused_model_changes_nothing(self, address):
        save_artifacts(address, artifacts())
        for bad in (ModelArtifacts({"a": object()}), ModelArtifacts({}, artifacts().weight_specs, b"12")):
            with pytest.raises((ModelFileError, lamina.errors.SerializationError)):
                save_artifacts(address, bad)
        assert load_artifacts(address) == artifacts()

    def test_what_is_loaded_is_the_callers_own(self, address):
        save_artifacts(address, artifacts())
        load_artifacts(address).topology["config"]["layers"] = []  # type: ignore[index]
        assert load_artifacts(address) == artifacts()

    def test_copies_go_across_media(self, address):
        save_artifacts(address, artifacts())
        assert copy_model(address, "memory://copy").weight_bytes == 44
        assert load_artifacts("memory://copy") == artifacts()


class TestFolders:
    def test_the_files_are_those_of_tensorflow_js(self, tmp_path, monkeypatch):
        monkeypatch.setattr(shards, "SHARD_BYTES", 20)
        save_artifacts("model", artifacts())
        document = json.loads((tmp_path / "model" / "model.json").read_bytes())
        [group] = document["weightsManifest"]
        assert [path[:17] for path in group["paths"]] == [f"group1-shard{n}of3-" for n in (1, 2, 3)]
        assert sorted(os.listdir("model")) == sorted([*group["paths"], "model.json"])
        joined = b"".join((tmp_path / "model" / path).read_bytes() for path in group["paths"])
        assert joined == artifacts().weight_data

    def test_the_document_can_be_named(self):
        save_artifacts("model", artifacts())
        assert load_artifacts("model/model.json") == artifacts()
        assert load_artifacts(Path("model", "model.json")) == artifacts()

    def test_files_of_others_stay_and_those_of_the_old_model_go(self, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        manifest = [{"paths": ["weights.bin"], "weights": [{"name": "w", "shape": [1], "dtype": "bool"}]}]
        (folder / "model.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": manifest}))
        for name in ("weights.bin", "notes.txt", "other.bin", ".lamina-0123456789abcdef.tmp"):
            (folder / name).write_bytes(b"\1")
        (folder / "group1-shard1of1-0123456789abcdef.bin").write_bytes(b"left by a killed saver")
        assert load_artifacts("model").weight_data == b"\1"
        save_artifacts("model", ModelArtifacts({}))
        assert sorted(os.listdir(folder)) == ["model.json", "notes.txt", "other.bin"]

    def test_a_document_may_not_have_other_files_deleted(self, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        manifest = [{"paths": ["notes.txt"], "weights": []}]
        (folder / "model.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": manifest}))
        (folder / "notes.txt").write_text("mine")
        save_artifacts("model", artifacts())
        assert (folder / "notes.txt").read_text() == "mine"

    def test_the_users_mask_is_kept(self, tmp_path):
        before = os.umask(0o077)
        try:
            save_artifacts("model", artifacts())
        finally:
            os.umask(before)
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()} == {0o600}

    def test_nothing_about_the_machine_is_written(self, tmp_path):
        save_artifacts("model", artifacts())
        text = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
        assert str(tmp_path).encode() not in text

    def test_links_are_followed_inside_the_root_the_user_names(self, tmp_path):
        save_artifacts("store/model", artifacts())
        [path] = (tmp_path / "store" / "model").glob("*.bin")
        (tmp_path / "blob").write_bytes(path.read_bytes())
        path.unlink()
        path.symlink_to(tmp_path / "blob")
        assert load_artifacts(FileHandler("store/model", root=tmp_path)) == artifacts()
        for root in (None, tmp_path / "store"):
            with pytest.raises(lamina.errors.UnsafeModelError, match="is a link, or lies behind one"):
                load_artifacts(FileHandler("store/model", root=root))


class TestObjects:
    def test_with_save_handler(self):
        kept: list[ModelArtifacts] = []
        result = save_artifacts(with_save_handler(kept.append), artifacts())
        assert kept == [artifacts()]
        assert result.weight_bytes == 44
        mine = SaveResult("there", 1, 2)
        assert save_artifacts(with_save_handler(lambda _: mine), artifacts()) is mine

    def test_from_memory(self):
        found = load_artifacts(from_memory(artifacts()))
        assert [spec.name for spec, _ in decode_weights(found.weight_specs, found.weight_data)] == ["d/kernel", "iter"]

    def test_any_object_with_the_methods(self):
        class Mine:
            def save(self, found):
                self.found = found

            def load(self):
                return self.found

        mine = Mine()
        assert save_artifacts(mine, artifacts()).weight_bytes == 44
        assert load_artifacts(mine) == artifacts()


MESSAGES = {
    "unknown scheme": (
        lambda: load_artifacts("moon://m"),
        UnknownNameError,
        """no handler is known for 'moon://m'.
  Expected a path, or one of the schemes SCHEMES.
  Fix: install a plugin that brings this scheme, or pass an object with save and/or load.""",
    ),
    "a misspelt scheme": (
        lambda: load_artifacts("localstorge://m"),
        UnknownNameError,
        """no handler is known for 'localstorge://m'.
  Expected a path, or one of the schemes SCHEMES.
  Fix: write localstorage:// for localstorge://.""",
    ),
    "no address": (
        lambda: load_artifacts(3),
        ArgumentTypeError,
        """3 is not where a model can be.
  Expected a folder, an address such as 'localstorage://my-model', or an object with save and/or load.""",
    ),
    "no name": (
        lambda: load_artifacts("localstorage://"),
        lamina.errors.UnsafeModelError,
        """the address 'localstorage://': '' is not a name.
  Expected text of 1 to 1024 characters.""",
    ),
    "no folder": (
        lambda: load_artifacts(""),
        ArgumentError,
        """'' names no folder.
  Expected a path, as in 'file://my-model'.""",
    ),
    "cannot save": (
        lambda: save_artifacts(from_memory(ModelArtifacts({})), artifacts()),
        ArgumentError,
        "FromMemory cannot save a model.\n  Fix: save it to another address, such as a folder.",
    ),
    "cannot load": (
        lambda: load_artifacts(with_save_handler(print)),
        ArgumentError,
        "WithSaveHandler cannot load a model.\n  Fix: load it from another address, such as a folder.",
    ),
    "load gives something else": (
        lambda: load_artifacts(from_memory({"a": 1})),
        ArgumentTypeError,
        """FromMemory loaded {'a': 1}.
  Expected ModelArtifacts.""",
    ),
    "cannot remove": (
        lambda: remove_model("downloads://m"),
        ArgumentError,
        """'downloads://m' cannot remove a model.
  Fix: remove it yourself; to move a model away from there, copy it first.""",
    ),
    "onto itself": (
        lambda: copy_model("model", "file://./model"),
        ArgumentError,
        """'model' would be copied onto itself.
  Expected two different addresses.""",
    ),
    "no list": (
        lambda: list_models("file"),
        ArgumentError,
        """models under file:// cannot be listed.
  Expected a scheme that keeps a list.""",
    ),
    "a file's name": (
        lambda: save_artifacts("model.h5", artifacts()),
        ArgumentError,
        """'model.h5' is named like a file.
  Expected a folder, for a model is saved as model.json and weight files.
  Fix: leave the ending out.""",
    ),
    "no model": (
        lambda: load_artifacts("nowhere/model"),
        ModelNotFoundError,
        """there is no model at 'nowhere/model/model.json'.
  Expected a folder that holds a model.json, or the path of such a file.""",
    ),
}


@pytest.mark.parametrize(("action", "error", "message"), MESSAGES.values(), ids=list(MESSAGES))
def test_messages(action, error, message, tmp_path):
    with pytest.raises(error) as caught:
        action()
    schemes = ", ".join(sorted(plugins().provided("lamina_io_handlers")))
    assert str(caught.value) == message.replace("SCHEMES", schemes)
    assert os.listdir(tmp_path) == []


class TestPlugins:
    def test_two_handlers_of_one_scheme_are_an_error(self, monkeypatch):
        class Second:
            @hookimpl
            def lamina_io_handlers(self):
                return [Provides("memory", "elsewhere:Handler")]

        found = Plugins("")
        found.add(Second(), "second")
        monkeypatch.setattr("lamina.io.router.plugins", lambda: found)
        with pytest.raises(PluginError) as caught:
            find_handler("memory://a")
        assert "two plugins offer 'memory' through lamina_io_handlers" in str(caught.value)
        assert "elsewhere:Handler" in str(caught.value)
        assert "lamina.io.memory:MemoryHandler" in str(caught.value)

    def test_a_store_that_cannot_be_loaded_is_left_out_of_the_list_with_a_warning(self, monkeypatch):
        class Broken:
            @hookimpl
            def lamina_io_handlers(self):
                return [Provides("moon", "no_such_module:Handler", needs="moon", install="pip install moon")]

        found = Plugins("")
        found.add(Broken(), "broken")
        monkeypatch.setattr("lamina.io.router.plugins", lambda: found)
        save_artifacts("memory://a", artifacts())
        with pytest.warns(RuntimeWarning, match="models under moon:// are not listed"):
            assert list(list_models()) == ["memory://a"]
        with pytest.raises(PluginError, match="pip install moon"):
            find_handler("moon://a")

    def test_the_built_in_ones_come_through_the_hook(self):
        assert {"file", "localstorage", "memory"} <= set(plugins().provided("lamina_io_handlers"))


def test_importing_is_light():
    code = "import lamina.io, sys; print({'sqlite3', 'hashlib', 'importlib.metadata'} & set(sys.modules))"
    path = os.pathsep.join([str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.stderr == ""
    assert "sqlite3" not in run.stdout
