"""``lamina models``: the models in stores that keep a list, copied, moved and removed by address."""

from __future__ import annotations

import argparse
from typing import Any

from lamina import io
from lamina.cli.tables import printed, size


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser("models", help="list, copy, move and remove stored models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the models of all stores, or of one scheme")
    listing.add_argument("scheme", nargs="?", help="such as localstorage")
    listing.set_defaults(run=list_models)
    for name, words in (("copy", "copy a model"), ("move", "move a model; the source goes once the copy is complete")):
        action = actions.add_parser(name, help=words)
        action.add_argument("source")
        action.add_argument("destination")
        action.set_defaults(run=transfer)
    removing = actions.add_parser("remove", help="remove a model")
    removing.add_argument("address")
    removing.set_defaults(run=remove)


def list_models(given: argparse.Namespace) -> int:
    """Prints the models, one a line."""
    scheme = given.scheme.removesuffix("://") if given.scheme else None
    rows = [
        [address, size(found.weight_bytes), found.date_saved.astimezone().strftime("%Y-%m-%d %H:%M")]
        for address, found in sorted(io.list_models(scheme).items())
    ]
    print(printed(["model", "weights", "saved"], rows) if rows else "no models")
    return 0


def transfer(given: argparse.Namespace) -> int:
    """Copies or moves a model."""
    done = (io.copy_model if given.action == "copy" else io.move_model)(given.source, given.destination)
    print(f"{done.address}: {size(done.weight_bytes)} of weights")
    return 0


def remove(given: argparse.Namespace) -> int:
    """Removes a model."""
    print(f"removed {io.remove_model(given.address).address}")
    return 0
