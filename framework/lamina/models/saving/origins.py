"""Which plugins gave a model its classes: written with it, and heeded where it is loaded.

What a file says of plugins is compared with those that are installed, and shown. Nothing is imported because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from lamina.errors import UnknownNameError
from lamina.notices import warn
from lamina.plugins import PluginRecord, plugins
from lamina.serialization import plugins_offer, saved_with, third_party_names

PLUGINS_KEY: Final = "plugins"
"""Where the list of plugins lies in the record that lamina keeps in a file."""

_WORD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,48}")
_MOST: Final = 1000


class Origin(NamedTuple):
    """A plugin, its distribution and version, and the names of a model's classes and functions that it gave."""

    plugin: str
    distribution: str
    version: str
    names: tuple[str, ...]


def origins_of(*configs: Any) -> list[dict[str, Any]]:
    """The plugins that offer what is named in configs, as plain values for a file."""
    known = third_party_names()
    if not known:
        return []
    found: dict[PluginRecord, set[str]] = {}
    for name in _named(configs) & known.keys():
        found.setdefault(known[name], set()).add(name)
    origins = [
        Origin(each.name, each.distribution, each.version, tuple(sorted(names))) for each, names in found.items()
    ]
    return [{**each._asdict(), "names": list(each.names)} for each in sorted(origins)]


def _named(configs: Any) -> set[str]:
    """Every text in configs that may name a class or a function."""
    found: set[str] = set()
    waiting: list[Any] = [configs]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, Mapping):
            waiting += [inner for key, inner in value.items() if key != "name"]
        elif isinstance(value, (list, tuple)):
            waiting += value
    return found


@contextmanager
def origins_heeded(record: Any, where: str) -> Iterator[None]:
    """For making the model of a file whose record says which plugins it needs.

    Warns of a plugin that is installed in another version than the one that the model was saved with, and lets it
    migrate its configs. An UnknownNameError for what a plugin gave says which one.
    """
    told = _read(record)
    versions: dict[str, str] = {}
    for origin in told:
        names = [name for name in origin.names if _installed(name, origin) not in (None, origin.version)]
        versions.update(dict.fromkeys(names, origin.version))
        if names:
            _warn(origin, names, where)
    try:
        with saved_with(versions):
            yield
    except UnknownNameError as error:
        for origin in told:
            if any(repr(name) in error.what for name in origin.names):
                raise _with_origin(error, origin) from error
        raise


def _read(record: Any) -> list[Origin]:
    """What a record says; entries that are malformed, which only a stranger writes, are passed over."""
    entries = record.get(PLUGINS_KEY) if isinstance(record, Mapping) else None
    found = [_origin(entry) for entry in (entries[:_MOST] if isinstance(entries, list) else ())]
    return [origin for origin in found if origin is not None]


def _origin(entry: Any) -> Origin | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("names"), list):
        return None
    plugin, distribution, version = (str(entry.get(key)) for key in ("plugin", "distribution", "version"))
    known = version == "?" or _VERSION.fullmatch(version)
    if not (_WORD.fullmatch(plugin) and _WORD.fullmatch(distribution) and known):
        return None
    return Origin(plugin, distribution, version, tuple(name for name in entry["names"] if isinstance(name, str)))


def _installed(name: str, origin: Origin) -> str | None:
    """The version of the plugin's distribution that gives a name here; None if something else does, or nothing."""
    here = third_party_names().get(name)
    return here.version if here is not None and here.distribution == origin.distribution else None


def _warn(origin: Origin, names: list[str], where: str) -> None:
    migrated = [name for name in names if any(offer.migrate for offer in plugins_offer(name))]
    advice = f"check what the model gives, or install {origin.distribution}=={origin.version}."
    if migrated:
        advice = f"it brings the configs of {', '.join(migrated)} up to date; save the model again to keep that."
    warn(
        f"{where} was saved with {origin.distribution} {origin.version}, and {_installed(names[0], origin)} is "
        f"installed: {advice}"
    )


def _with_origin(error: UnknownNameError, origin: Origin) -> UnknownNameError:
    named, source = (
        f" of {origin.distribution} {origin.version}",
        f"pip install {origin.distribution}=={origin.version}",
    )
    if origin.version == "?":  # a module by name, of no distribution
        named, source = "", f"name its module in LAMINA_PLUGINS={origin.plugin}"
    failures = plugins().failures()
    return type(error)(
        error.what,
        expected=f"the plugin {origin.plugin!r}{named}, which the model was saved with, as the file says{failures}.",
        fix=f"{source}, if that is a plugin you know and trust; or pass the class as custom_objects.",
    )
