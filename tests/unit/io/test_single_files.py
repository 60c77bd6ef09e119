"""Whole models as single files on every medium that has them, and no network but where an address names it."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest

import lamina
from lamina.io import copy_model, find_handler, list_models, move_model, remove_model
from lamina.io.memory import MemoryHandler


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAMINA_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.chdir(tmp_path)
    yield
    for address in MemoryHandler.list_models():
        MemoryHandler(address).remove()


X = np.ones((2, 3), np.float32)


def network():
    found = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
    found.compile("adam", "mean_squared_error")
    found.fit(X, np.zeros((2, 2), np.float32), verbose=0)
    return found


@pytest.mark.parametrize("address", ["memory://m.safetensors", "m.safetensors", "file://deep/m.safetensors"])
def test_a_file_there_and_back(address):
    model = network()
    assert model.save(address).address == address
    again = lamina.load_model(address)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.fit(X, np.zeros((2, 2), np.float32), verbose=0)
    with pytest.raises(lamina.errors.ArgumentError, match="already"):
        model.save(address, overwrite=False)


def test_files_go_from_medium_to_medium():
    model = network()
    model.save("memory://m.safetensors")
    copy_model("memory://m.safetensors", "a.safetensors")
    move_model("a.safetensors", "memory://b.safetensors")
    assert not os.path.exists("a.safetensors")
    assert list(list_models("memory")) == ["memory://b.safetensors", "memory://m.safetensors"]
    np.testing.assert_array_equal(lamina.load_model("memory://b.safetensors").predict(X), model.predict(X))
    remove_model("memory://b.safetensors")
    assert list(list_models("memory")) == ["memory://m.safetensors"]


def test_a_handler_with_settings_is_a_file_too():
    shares = []
    network().save(find_handler("m.safetensors"))
    again = lamina.load_model(find_handler("m.safetensors", on_progress=shares.append))
    assert again.count_params() == 8
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_no_network_is_used(monkeypatch):
    """Every address of this machine, with sockets that cannot be made."""
    saved = network()

    def refused(*given, **settings):
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    for address in ("folder", "m.safetensors", "memory://m", "localstorage://m", "indexeddb://m", "downloads://m"):
        found = saved.save(address).address
        lamina.load_model(found)
        lamina.io.copy_model(found, f"memory://copy-of.{found.rpartition('.')[2]}" if "." in found else "memory://copy")
    assert len(list_models()) > 4
