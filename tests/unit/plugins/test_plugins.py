"""Finding, limiting and refusing plugins."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.contract import Provides, hookimpl
from lamina.errors import PluginError
from lamina.plugins import BUILT_IN, Plugins, resolve


def _module(name: str, offers: Iterable[str]) -> Any:
    """A module with a hook implementation that offers layers."""

    @hookimpl
    def lamina_layers() -> Iterable[Provides]:
        return [Provides(offer, f"{name}:{offer}") for offer in offers]

    return SimpleNamespace(__name__=name, lamina_layers=lamina_layers)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two third-party plugins: ``alpha`` offers Alpha, ``beta`` offers Beta; ``gamma`` is a module, not installed."""
    entries = []
    for name in ("alpha", "beta"):
        monkeypatch.setitem(sys.modules, f"{name}_plugin", _module(f"{name}_plugin", [name.capitalize()]))
        entries.append(importlib.metadata.EntryPoint(name, f"{name}_plugin", "lamina"))
    monkeypatch.setitem(sys.modules, "gamma", _module("gamma", ["Gamma"]))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: entries if group == "lamina" else [])


def _layers(plugins: Plugins) -> set[str]:
    return {"Alpha", "Beta", "Gamma"} & set(plugins.provided("lamina_layers"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {"Alpha", "Beta"}),
        ("alpha", {"Alpha"}),
        ("alpha, gamma", {"Alpha", "Gamma"}),
        ("gamma", {"Gamma"}),
        ("", set()),
    ],
)
def test_the_environment_limits_and_adds(allowed: str | None, expected: set[str]) -> None:
    plugins = Plugins(allowed)
    assert _layers(plugins) == expected
    assert [r.name for r in plugins.records][: len(BUILT_IN)] == list(BUILT_IN)
    assert "numpy" in plugins.provided("lamina_backends")


@pytest.mark.usefixtures("installed")
def test_two_plugins_of_one_name_are_an_error_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "beta_plugin", _module("beta_plugin", ["Alpha"]))
    found = Plugins()
    with pytest.raises(PluginError) as caught:
        resolve(found.provided("lamina_layers")["Alpha"])
    assert [clash.name for clash in found.clashes()] == ["Alpha"]
    assert resolve(found.provided("lamina_layers")["Dense"]).__name__ == "Dense"
    assert str(caught.value) == (
        "two plugins offer 'Alpha' through lamina_layers: beta_plugin:Alpha (plugin 'beta', ? ?) "
        "and alpha_plugin:Alpha (plugin 'alpha', ? ?).\n"
        "  Fix: uninstall one of them, or set LAMINA_PLUGINS to the names of those to load."
    )


@pytest.mark.usefixtures("installed")
def test_a_plugin_with_an_unknown_hook_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def lamina_laayers() -> Iterable[Provides]:
        return []

    monkeypatch.setitem(sys.modules, "beta_plugin", SimpleNamespace(lamina_laayers=lamina_laayers))
    plugins = Plugins()
    assert _layers(plugins) == {"Alpha"}
    (record,) = [r for r in plugins.records if r.error]
    assert record.name == "beta"
    assert "PluginError: it implements a hook that lamina does not have: " in str(record.error)
    assert "lamina_laayers" in str(record.error)
    assert "the plugin 'beta' (PluginError: it implements" in plugins.failures()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("offers", [["Alpha"], None])
def test_a_plugin_whose_hook_fails_does_not_stop_the_others(offers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def lamina_layers() -> Any:
        return offers

    monkeypatch.setitem(sys.modules, "beta_plugin", SimpleNamespace(lamina_layers=lamina_layers))
    plugins = Plugins()
    assert _layers(plugins) == {"Alpha"}
    (record,) = [r for r in plugins.records if r.error]
    assert record.name == "beta"
    assert str(record.error).startswith("lamina_layers: ")


def test_a_plugin_that_leaves_on_import_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaving_plugin.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Plugins("leaving_plugin").records[-1].error == "SystemExit: 3"


def _entry(name: str, module: str, distribution: str) -> Any:
    dist = SimpleNamespace(name=distribution, version="1.0")
    return SimpleNamespace(name=name, value=module, dist=dist)


@pytest.mark.usefixtures("installed")
def test_two_distributions_may_name_their_plugins_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [_entry("same", "alpha_plugin", "one"), _entry("same", "beta_plugin", "two")]
    entries.append(_entry("third", "alpha_plugin", "three"))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: entries)
    plugins = Plugins()
    assert _layers(plugins) == {"Alpha", "Beta"}
    assert plugins.records[-1].error == "its module alpha_plugin is that of the plugin 'same' of one"
    assert _layers(Plugins("same")) == {"Alpha", "Beta"}
    assert _layers(Plugins("two")) == {"Beta"}
    owner = plugins.third_party(["lamina_layers"])["Beta"]
    assert (owner.distribution, owner.version) == ("two", "1.0")


