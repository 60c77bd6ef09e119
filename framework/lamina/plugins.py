"""Finds, loads and lists plugins: the only plugin manager.

Plugins are modules under the entry-point group ``lamina``; they are imported on first need, never by
``import lamina``. ``LAMINA_PLUGINS=a,b`` limits the third-party ones to those named, and adds modules by name.
Knows the contract; knows nothing of what the plugins offer.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import pluggy

from lamina.contract import PROJECT, Provides, hookspecs
from lamina.errors import PluginError
from lamina.logs import tell
from lamina.notices import note

BUILT_IN: Final = (
    "lamina.catalogue", "lamina_numpy", "lamina_torch", "lamina_cupy", "lamina_cudnn", "lamina_http", "lamina_keras",
    "lamina_remote", "lamina_safetensors",
)  # fmt: skip
"""Modules that belong to this distribution; they are registered through the hooks like any other plugin."""

HOOKS: Final = tuple(name for name in vars(hookspecs) if name.startswith("lamina_"))
"""The names of all hooks."""


@dataclass(frozen=True)
class PluginRecord:
    """One plugin: its entry-point name, module, distribution and version, and why it did not load, if it did not."""

    name: str
    module: str
    distribution: str
    version: str
    error: str | None = None


@dataclass(frozen=True)
class Clash(Provides):
    """What stands for a name that two plugins offer: neither can be had, and all other names can."""

    reason: str = ""


class Plugins:
    """The loaded plugins and what they provide."""

    def __init__(self, allowed: str | None = None) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._records: dict[str, PluginRecord] = {}
        self._offers: dict[str, list[tuple[str, Provides]]] = {}
        self._provided: dict[str, Mapping[str, Provides]] = {}
        for record in _candidates(allowed):
            self._load(record)

    @property
    def records(self) -> list[PluginRecord]:
        """All plugins, those that did not load too, in the order in which they were found."""
        return list(self._records.values())

    def _load(self, record: PluginRecord) -> None:
        """Imports and registers a plugin, or keeps why that cannot be."""
        key = record.module
        if key in self._records:
            other = self._records[key]
            failed: str | None = f"its module {key} is that of the plugin {other.name!r} of {other.distribution}"
            key = f"{key} of {record.distribution}"
        else:
            failed = self._register(key)
        self._records[key] = replace(record, error=failed)
        tell("the plugin %s of %s %s", record.name, record.distribution, f"failed: {failed}" if failed else "is loaded")

    def _register(self, module: str) -> str | None:
        try:
            self._manager.register(importlib.import_module(module), name=module)
            self._check_hooks(module)
        except (Exception, SystemExit) as error:  # a plugin's own code: anything may come, and the others must load
            return f"{type(error).__name__}: {error}"
        return None

    def add(self, plugin: Any, name: str) -> None:
        """Registers an object with hook implementations that no installed module has, such as a test's own backend.

        Raises PluginError if a plugin of that name is there, or if it implements a hook that lamina does not have.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f"there is a plugin named {name!r} already.", fix="give another name.")
        self._manager.register(plugin, name=name)
        self._check_hooks(name)
        self._records[name] = PluginRecord(name, type(plugin).__module__, "added by hand", "?")
        self._offers.clear()
        self._provided.clear()

    def _check_hooks(self, plugin: str) -> None:
        """Raises PluginError, and forgets the plugin, if it implements a hook that lamina does not have."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=plugin)
            raise PluginError(
                f"it implements a hook that lamina does not have: {error}",
                fix="compare its hook names with lamina.contract.hookspecs, or upgrade lamina.",
            ) from error

    def _offered(self, hook: str) -> list[tuple[str, Provides]]:
        """What each plugin offers through a hook; one whose hook fails offers nothing, and is kept with the reason."""
        if hook not in self._offers:
            found = []
            for each in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
                try:
                    found += [(each.plugin_name, _description(offer)) for offer in each.function()]
                except Exception as error:  # a plugin's own code again
                    failed = f"{hook}: {type(error).__name__}: {error}"
                    self._records[each.plugin_name] = replace(self._records[each.plugin_name], error=failed)
            self._offers[hook] = found
        return self._offers[hook]

    def provided(self, hook: str) -> Mapping[str, Provides]:
        """What all plugins offer through one hook, by name.

        Where two offer one name, ``resolve`` of what stands there raises PluginError that names both.
        """
        known = self._provided.get(hook)
        if known is None:
            found: dict[str, Provides] = {}
            for _, offer in self._offered(hook):
                found[offer.name] = self._clash(hook, offer.name) if offer.name in found else offer
            known = self._provided[hook] = MappingProxyType(found)
        return known

    def _clash(self, hook: str, name: str) -> Clash:
        rivals = [f"{o.target} ({self._origin(plugin)})" for plugin, o in self._offered(hook) if o.name == name]
        return Clash(name, "", reason=f"two plugins offer {name!r} through {hook}: {' and '.join(rivals)}.")

    def clashes(self) -> list[Clash]:
        """The names that two plugins offer, of all hooks."""
        found = [offer for hook in HOOKS if hook != "lamina_kernels" for offer in self.provided(hook).values()]
        return [offer for offer in found if isinstance(offer, Clash)]

    def _origin(self, plugin: str) -> str:
        """Where a plugin comes from, in words."""
        record = self._records[plugin]
        return f"plugin {record.name!r}, {record.distribution} {record.version}"

    def origin_of(self, offer: Provides) -> str | None:
        """Where somebody else's offer comes from, in words; None for those of this distribution."""
        found = (plugin for offers in self._offers.values() for plugin, each in offers if each is offer)
        plugin = next(found, None)
        return None if plugin is None or plugin in BUILT_IN else self._origin(plugin)

    def third_party(self, hooks: Iterable[str]) -> dict[str, PluginRecord]:
        """The names that plugins other than the built-in ones offer through some hooks, each with its plugin."""
        return {
            offer.name: self._records[plugin]
            for hook in hooks
            for plugin, offer in self._offered(hook)
            if plugin not in BUILT_IN
        }

    def listing(self) -> list[tuple[PluginRecord, dict[str, list[str]]]]:
        """Each plugin, with the names that it offers through each hook."""
        offers: dict[str, dict[str, list[str]]] = {key: {} for key in self._records}
        for hook in HOOKS:
            for key, offer in self._offered(hook):
                offers[key].setdefault(hook, []).append(offer.name)
        return [(record, offers[key]) for key, record in self._records.items()]

    def all_provided(self, hook: str) -> Iterator[Provides]:
        """What all plugins offer through a hook whose names may repeat."""
        for _, offer in self._offered(hook):
            yield offer

    def failures(self) -> str:
        """Half a sentence on plugins that did not load, for errors of a name that nobody knows; empty if all did.

        >>> Plugins("").failures()
        ''
        """
        failed = [f"{record.name!r} ({record.error})" for record in self.records if record.error]
        return f"; the plugin {', '.join(failed)} did not load" if failed else ""


