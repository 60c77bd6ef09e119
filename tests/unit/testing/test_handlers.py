"""The kit's checks of IO handlers find what is wrong with a handler."""

from __future__ import annotations

from dataclasses import replace

import pytest

import lamina
from lamina.errors import ModelFileError, ModelNotFoundError
from lamina.io import describe, memory
from lamina.testing import check_handler


def test_lamina_s_own_handlers_pass(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAMINA_DOWNLOADS", str(tmp_path / "downloads"))
    for address in (f"file://{tmp_path}/model", str(tmp_path / "other"), "memory://m", "localstorage://m"):
        check_handler(address)
    assert lamina.io.list_models("localstorage") == {}
    check_handler("downloads://m")


class Shelf:
    """A right handler, of models that the class keeps."""

    kept: dict = {}

    def __init__(self, address):
        self.address = address

    def save(self, artifacts):
        self.kept[self.address] = artifacts
        return describe(self.address, artifacts)

    def load(self):
        if self.address not in self.kept:
            raise ModelNotFoundError(f"there is no model at {self.address}.")
        return self.kept[self.address]

    def remove(self):
        return describe(self.address, self.kept.pop(self.address))

    @classmethod
    def list_models(cls):
        return {address: describe(address, artifacts) for address, artifacts in cls.kept.items()}


class Vague(Shelf):
    def load(self):
        try:
            return super().load()
        except ModelNotFoundError as error:
            raise ModelFileError("no luck") from error


class Stubborn(Shelf):
    def save(self, artifacts):
        self.kept.setdefault(self.address, artifacts)
        return describe(self.address, artifacts)


class Forgetful(Shelf):
    def save(self, artifacts):
        return super().save(replace(artifacts, user_defined_metadata=None))


class Damaging(Shelf):
    def load(self):
        found = super().load()
        return replace(found, weight_data=bytes(4) + bytes(found.weight_data)[4:])


class Boasting(Shelf):
    def save(self, artifacts):
        return replace(super().save(artifacts), weight_bytes=1)


class Hiding(Shelf):
    @classmethod
    def list_models(cls):
        return {}


class Keeping(Shelf):
    def remove(self):
        return describe(self.address, self.kept[self.address])


class Mixed(Shelf):
    """Its single files grow."""

    files: dict = {}

    def write_file(self, parts):
        self.files.setdefault(self.address, bytearray()).extend(b"".join(parts))

    def read_file(self):
        return self.files[self.address]


@pytest.fixture
def served(monkeypatch):
    """Serves ``memory://`` by another class than lamina's."""

    def serve(kind):
        kind.kept = {}
        mine = memory.MemoryHandler
        monkeypatch.setattr(
            memory, "MemoryHandler", lambda address: (mine if "check_handler" in address else kind)(address)
        )

    return serve


def test_a_right_handler_passes(served):
    served(Shelf)
    check_handler("memory://m")
    assert Shelf.kept == {}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Vague, "no luck"),
        (Stubborn, "was saved, and 'checked_3' loaded"),
        (Forgetful, "metadata"),
        (Damaging, "does not give what it gave"),
        (Boasting, "the record says 1 bytes"),
        (Hiding, "list_models knows"),
        (Keeping, "raises no ModelNotFoundError"),
        (Mixed, "other bytes than were written"),
    ],
)
def test_a_wrong_one_is_found(kind, words, served):
    served(kind)
    with pytest.raises((AssertionError, ModelFileError), match=words):
        check_handler("memory://m")
