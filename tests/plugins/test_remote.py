"""Models through fsspec, against file systems of the tests' own behind the schemes of a bucket and of a server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fsspec")

from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry, known_implementations

import lamina
from faults.savers import model, number_of
from lamina.errors import ArgumentError, LaminaError, ModelFileError, ModelNotFoundError, PluginError, UnsafeModelError
from lamina.io import (
    Limits,
    ModelArtifacts,
    copy_model,
    encode_model_json,
    find_handler,
    load_artifacts,
    move_model,
    remote,
    remove_model,
    save_artifacts,
    shards,
)
from lamina.plugins import plugins
from lamina_remote.handler import RemoteHandler
from lamina_remote.schemes import ALIASES, LIBRARIES, RENAMES, WITH_FOLDERS


class Bucket(MemoryFileSystem):
    """Objects by name, put whole; a call may be made to fail."""

    protocol = ("s3", "s3a")
    store: dict[str, Any] = {}
    pseudo_dirs = [""]
    cachable = False
    fails: list[Any] = []
    made: list[str] = []
    options: dict[str, Any] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__()
        type(self).options = options

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3a://").removeprefix("s3://").strip("/")

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        raise AssertionError("nobody asked for a new bucket")

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        self.made.append(path)
        when = self.fails[0](path) if self.fails else None
        if when != "lost":
            super().pipe_file(path, value)
        if when:
            raise RuntimeError("SlowDown")


class Server(LocalFileSystem):
    """Folders of a machine, where a file grows while it is written."""

    protocol = "sftp"
    root = ""
    cachable = False

    def __init__(self, username: str | None = None) -> None:
        super().__init__()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        path = path.removeprefix("sftp://").partition("/")[2] if path.startswith("sftp://") else path
        return path if path.startswith(cls.root) else f"{cls.root}/{path.strip('/')}"

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        return {}


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """Both file systems, empty."""
    monkeypatch.setitem(_registry, "s3", Bucket)
    monkeypatch.setitem(_registry, "sftp", Server)
    monkeypatch.setattr(Bucket, "store", {})
    monkeypatch.setattr(Bucket, "pseudo_dirs", [""])
    monkeypatch.setattr(Bucket, "fails", [])
    monkeypatch.setattr(Bucket, "made", [])
    (tmp_path / "server").mkdir()
    monkeypatch.setattr(Server, "root", str(tmp_path / "server"))
    monkeypatch.setattr(shards, "SHARD_BYTES", 512)


def there() -> list[str]:
    """The names of all files in both."""
    files = [str(path.relative_to(Server.root)) for path in Path(Server.root).rglob("*") if path.is_file()]
    return sorted([*(name.strip("/") for name in Bucket.store), *files])


ADDRESSES = ["s3://bucket/deep/m", "s3a://bucket/m/", "sftp://host/deep/m", "ssh://me:word@host/m"]


@pytest.mark.parametrize("address", ADDRESSES)
class TestFolders:
    def test_a_model_there_and_back(self, address):
        with pytest.raises(ModelNotFoundError, match="there is nothing at"):
            load_artifacts(address)
        saved = save_artifacts(address, model(1))
        assert saved.weight_bytes == len(model(1).weight_data)
        assert number_of(load_artifacts(address)) == 1
        assert number_of(load_artifacts(address.rstrip("/") + "/model.json")) == 1

    def test_the_new_model_takes_the_place_of_the_old(self, address):
        save_artifacts(address, model(0))
        old = there()
        save_artifacts(address, model(2))
        assert number_of(load_artifacts(address)) == 2
        assert len(there()) == len(old)
        assert len(set(there()) & set(old)) == 1

    def test_files_of_others_stay(self, address):
        save_artifacts(address, model(0))
        find_handler(address.rstrip("/") + "/notes.txt").write_file([b"mine"])
        save_artifacts(address, model(1))
        assert remove_model(address).weight_bytes == len(model(1).weight_data)
        assert [name.rpartition("/")[2] for name in there()] == ["notes.txt"]
        with pytest.raises(ModelNotFoundError):
            remove_model(address)

    def test_a_whole_model(self, address):
        network = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
        network.save(address)
        x = np.ones((1, 3), np.float32)
        np.testing.assert_array_equal(lamina.load_model(address).predict(x), network.predict(x))

    def test_a_whole_model_as_a_file(self, address):
        network = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
        place = address.rstrip("/") + ".safetensors"
        assert network.save(place).address == place
        x = np.ones((1, 3), np.float32)
        np.testing.assert_array_equal(lamina.load_model(place).predict(x), network.predict(x))

    def test_copies_and_moves(self, address):
        copy_model(lamina.io.from_memory(model(2)), address)
        move_model(address, "s3://elsewhere/m")
        assert number_of(load_artifacts("s3://elsewhere/m")) == 2
        assert all(name.startswith("elsewhere/") for name in there())

    def test_a_damaged_model(self, address):
        save_artifacts(address, model(1))
        name = next(n for n in there() if n.endswith(".bin"))
        data = find_handler(f"{'s3' if 's3' in address else 'sftp'}://{'' if 's3' in address else 'host/'}{name}")
        data.write_file([bytes(data.read_file())[:-1]])
        with pytest.raises(UnsafeModelError, match="missing"):
            load_artifacts(address)
        data.write_file([b"\0" * 5000])
        with pytest.raises(UnsafeModelError, match="has more than"):
            load_artifacts(address)
        data.remove_file()
        with pytest.raises(ModelNotFoundError, match=r"shard"):
            load_artifacts(address)


def failing(number: int, when: str) -> Any:
    """Makes the so-manieth put fail: before anything is there, or after."""
    left = [number]

    def fails(path: str) -> str | None:
        left[0] -= 1
        return when if left[0] == 0 else None

    return fails


@pytest.mark.parametrize("when", ["lost", "after"])
def test_a_save_that_fails_at_any_put(when, monkeypatch):
    puts = None
    for number in range(1, 20):
        monkeypatch.setattr(Bucket, "fails", [])
        save_artifacts("s3://bucket/m", model(0))
        before = there()
        monkeypatch.setattr(Bucket, "fails", [failing(number, when)])
        try:
            save_artifacts("s3://bucket/m", model(1))
        except ModelFileError:
            found = number_of(load_artifacts("s3://bucket/m"))
            assert found == 0 or (when, len(there())) == ("after", 2 * len(before) - 1)
            assert found == 1 or there() == before
        else:
            puts = number - 1
            break
    assert puts is not None
    assert puts > 2


def test_the_document_is_put_last_and_names_are_never_used_twice():
    save_artifacts("s3://bucket/m", model(0))
    save_artifacts("s3://bucket/m", model(0))
    assert len(set(Bucket.made)) == len(Bucket.made) - 1
    half = len(Bucket.made) // 2
    assert Bucket.made[half - 1] == Bucket.made[-1] == "/bucket/m/model.json"


def test_a_reader_follows_a_saver(monkeypatch):
    save_artifacts("s3://bucket/m", model(0))
    handler = remote("s3://bucket/m")
    read = handler._with_weights

    def replaced_first(document: Any) -> Any:
        monkeypatch.setattr(handler, "_with_weights", read)
        save_artifacts("s3://bucket/m", model(2))
        return read(document)

    monkeypatch.setattr(handler, "_with_weights", replaced_first)
    with pytest.raises(ModelNotFoundError):
        replaced_first(handler._read_document()[1])
    assert number_of(handler.load()) == 2


@pytest.mark.parametrize("address", ["s3://bucket/w.json/../m.safetensors", "sftp://host/deep/m.safetensors"])
def test_single_files(address, tmp_path):
    address = address.replace("/w.json/..", "")
    shares: list[float] = []
    remote(address, on_progress=shares.append).write_file([b"12", memoryview(b"345")])
    assert shares == [0.0, 1.0]
    assert find_handler(address).read_file() == b"12345"
    assert [name.rpartition("/")[2] for name in there()] == ["m.safetensors"]
    with pytest.raises(UnsafeModelError, match="more than 4"):
        remote(address, max_bytes=4).read_file()
    copy_model(address, tmp_path / "n.safetensors")
    assert (tmp_path / "n.safetensors").read_bytes() == b"12345"
    with pytest.raises(ArgumentError, match="is of another format"):
        copy_model(address, "memory://m")
    move_model(address, "s3://bucket/other.safetensors")
    assert there() == ["bucket/other.safetensors"]
    assert remove_model("s3://bucket/other.safetensors").weight_bytes == 5
    assert there() == []


def test_places_that_take_several_calls_are_asked_for_several_files(monkeypatch):
    save_artifacts("s3://bucket/m", model(3))
    meeting = threading.Barrier(len([name for name in there() if name.endswith(".bin")]))
    assert meeting.parties > 2

    def opened(self, path, mode):
        if path.endswith(".bin"):
            meeting.wait(10)
        return MemoryFileSystem.open(self, path, mode)

    monkeypatch.setattr(Bucket, "async_impl", True)
    monkeypatch.setattr(Bucket, "open", opened)
    assert number_of(load_artifacts("s3://bucket/m")) == 3


def test_limits_and_progress():
    save_artifacts("s3://bucket/m", model(0))
    shares: list[float] = []
    remote("s3://bucket/m", on_progress=shares.append).load()
    assert (shares[0], shares[-1], len(shares)) == (0.0, 1.0, shares.index(1.0) + 1)
    assert shares == sorted(shares)
    assert len(shares) > 3
    with pytest.raises(UnsafeModelError, match="weights of"):
        remote("s3://bucket/m", max_bytes=100).load()
    with pytest.raises(UnsafeModelError, match="more than 50 bytes"):
        remote("s3://bucket/m", limits=Limits(json_bytes=50)).load()


@pytest.mark.parametrize(
    "path", ["../b.bin", "/etc/hostname", "s3://other/b.bin", "simplecache::s3://o/b", "a/../../x"]
)
def test_weight_files_stay_in_the_folder(path, monkeypatch):
    artifacts = ModelArtifacts({}, *lamina.io.encode_weights([("w", np.zeros(2, np.float32), None)]))
    text = encode_model_json(artifacts, ["a.bin"]).replace(b"a.bin", path.encode())
    find_handler("s3://bucket/m/model.json").write_file([text])
    opened = []
    monkeypatch.setattr(
        Bucket, "open", lambda self, path, mode: opened.append(path) or MemoryFileSystem.open(self, path, mode)
    )
    with pytest.raises(UnsafeModelError, match="is not allowed"):
        load_artifacts("s3://bucket/m")
    with pytest.raises(UnsafeModelError, match="is not allowed"):
        remove_model("s3://bucket/m")
    assert set(opened) == {"/bucket/m/model.json"}


def test_options_go_to_the_file_system():
    handler = remote("s3://bucket/m", key="k", endpoint_url="https://example.org", max_bytes=1000)
    assert Bucket.options == {}
    with pytest.raises(ModelNotFoundError):
        handler.load()
    assert Bucket.options == {"key": "k", "endpoint_url": "https://example.org"}
    with pytest.raises(ArgumentError, match="options for 'sftp://host/m' are not taken"):
        remote("sftp://host/m", no_such_option=1).load()
    with pytest.raises(ArgumentError, match="not an address that fsspec serves"):
        remote("https://example.org/m")


def test_two_schemes_of_one_place_are_the_same():
    save_artifacts("s3://bucket/m", model(1))
    with pytest.raises(ArgumentError, match="onto itself"):
        move_model("s3://bucket/m", "s3a://bucket/m/")


def test_what_is_no_place():
    for address in ("s3://", "s3:///", "sftp://"):
        with pytest.raises(ArgumentError, match="names no place"):
            load_artifacts(address)
    with pytest.raises(ArgumentError, match="names no place"):
        RemoteHandler("s3://bucket/m::file:///etc")
    with pytest.raises(ArgumentError, match="is named like a file"):
        save_artifacts("s3://bucket/model.json", model(0))


def test_a_place_that_cannot_be_written_to(monkeypatch):
    def refused(self: Any, path: str, value: bytes, **options: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(Bucket, "pipe_file", refused)
    with pytest.raises(ArgumentError, match="cannot be saved there"):
        save_artifacts("s3://bucket/m", model(0))


def test_errors_do_not_show_what_is_secret(monkeypatch):
    monkeypatch.setattr(Server, "open", lambda *given: (_ for _ in ()).throw(PermissionError("no")))
    for action in (load_artifacts, lambda a: find_handler(a).read_file()):
        with pytest.raises(ModelFileError) as caught:
            action("sftp://me:pass-word@host/m.keras")
        assert "pass-word" not in str(caught.value)


class TestLibraries:
    def test_every_scheme_is_one_that_fsspec_knows(self):
        assert set(LIBRARIES) <= set(known_implementations)
        assert {*ALIASES.values(), *WITH_FOLDERS, *RENAMES} <= set(LIBRARIES)
        assert not {"file", "local", "memory", "http", "https", "zip", "tar", "simplecache", "dir", "data"} & set(
            LIBRARIES
        )

    def test_each_is_offered_with_how_to_install_it(self):
        offers = plugins().provided("lamina_io_handlers")
        assert offers["s3"].install == "pip install 'lamina[remote]' s3fs"
        assert {scheme for scheme, offer in offers.items() if offer.needs == "fsspec"} == set(LIBRARIES)

    def test_a_missing_library_is_told_when_it_is_needed(self, monkeypatch):
        def missing(address: str, **options: Any) -> None:
            raise ImportError("Install gcsfs to access Google Storage")

        monkeypatch.setattr("lamina_remote.files.url_to_fs", missing)
        handler = find_handler("gs://bucket/m")
        with pytest.raises(PluginError) as caught:
            handler.load()
        assert str(caught.value) == (
            "'gs://bucket/m' needs a library that is not installed: Install gcsfs to access Google Storage.\n"
            "  Fix: pip install 'lamina[remote]' gcsfs"
        )

    def test_without_fsspec(self):
        code = (
            "import sys; sys.modules['fsspec'] = None\n"
            "import lamina\n"
            "try: lamina.load_model('hf://user/model')\n"
            "except lamina.errors.PluginError as error: print(error)\n"
        )
        run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
        assert "Expected the library 'fsspec' to be installed." in run.stdout
        assert "Fix: pip install 'lamina[remote]' huggingface_hub" in run.stdout

    def test_the_plugin_itself_imports_no_fsspec(self):
        code = (
            "import lamina, sys; from lamina.plugins import plugins\n"
            "plugins().provided('lamina_io_handlers'); print('lamina_remote' in sys.modules, 'fsspec' in sys.modules)"
        )
        run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
        assert (run.stdout, run.stderr) == ("True False\n", "")

    def test_making_a_handler_connects_to_nothing(self):
        for scheme in LIBRARIES:
            assert find_handler(f"{scheme}://host/m").address.endswith("://host/m")


def environment() -> dict[str, str]:
    path = [str(Path(lamina.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def test_errors_of_a_library_are_ours():
    """A real one: nobody listens there."""
    with pytest.raises(LaminaError, match="could not be"):
        load_artifacts("ftp://127.0.0.1:1/m")