def _description(offer: Any) -> Provides:
    if not isinstance(offer, Provides):
        raise PluginError(f"it offers {offer!r}.", expected="descriptions: lamina.contract.Provides.")
    return offer


def _candidates(allowed: str | None) -> Iterator[PluginRecord]:
    """The plugins to load, built-in ones first."""
    version = _own_version()
    for module in BUILT_IN:
        yield PluginRecord(module, module, PROJECT, version)
    named = None if allowed is None else [n for n in allowed.replace(" ", "").split(",") if n]
    import importlib.metadata  # not at the top: it is half of the time that importing lamina would take

    entries = [_record_of(e) for e in importlib.metadata.entry_points(group=PROJECT) if e.value not in BUILT_IN]
    for record in entries:
        if named is None or record.name in named or record.distribution in named:
            yield record
    known = {word for record in entries for word in (record.name, record.distribution)}
    for name in named or ():
        if name not in known:
            yield PluginRecord(name, name, "LAMINA_PLUGINS", "?")


def _record_of(entry: Any) -> PluginRecord:
    dist = entry.dist
    return PluginRecord(entry.name, entry.value, dist.name if dist else "?", dist.version if dist else "?")


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


def checked(offer: Provides) -> Provides:
    """The offer itself. Raises PluginError if it stands for a name that two plugins offer."""
    if isinstance(offer, Clash):
        raise PluginError(
            offer.reason, fix="uninstall one of them, or set LAMINA_PLUGINS to the names of those to load."
        )
    return offer


def resolve(offer: Provides) -> Any:
    """Imports what a description points to.

    Raises PluginError that names the plugin's target, what it needs and how to install it; or both plugins, where two
    offer the name.
    """
    checked(offer)
    module, _, attribute = offer.target.partition(":")
    try:
        _check_age(offer)
        found: Any = importlib.import_module(module)
        for part in attribute.split(".") if attribute else ():
            found = getattr(found, part)
    except Exception as error:  # a library of the wrong age or machine fails in any way
        raise _not_loaded(offer, error) from error
    return found


def _not_loaded(offer: Provides, error: Exception) -> PluginError:
    known = isinstance(error, (ImportError, AttributeError, PluginError))
    refused = PluginError(
        f"{offer.name!r} could not be loaded from {offer.target}: {error if known else repr(error)}.",
        expected=f"the library {_library(offer)} to be installed." if offer.needs else None,
        fix=offer.install,
    )
    origin = plugins().origin_of(offer)
    if origin is not None:
        note(refused, f"In the {origin}.")
    return refused


def _library(offer: Provides) -> str:
    return f"{offer.needs!r}" + (f", {offer.least} or later," if offer.least else "")


def _check_age(offer: Provides) -> None:
    """Raises PluginError if the library that is installed is older than what the offer needs."""
    if offer.needs is None or offer.least is None:
        return
    version = str(getattr(importlib.import_module(offer.needs), "__version__", offer.least))
    if _numbers(version) < _numbers(offer.least):
        raise PluginError(f"the library {offer.needs!r} that is installed is {version}")


def _numbers(version: str) -> list[int]:
    """The numbers that a version starts with.

    >>> _numbers("2.13.0+cpu") > _numbers("2.6"), _numbers("1.0rc1")
    (True, [1, 0])
    """
    found = re.match(r"\d+(\.\d+)*", version)
    return [int(part) for part in found[0].split(".")] if found else []
