"""What loading and saving reach: no plugin that a file names, no network, nothing of the machine (rows P, N, S7)."""

from __future__ import annotations

import getpass
import json
import os
import platform
import socket
import sys
import zipfile
from typing import Any

import pytest

import lamina
import recorded
from attacks import child as watch
from attacks.attacking import check_harmless, check_refused
from attacks.conftest import FORMATS, small_model
from lamina.catalogue import OBJECTS
from lamina.contract import Provides
from lamina.errors import LaminaError, PluginError
from lamina.plugins import Plugins, resolve
from lamina.serialization import deserialize, lookup, register, serialize


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module on the path that tells when it is imported."""
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "trapped_module.py").write_text("import pathlib\npathlib.Path(__file__).rename('sprung')\n")
    monkeypatch.syspath_prepend(tmp_path / "trap")
    yield tmp_path / "trap" / "trapped_module.py"
    assert "trapped_module" not in sys.modules


@pytest.mark.parametrize(
    "named",
    [
        {"class_name": "trapped_module>Layer"},
        {"class_name": "Layer", "module": "trapped_module", "registered_name": "trapped_module>Layer"},
        {"class_name": "trapped_module.Layer"},
        {"class_name": "trapped_module:Layer"},
    ],
)
def test_p1_a_plugin_that_a_file_names_is_not_imported(named, trap, child, tmp_path):
    entry = {**named, "config": {"name": "x", "batch_input_shape": [None, 3]}}
    topology = {"class_name": "Sequential", "config": {"name": "s", "layers": [entry]}}
    (tmp_path / "model.json").write_text(json.dumps({"modelTopology": topology, "format": "layers-model"}))
    found = child.load(tmp_path / "model.json")
    check_refused(found, tmp_path / "model.json")
    assert trap.exists()


def test_p1_a_class_of_a_name_that_is_taken_is_refused():
    for name in ("Dense", "Model", "mean_squared_error"):
        with pytest.raises(LaminaError, match=f"'{name}' is that of a built-in"):
            register(name)(type(name, (lamina.layers.Layer,), {"__module__": "elsewhere"}))

    assert lookup("layers", "Dense") is lamina.layers.Dense


def test_p1_two_plugins_of_one_layer_are_refused():
    class Second:
        @staticmethod
        def lamina_layers():
            return [Provides("Dense", "elsewhere:Dense")]

    from lamina.contract import hookimpl

    Second.lamina_layers = staticmethod(hookimpl(Second.lamina_layers))
    found = Plugins("")
    found.add(Second, "second")
    with pytest.raises(PluginError, match="two plugins offer 'Dense'"):
        resolve(found.provided("lamina_layers")["Dense"])


def test_p1_a_plugin_that_raises_leaves_the_others(tmp_path, monkeypatch):
    (tmp_path / "raising_plugin.py").write_text("raise SystemError('no')")
    monkeypatch.syspath_prepend(tmp_path)
    found = Plugins("raising_plugin")
    (broken,) = [record for record in found.records if record.error]
    assert "SystemError: no" in str(broken.error)
    assert "Dense" in found.provided("lamina_layers")


def recorded_models():
    """Every recorded model, where the recordings are at hand."""
    tensorflow, keras = recorded.folder("tensorflow.js") / "artifacts", recorded.folder("keras") / "models"
    found = sorted(tensorflow.glob("*/model.json")) if tensorflow.is_dir() else []
    return [*found, *sorted(keras.glob("*/model.keras")), *sorted(keras.glob("*/model.h5"))]


def test_n1_nothing_is_asked_of_a_network(good, monkeypatch):
    def refuse(*arguments, **settings):
        raise AssertionError("a socket was made")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    for path in [*good.values(), *recorded_models()]:
        lamina.load_model(path)


@pytest.fixture
def secrets(monkeypatch):
    """What a saved file must not tell of the machine and its user."""
    monkeypatch.setenv("LAMINA_TEST_SECRET", "xyzzy-plugh-123")
    found = {platform.node(), os.getcwd(), os.path.expanduser("~"), "xyzzy-plugh-123", sys.prefix, str(os.getpid())}
    user = getpass.getuser()
    return {text for text in found if len(text) > 3} | ({user} if len(user) > 5 else set())


@pytest.mark.parametrize("ending", [*FORMATS, ".weights.h5"])
def test_s7_saved_files_tell_nothing_of_the_machine(ending, secrets, tmp_path):
    place = tmp_path / f"m{ending}"
    model = small_model()
    (model.save_weights if ending == ".weights.h5" else model.save)(place)
    files = list(place.iterdir()) if place.is_dir() else [place]
    texts = [path.read_bytes() for path in files]
    if ending == ".keras":
        with zipfile.ZipFile(place) as archive:
            texts += [archive.read(name) for name in archive.namelist()]
    for text in texts:
        found = [secret for secret in [*secrets, str(tmp_path)] if secret.encode() in text]
        assert found == []


@pytest.fixture
def watched():
    """Records what audit events the code of a test causes."""
    sys.addaudithook(watch.hook)
    watch.events = []
    yield watch.events
    watch.events = None


NUMBERS = ((0.1,), (0.1, 10), (0.1, 10, 0.5), ([1], [0.1, 0.2]))


def makes(kind: str, name: str) -> Any:
    """An object of a class, by default settings or a few numbers; None for a function, or what asks for others."""
    made = lookup(kind, name)
    for settings in [(), *(NUMBERS if kind == "schedules" else ())] if isinstance(made, type) else ():
        try:
            return made(*settings)
        except (TypeError, LaminaError):  # it asks for other settings
            continue
    return None


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_r3_constructors_open_nothing(kind, watched):
    objects = [made for name in OBJECTS[kind] if (made := makes(kind, name)) is not None]
    configs = [serialize(made) for made in objects]
    watched.clear()
    for made, config in zip(objects, configs, strict=True):
        base = next(c for c in type(made).__mro__[-2::-1] if c.__module__.startswith("lamina"))
        deserialize(kind, config, base)
    assert [event for event in watched if event[0] not in ("exec", "compile", "import")] == []
    assert kind == "activations" or len(configs) > 3


def test_r3_layers_open_nothing(child, tmp_path):
    """The layers of recorded models are made in the watched process, which opens the file only."""
    for path in recorded_models():
        found = child.load(path)
        assert found.outcome == "loaded", f"{path.parent.name}: {found.message}"
        check_harmless(found, path if path.suffix != ".json" else path.parent)
