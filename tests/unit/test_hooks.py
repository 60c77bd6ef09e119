"""Each hook, as a third party implements it: a module that is named as a plugin."""

from __future__ import annotations

import functools
import sys
import types

import numpy as np
import pytest

import lamina
from lamina import plugins as room
from lamina import serialization
from lamina.contract import KernelTable, Provides, hookimpl
from lamina.errors import BackendNotAvailableError, PluginError
from lamina.plugins import Plugins, resolve
from lamina.runtime import backends
from lamina.serialization import lookup


def make_plugin(**hooks):
    """A module with the given hook implementations."""
    module = types.ModuleType("third_party")
    for name, implementation in hooks.items():
        setattr(module, name, hookimpl(implementation))
    return module


@pytest.fixture
def install(monkeypatch):
    """Makes a module the only third-party plugin of this process, until the test is over."""

    def installed(module):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(backends, "_INSTANCES", {})
        fresh = functools.cache(lambda: Plugins(module.__name__))
        for user in (room, backends, serialization):
            monkeypatch.setattr(user, "plugins", fresh)

    return installed


def test_lamina_backends(install):
    from lamina_numpy.backend import NumPyBackend

    class Loud(NumPyBackend):
        name = "loud"

    def lamina_backends():
        return [Provides("loud", "third_party:Loud")]

    module = make_plugin(lamina_backends=lamina_backends)
    module.Loud = Loud
    install(module)
    with lamina.backend_scope("loud"):
        assert (lamina.ones((2,)) + 1.0).backend.name == "loud"


def test_a_backend_whose_library_is_missing_says_how_to_get_it(install):
    def lamina_backends():
        return [Provides("far", "far_away.backend:Far", needs="far_away", install="pip install far-away")]

    install(make_plugin(lamina_backends=lamina_backends))
    with pytest.raises(BackendNotAvailableError, match="pip install far-away"):
        lamina.set_backend("far")
    assert "far_away" in lamina.list_backends()["far"]


def test_lamina_kernels(install, monkeypatch):
    from lamina_numpy.backend import NumPyBackend

    def lamina_kernels():
        return [Provides("numpy", "third_party:kernels")]

    monkeypatch.setattr(NumPyBackend, "kernels", NumPyBackend.kernels)  # what the plugin adds goes with the test
    module = make_plugin(lamina_kernels=lamina_kernels)
    module.kernels = KernelTable()
    module.kernels.add("relu", lambda x: np.full_like(x, 7.0))
    install(module)
    with lamina.backend_scope("numpy"):
        assert lamina.relu(lamina.tensor([1.0])).tolist() == [7.0]


def test_lamina_layers(install):
    def lamina_layers():
        return [Provides("Squeeze", "third_party:Squeeze")]

    module = make_plugin(lamina_layers=lamina_layers)
    module.Squeeze = type("Squeeze", (), {})
    install(module)
    assert lookup("layers", "Squeeze") is module.Squeeze


def test_lamina_objects(install):
    def lamina_objects():
        return [Provides("losses/Focal", "third_party:Focal")]

    module = make_plugin(lamina_objects=lamina_objects)
    module.Focal = type("Focal", (), {})
    install(module)
    assert lookup("losses", "Focal") is module.Focal


def test_lamina_io_handlers(install):
    def lamina_io_handlers():
        return [Provides("pigeon", "third_party:Pigeon")]

    module = make_plugin(lamina_io_handlers=lamina_io_handlers)
    module.Pigeon = type("Pigeon", (), {})
    install(module)
    assert resolve(room.plugins().provided("lamina_io_handlers")["pigeon"]) is module.Pigeon


def test_an_unknown_hook_is_an_error_of_its_plugin(install):
    install(make_plugin(lamina_surprises=lambda: []))
    assert "lamina_surprises" in str(room.plugins().records[-1].error)
    assert lookup("layers", "Dense") is lamina.layers.Dense


def test_two_plugins_of_one_name_are_an_error(install):
    install(make_plugin(lamina_backends=lambda: [Provides("numpy", "third_party:Other")]))
    with pytest.raises(PluginError, match="two plugins offer 'numpy'"):
        resolve(room.plugins().provided("lamina_backends")["numpy"])
    with pytest.raises(BackendNotAvailableError, match="two plugins offer 'numpy'"):
        lamina.set_backend("numpy")
    assert lookup("layers", "Dense") is lamina.layers.Dense


def test_a_plugin_that_cannot_be_imported_is_listed_with_the_reason():
    record = Plugins("not_there_at_all").records[-1]
    assert record.name == "not_there_at_all"
    assert "ModuleNotFoundError" in record.error


def test_no_third_party_plugin_is_loaded_if_none_is_named():
    assert {record.module for record in Plugins("").records} == set(room.BUILT_IN)


def test_lamina_formats(install):
    def lamina_formats():
        return [Provides(".pigeon", "third_party:Pigeon")]

    module = make_plugin(lamina_formats=lamina_formats)
    module.Pigeon = type("Pigeon", (), {})
    install(module)
    assert resolve(room.plugins().provided("lamina_formats")[".pigeon"]) is module.Pigeon
