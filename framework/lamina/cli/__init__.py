"""The command ``lamina``: converting, looking at, checking and managing saved models, from a terminal.

Each command is a module with ``add(commands)``, which describes its arguments, and a function that does it and gives
the exit status: 0 if all is well, 1 if what was checked is not. Errors of ours go to the standard error stream as they
are, with the status 2; nothing else of lamina knows of this room.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lamina.cli import converting, doctor, installed, models, scaffolding, showing, verifying
from lamina.errors import LaminaError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with some arguments, by default those of the process, and gives its exit status.

    >>> main(["models", "list", "memory"])
    no models
    0
    """
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
    except LaminaError as error:
        print(f"lamina {given.command}: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lamina", description="Convert, look at, check and manage saved models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for room in (converting, showing, doctor, verifying, models, installed, scaffolding):
        room.add(commands)
    return parser
