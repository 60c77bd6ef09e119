"""Where a user's data and downloads are, and models as downloads."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import lamina
from faults.savers import model, number_of
from lamina.errors import ArgumentError, SerializationError
from lamina.io import ModelArtifacts, copy_model, load_artifacts, remove_model, save_artifacts
from lamina.io.folders import downloads, home

NAMES = ("LAMINA_HOME", "LAMINA_DOWNLOADS", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA")


@pytest.fixture
def environment(monkeypatch):
    """Sets the platform and its variables, and no others of those that count."""

    def chosen(platform, values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setattr(sys, "platform", platform)

    return chosen


@pytest.mark.parametrize(
    ("platform", "values", "expected"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/share/lamina"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "/data"}, "/data/lamina"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/lamina"),
        ("win32", {"HOME": "/h", "LOCALAPPDATA": "/local"}, "/local/lamina"),
        ("linux", {"HOME": "/h", "LAMINA_HOME": "/mine"}, "/mine"),
    ],
)
def test_where_the_users_store_is(platform, values, expected, environment):
    environment(platform, values)
    assert home() == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('XDG_DOWNLOAD_DIR="$HOME/Von oben"', "{home}/Von oben"),
        ('# XDG_DOWNLOAD_DIR="/no"\nXDG_DOWNLOAD_DIR="/disk/down"\n', "/disk/down"),
        ('XDG_DOWNLOAD_DIR="relative"', "{home}/Downloads"),
        ('XDG_DOWNLOAD_DIR="$(rm)/x"', "{home}/Downloads"),
        ("", "{home}/Downloads"),
    ],
)
def test_the_desktop_says_where_downloads_go(line, expected, environment, tmp_path):
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "user-dirs.dirs").write_text(f'XDG_MUSIC_DIR="/m"\n{line}')
    environment("linux", {"HOME": tmp_path})
    assert downloads() == expected.format(home=tmp_path)
    environment("linux", {"HOME": "/other", "XDG_CONFIG_HOME": tmp_path / ".config"})
    assert downloads() == expected.format(home="/other")
    environment("darwin", {"HOME": tmp_path})
    assert downloads() == f"{tmp_path}/Downloads"
    environment("linux", {"HOME": tmp_path, "LAMINA_DOWNLOADS": "/mine"})
    assert downloads() == "/mine"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A download folder that is not there yet."""
    monkeypatch.setenv("LAMINA_DOWNLOADS", str(tmp_path / "downloads"))
    return tmp_path / "downloads"


class TestDownloads:
    def test_the_two_files_of_tensorflow_js(self, folder):
        saved = save_artifacts("downloads://digits", model(1))
        assert sorted(os.listdir(folder)) == ["digits.json", "digits.weights.bin"]
        document = json.loads((folder / "digits.json").read_bytes())
        assert document["weightsManifest"][0]["paths"] == ["./digits.weights.bin"]
        assert (folder / "digits.weights.bin").read_bytes() == model(1).weight_data
        assert saved.address == str(folder / "digits.json")
        assert number_of(load_artifacts(saved.address)) == 1

    def test_a_whole_model(self, folder):
        network = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
        saved = network.save("downloads://")
        assert os.path.basename(saved.address) == "model.json"
        again = lamina.load_model(saved.address)
        assert again.predict([[1.0, 2.0, 3.0]]).tolist() == network.predict([[1.0, 2.0, 3.0]]).tolist()

    def test_what_is_there_stays(self, folder):
        folder.mkdir()
        (folder / "m.weights.bin").write_text("mine")
        assert save_artifacts("downloads://m", model(1)).address == str(folder / "m-1.json")
        (folder / "M-2.JSON").write_text("mine too")
        assert save_artifacts("downloads://m", model(2)).address == str(folder / "m-3.json")
        assert (folder / "m.weights.bin").read_text() == "mine"
        assert number_of(load_artifacts(folder / "m-1.json")) == 1
        assert number_of(load_artifacts(folder / "m-3.json")) == 2

    def test_a_model_that_cannot_be_read_again_leaves_nothing(self, folder):
        with pytest.raises(SerializationError):
            save_artifacts("downloads://m", ModelArtifacts({"a": object()}))
        assert not folder.exists()

    @pytest.mark.parametrize("prefix", ["a b", "../m", "a/b", "a (1)", "con", "m\0", "é"])
    def test_prefixes_that_are_no_names(self, prefix, folder):
        with pytest.raises(ArgumentError, match="gives no name to files"):
            save_artifacts(f"downloads://{prefix}", model(0))

    def test_downloads_are_neither_loaded_nor_removed_by_that_address(self, folder):
        save_artifacts("downloads://m", model(0))
        for action in (load_artifacts, remove_model):
            with pytest.raises(ArgumentError, match="'downloads://m' cannot"):
                action("downloads://m")

    def test_a_download_is_removed_by_its_path(self, folder):
        for number in (0, 1):
            save_artifacts("downloads://m", model(number))
        assert remove_model(folder / "m.json").weight_bytes == len(model(0).weight_data)
        assert sorted(os.listdir(folder)) == ["m-1.json", "m-1.weights.bin"]
        copy_model(folder / "m-1.json", folder / "copy")
        assert number_of(load_artifacts(folder / "copy")) == 1

    def test_single_files_get_a_free_name_too(self, folder):
        network = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
        for name in ("m.v2.safetensors", "m.v2-1.safetensors"):
            saved = network.save("downloads://m.v2.safetensors")
            assert saved.address == str(folder / name)
            assert lamina.load_model(saved.address).count_params() == 8

    def test_several_at_once(self, folder):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: save_artifacts("downloads://m", model(1)), range(12)))
        documents = list(folder.glob("*.json"))
        assert len(documents) == 12
        assert [number_of(load_artifacts(path)) for path in documents] == [1] * 12
