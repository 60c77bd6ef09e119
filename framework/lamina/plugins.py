"""Finds, loads and lists plugins: the only plugin manager.

Plugins are modules under the entry-point group ``lamina``; they are imported on first need, never by
``import lamina``. ``LAMINA_PLUGINS=a,b`` limits the third-party ones to those named, and adds modules by name.
Knows the contract; knows nothing of what the plugins offer.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pluggy

from lamina.contract import PROJECT, Provides, hookspecs
from lamina.errors import PluginError

BUILT_IN: Final = (
    "lamina.catalogue", "lamina_numpy", "lamina_torch", "lamina_cupy", "lamina_http", "lamina_keras", "lamina_remote",
    "lamina_safetensors",
)  # fmt: skip
"""Modules that belong to this distribution; they are registered through the hooks like any other plugin."""


@dataclass(frozen=True)
class PluginRecord:
    """One plugin: its entry-point name, module, distribution and version, and why it did not load, if it did not."""

    name: str
    module: str
    distribution: str
    version: str
    error: str | None = None


class Plugins:
    """The loaded plugins and what they provide."""

    def __init__(self, allowed: str | None = None) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.records: list[PluginRecord] = []
        for name, module, distribution, version in _candidates(allowed):
            self._register(name, module, distribution, version)
        self._check_hooks()

    def _register(self, name: str, module: str, distribution: str, version: str) -> None:
        failed = None
        try:
            plugin = importlib.import_module(module)
        except Exception as error:  # a plugin's own code: anything may come, and the others must still load
            failed = f"{type(error).__name__}: {error}"
        else:
            self._manager.register(plugin, name=module)
        self.records.append(PluginRecord(name, module, distribution, version, failed))

    def add(self, plugin: Any, name: str) -> None:
        """Registers an object with hook implementations that no installed module has, such as a test's own backend.

        Raises PluginError if a plugin of that name is there, or if it implements a hook that lamina does not have.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f"there is a plugin named {name!r} already.", fix="give another name.")
        self._manager.register(plugin, name=name)
        self.records.append(PluginRecord(name, type(plugin).__module__, "added by hand", "?"))
        self._check_hooks()

    def _check_hooks(self) -> None:
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"a plugin implements a hook that lamina does not have: {error}",
                fix="compare its hook names with lamina.contract.hookspecs, or upgrade lamina.",
            ) from error

    def provided(self, hook: str) -> dict[str, Provides]:
        """What all plugins offer through one hook, by name.

        Raises PluginError if two offer the same name.
        """
        found: dict[str, Provides] = {}
        owners: dict[str, str] = {}
        for each in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            for offer in each.function():
                if offer.name in found:
                    raise PluginError(
                        f"two plugins offer {offer.name!r} through {hook}: "
                        f"{found[offer.name].target} ({self._origin(owners[offer.name])}) and "
                        f"{offer.target} ({self._origin(each.plugin_name)}).",
                        fix="uninstall one of them, or set LAMINA_PLUGINS to the names of those to load.",
                    )
                found[offer.name], owners[offer.name] = offer, each.plugin_name
        return found

    def _origin(self, plugin: str) -> str:
        """Where a plugin comes from, in words."""
        record = next(r for r in self.records if plugin in (r.module, r.name))
        return f"plugin {record.name!r}, {record.distribution} {record.version}"

    def offered_by(self, hook: str) -> dict[str, list[str]]:
        """The names that each plugin offers through one hook, by the plugin's module."""
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return {each.plugin_name: [offer.name for offer in each.function()] for each in reversed(found)}

    def all_provided(self, hook: str) -> Iterator[Provides]:
        """What all plugins offer through a hook whose names may repeat."""
        for offers in getattr(self._manager.hook, hook)():
            yield from offers


def _candidates(allowed: str | None) -> Iterator[tuple[str, str, str, str]]:
    """(name, module, distribution, version) of each plugin to load, built-in ones first."""
    version = _own_version()
    for module in BUILT_IN:
        yield module, module, PROJECT, version
    named = None if allowed is None else [n for n in allowed.replace(" ", "").split(",") if n]
    import importlib.metadata  # not at the top: it is half of the time that importing lamina would take

    entries = {e.name: e for e in importlib.metadata.entry_points(group=PROJECT) if e.value not in BUILT_IN}
    for name, entry in entries.items():
        if named is None or name in named:
            dist = entry.dist
            yield name, entry.value, dist.name if dist else "?", dist.version if dist else "?"
    for name in named or ():
        if name not in entries:
            yield name, name, "LAMINA_PLUGINS", "?"


def _own_version() -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(PROJECT)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@functools.lru_cache(maxsize=1)
def plugins() -> Plugins:
    """The process's plugins, loaded at the first call."""
    return Plugins(os.environ.get("LAMINA_PLUGINS"))


def resolve(offer: Provides) -> Any:
    """Imports what a description points to.

    Raises PluginError that names the plugin's target, what it needs and how to install it.
    """
    module, _, attribute = offer.target.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split(".") if attribute else ():
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"{offer.name!r} could not be loaded from {offer.target}: {error}.",
            expected=f"the library {offer.needs!r} to be installed." if offer.needs else None,
            fix=offer.install,
        ) from error
    return found
