"""Models given on the command line: where they are, and the user's own classes that they need."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any

import lamina
from lamina.errors import ArgumentError


def add_model(parser: argparse.ArgumentParser, name: str = "model", **settings: Any) -> None:
    """An argument for the address of a model."""
    parser.add_argument(name, metavar=name.upper(), **{"help": "a path or address of a saved model", **settings})


def add_imports(parser: argparse.ArgumentParser) -> None:
    """The option that names modules of the user's with custom classes; a file never names one."""
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a module of yours first, which registers custom classes",
    )


def load(given: argparse.Namespace, address: str, **settings: Any) -> Any:
    """The model at an address, after the modules that the user named."""
    import_modules(given.modules)
    return lamina.load_model(address, **settings)


def import_modules(names: list[str]) -> None:
    """Imports modules that the user named on the command line. Raises ArgumentError for one that cannot be."""
    for name in names:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ArgumentError(f"the module {name!r} cannot be imported: {error}.", fix="see PYTHONPATH.") from error
