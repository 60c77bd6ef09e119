"""``lamina plugins`` and ``lamina backends``: what is installed, what it offers, and why something does not load."""

from __future__ import annotations

import argparse
from typing import Any

import lamina
from lamina.cli.tables import printed, safe
from lamina.plugins import plugins


def add(commands: Any) -> None:
    """Describes the commands."""
    commands.add_parser("plugins", help="list plugins, what they offer, and why one did not load").set_defaults(
        run=list_plugins
    )
    commands.add_parser("backends", help="list backends, and why one does not work here").set_defaults(
        run=list_backends
    )


def list_plugins(given: argparse.Namespace) -> int:
    """Prints one row for each plugin, and the names that two offer; the status is 1 if something is wrong."""
    found, clashes = plugins().listing(), plugins().clashes()
    rows = [
        [each.name, each.version, each.distribution, f"failed: {each.error}" if each.error else _words(offers)]
        for each, offers in found
    ]
    print(printed(["plugin", "version", "from", "offers"], rows))
    for clash in clashes:
        print(safe(clash.reason))
    return int(bool(clashes) or any(each.error for each, _ in found))


def _words(offers: dict[str, list[str]]) -> str:
    parts = [
        f"{kind}: {', '.join(names)}" if len(names) <= 8 else f"{len(names)} {kind}"
        for kind, names in ((hook.removeprefix("lamina_").replace("_", " "), names) for hook, names in offers.items())
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
