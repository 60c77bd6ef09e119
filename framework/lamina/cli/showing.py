"""``lamina summary``: the layers of a saved model."""

from __future__ import annotations

import argparse
from typing import Any

from lamina.cli.reading import add_imports, add_model, load


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser("summary", help="print the layers of a saved model")
    add_model(parser)
    parser.add_argument("--expand-nested", action="store_true", help="list the layers of models inside too")
    parser.add_argument("--trainable", action="store_true", help="say what training changes")
    parser.add_argument("--memory", action="store_true", help="tell the bytes of weights and outputs")
    parser.add_argument("--multiply-adds", action="store_true", help="tell the multiply-adds for one example")
    add_imports(parser)
    parser.set_defaults(run=summary)


def summary(given: argparse.Namespace) -> int:
    """Prints the table."""
    load(given, given.model, compile=False).summary(
        expand_nested=given.expand_nested,
        show_trainable=given.trainable,
        show_memory=given.memory,
        show_multiply_adds=given.multiply_adds,
    )
    return 0
