"""Models with a plugin's layers: their files name the plugin, and loading without it, or with another, says so."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import types
import warnings

import numpy as np
import pytest

import lamina
from lamina import layers, plugins, serialization
from lamina.contract import Provides, hookimpl
from lamina.errors import ModelFileError, UnknownClassError, UnknownNameError
from lamina.models.saving import origins
from lamina.plugins import Plugins


class Hush(layers.Layer):
    """A layer of a plugin; its setting was called ``amount`` in version 1."""

    def __init__(self, factor=1.0, **common):
        super().__init__(**common)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, x):
        return x * self.scale * self.factor


class OldHush(Hush):
    """The same layer as version 1 had it."""

    def __init__(self, amount=1.0, **common):
        super().__init__(amount, **common)
        self.amount = amount


OldHush.__name__ = "Hush"


class Halved(lamina.losses.Loss):
    """A loss of the same plugin."""

    def call(self, y_true, y_pred):
        return lamina.ops.mean((y_true - y_pred) ** 2, -1) / 2


def migrated(config, version):
    if version.startswith("0"):
        raise KeyError("amount")
    return {"factor": config.pop("amount"), **config}


@pytest.fixture
def installed(monkeypatch):
    """Makes a version of the plugin the only third-party one; None takes it away."""

    def install(version, layer=Hush, migrate=None):
        module = types.ModuleType("lamina_hush")
        for kind in (layer, Halved):
            monkeypatch.setattr(kind, "__module__", "lamina_hush")

        @hookimpl
        def lamina_layers():
            return [Provides("Hush", "lamina_hush:Hush", migrate=migrate)]

        @hookimpl
        def lamina_objects():
            return [Provides("losses/Halved", "lamina_hush:Halved")]

        module.lamina_layers, module.lamina_objects = lamina_layers, lamina_objects
        module.Hush, module.Halved, module.migrated = layer, Halved, migrated
        monkeypatch.setitem(sys.modules, "lamina_hush", module)
        dist = types.SimpleNamespace(name="lamina-hush", version=version)
        entry = types.SimpleNamespace(name="hush", value="lamina_hush", dist=dist)
        monkeypatch.setattr("importlib.metadata.entry_points", lambda *, group: [entry] if version else [])
        fresh = functools.cache(Plugins)
        for user in (plugins, serialization, origins):
            monkeypatch.setattr(user, "plugins", fresh)

    return install


X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
PLACES = ["folder", "model.keras", "model.h5"]


def saved(place, layer=Hush, loss="mean_squared_error"):
    model = lamina.Sequential([layers.Dense(2, input_shape=(3,)), layer(3.0)])
    model.compile("sgd", loss)
    model.save(place)
    return model.predict(X)


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return tmp_path / request.param


def test_a_model_is_loaded_where_the_plugin_is(place, installed):
    installed("1.2")
    expected = saved(place, loss=Halved())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = lamina.load_model(place)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert type(model.layers[-1]) is Hush
    assert type(model.loss) is Halved


def test_the_file_says_which_plugin(tmp_path, installed):
    installed("1.2")
    saved(tmp_path / "folder", loss=Halved())
    document = json.loads((tmp_path / "folder" / "model.json").read_text())
    assert document["userDefinedMetadata"]["lamina"]["plugins"] == [
        {"plugin": "hush", "distribution": "lamina-hush", "version": "1.2", "names": ["Halved", "Hush"]}
    ]


def test_nothing_is_said_of_plugins_that_a_model_does_not_need(tmp_path, installed):
    installed("1.2")
    model = lamina.Sequential([layers.Dense(2, input_shape=(3,), name="Hush")])
    model.save(tmp_path / "folder")
    assert (
        "plugins" not in json.loads((tmp_path / "folder" / "model.json").read_text())["userDefinedMetadata"]["lamina"]
    )


def test_without_the_plugin_the_error_says_what_to_install(place, installed):
    installed("1.2")
    saved(place)
    installed(None)
    with pytest.raises(UnknownClassError) as caught:
        lamina.load_model(place)
    text = str(caught.value)
    assert "'Hush'" in text
    assert "Expected the plugin 'hush' of lamina-hush 1.2, which the model was saved with, as the file says" in text
    assert "Fix: pip install lamina-hush==1.2, if that is a plugin you know and trust" in text
    with pytest.raises(UnknownClassError, match=r"pip install lamina-hush==1\.2"):
        lamina.load_model(place)


def test_classes_of_the_users_own_need_no_plugin(place, installed):
    installed("1.2")
    expected = saved(place)
    installed(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = lamina.load_model(place, {"Hush": Hush})
    np.testing.assert_array_equal(model.predict(X), expected)


def test_another_version_is_a_warning(place, installed):
    installed("1.2")
    expected = saved(place)
    installed("1.3")
    said = r"lamina-hush 1\.2, and 1\.3 is installed: check what the model gives, or install lamina-hush==1\.2"
    with pytest.warns(UserWarning, match=said):
        model = lamina.load_model(place)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_the_plugin_migrates_configs_of_its_older_versions(place, installed):
    installed("1.2", OldHush)
    expected = saved(place, OldHush)
    installed("2.0", Hush, migrate="lamina_hush:migrated")
    with pytest.warns(UserWarning, match="2.0 is installed: it brings the configs of Hush up to date"):
        model = lamina.load_model(place)
    assert model.layers[-1].factor == 3.0
    np.testing.assert_array_equal(model.predict(X), expected)
    model.save(place)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lamina.load_model(place)


def test_a_migration_that_fails_is_an_error_of_the_file(place, installed):
    installed("0.9", OldHush)
    saved(place, OldHush)
    installed("2.0", Hush, migrate="lamina_hush:migrated")
    with (
        pytest.warns(UserWarning, match="up to date"),
        pytest.raises(ModelFileError, match=r"saved with version 0\.9.*KeyError\('amount'\)"),
    ):
        lamina.load_model(place)


STRANGE = [
    None,
    "hush",
    [None, 3, {}],
    [{"plugin": "hush", "distribution": "--index-url=x", "version": "1", "names": ["Hush"]}],
    [{"plugin": "hush", "distribution": "lamina-hush; rm", "version": "1", "names": ["Hush"]}],
    [{"plugin": "hush", "distribution": "lamina-hush", "version": "1 --pre", "names": ["Hush"]}],
    [{"plugin": "hush", "distribution": "lamina-hush", "version": 1, "names": "Hush"}],
    [{"plugin": "hush", "distribution": "lamina-hush", "version": "1", "names": [["Hush"]]}],
]


@pytest.mark.parametrize("strange", STRANGE)
def test_what_a_stranger_writes_there_is_passed_over(strange, tmp_path, installed):
    installed("1.2")
    saved(tmp_path / "folder")
    path = tmp_path / "folder" / "model.json"
    document = json.loads(path.read_text())
    document["userDefinedMetadata"]["lamina"]["plugins"] = strange
    path.write_text(json.dumps(document))
    assert lamina.load_model(path).count_params() == 10
    installed(None)
    with pytest.raises(UnknownClassError) as caught:
        lamina.load_model(path)
    assert "pip install" not in str(caught.value)


def test_a_file_never_makes_a_plugin_be_imported(tmp_path, installed):
    installed("1.2")
    saved(tmp_path / "folder")
    installed(None)
    sys.modules.pop("lamina_hush")
    (tmp_path / "lamina_hush.py").write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(tmp_path))
    try:
        with contextlib.suppress(UnknownClassError):
            lamina.load_model(tmp_path / "folder")
    finally:
        sys.path.remove(str(tmp_path))
    assert "lamina_hush" not in sys.modules


def test_a_module_of_no_distribution_is_named_as_one():
    entry = {"plugin": "hush", "distribution": "LAMINA_PLUGINS", "version": "?", "names": ["Hush"]}
    with pytest.raises(UnknownNameError) as caught, origins.origins_heeded({"plugins": [entry]}, "a file"):
        raise UnknownNameError("there is no layer named 'Hush'.")
    assert "Expected the plugin 'hush', which the model was saved with" in str(caught.value)
    assert "Fix: name its module in LAMINA_PLUGINS=hush, if that is" in str(caught.value)