@pytest.mark.parametrize(("version", "age"), [("2.5.9", "old"), ("2.6.0+cpu", "new"), ("2.13", "new")])
def test_a_library_that_is_too_old_says_so(version: str, age: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agent", SimpleNamespace(__version__=version))
    offer = Provides("thing", "lamina.shapes:Spec", needs="agent", least="2.6", install="pip install -U agent")
    if age == "new":
        assert resolve(offer).__name__ == "Spec"
        return
    with pytest.raises(PluginError) as caught:
        resolve(offer)
    assert str(caught.value) == (
        "'thing' could not be loaded from lamina.shapes:Spec: the library 'agent' that is installed is 2.5.9.\n"
        "  Expected the library 'agent', 2.6 or later, to be installed.\n"
        "  Fix: pip install -U agent"
    )


def test_a_library_that_fails_on_import_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing_library.py").write_text("raise OSError('libcudart.so.12: no such file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match=r"OSError.*libcudart"):
        resolve(Provides("thing", "crashing_library:Thing", needs="crashing_library", install="pip install it"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("failure", ["import no_such_library_of_ours", "raise KeyError('on import')", "1 / 0"])
def test_a_plugin_that_fails_on_import_does_not_stop_the_others(
    failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beta_plugin.py").write_text(failure)
    monkeypatch.delitem(sys.modules, "beta_plugin")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = Plugins()
    assert _layers(plugins) == {"Alpha"}
    (record,) = [r for r in plugins.records if r.name == "beta"]
    assert record.error is not None
    assert record.error.partition(":")[0] in {"ModuleNotFoundError", "KeyError", "ZeroDivisionError"}
    assert [r.error for r in plugins.records if r.name == "alpha"] == [None]


class _Offers:
    @hookimpl
    def lamina_layers(self) -> Iterable[Provides]:
        return [Provides("Mine", "lamina.shapes:Spec")]


def test_a_plugin_can_be_added_by_hand() -> None:
    plugins = Plugins()
    plugins.add(_Offers(), "mine")
    assert resolve(plugins.provided("lamina_layers")["Mine"]).__name__ == "Spec"
    assert plugins.records[-1].distribution == "added by hand"
    with pytest.raises(PluginError, match="a plugin named 'mine' already"):
        plugins.add(_Offers(), "mine")


def test_all_offers_of_a_hook_whose_names_repeat() -> None:
    class Kernels:
        @hookimpl
        def lamina_kernels(self) -> Iterable[Provides]:
            return [Provides("numpy", "a:b"), Provides("numpy", "c:d")]

    plugins = Plugins()
    plugins.add(Kernels(), "kernels")
    assert [p.target for p in plugins.all_provided("lamina_kernels")] == ["a:b", "c:d"]


@pytest.mark.parametrize(
    "target", ["no_such_module_of_ours:Thing", "lamina.shapes:NoSuchThing", "lamina.shapes:Spec.no"]
)
def test_what_cannot_be_imported_says_what_it_needs(target: str) -> None:
    with pytest.raises(PluginError) as caught:
        resolve(Provides("thing", target, needs="ours", install="pip install ours"))
    text = str(caught.value)
    assert text.startswith(f"'thing' could not be loaded from {target}: ")
    assert "Expected the library 'ours' to be installed." in text
    assert "Fix: pip install ours" in text


def test_importing_lamina_loads_no_plugin_and_no_array_library_but_numpy() -> None:
    code = (
        "import sys, lamina\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\n"
        "print(sorted(loaded & {'torch', 'cupy', 'lamina_numpy', 'lamina_torch', 'lamina_cupy', 'pytest'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
