"""``lamina plugins`` and ``lamina backends``: what is installed, what it offers, and why something does not load."""

from __future__ import annotations

import argparse
from typing import Any, Final

import lamina
from lamina.cli.tables import printed, safe
from lamina.contract import hookspecs
from lamina.plugins import plugins

HOOKS: Final = tuple(name for name in vars(hookspecs) if name.startswith("lamina_"))


def add(commands: Any) -> None:
    """Describes the commands."""
    commands.add_parser("plugins", help="list plugins, what they offer, and why one did not load").set_defaults(
        run=list_plugins
    )
    commands.add_parser("backends", help="list backends, and why one does not work here").set_defaults(
        run=list_backends
    )


def list_plugins(given: argparse.Namespace) -> int:
    """Prints one row for each plugin; the status is 1 if one did not load."""
    offers = _offers()
    rows = [
        [record.name, f"{record.distribution} {record.version}", record.error or _words(offers.get(record.module, {}))]
        for record in plugins().records
    ]
    print(printed(["plugin", "from", "offers"], rows))
    return int(any(record.error for record in plugins().records))


def _offers() -> dict[str, dict[str, list[str]]]:
    """The names that each plugin's module offers, by hook."""
    found: dict[str, dict[str, list[str]]] = {}
    for hook in HOOKS:
        for module, names in plugins().offered_by(hook).items():
            found.setdefault(module, {})[hook.removeprefix("lamina_")] = names
    return found


def _words(offers: dict[str, list[str]]) -> str:
    parts = [
        f"{kind.replace('_', ' ')}: {', '.join(names)}" if len(names) <= 8 else f"{len(names)} {kind.replace('_', ' ')}"
        for kind, names in offers.items()
        if names
    ]
    return "; ".join(parts) or "nothing"


def list_backends(given: argparse.Namespace) -> int:
    """Prints the backends, the active one marked."""
    active = lamina.get_backend()
    rows = []
    for name, missing in lamina.list_backends().items():
        state = missing or "works" + (f", active on {active.device}" if name == active.name else "")
        rows.append([name, safe(state)])
    print(printed(["backend", "state"], rows))
    return 0
