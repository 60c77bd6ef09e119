"""``lamina doctor``: whether this installation works, or what another program lacks for a model."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import tempfile
from typing import Any

import numpy as np

import lamina
from lamina.cli import tensorflowjs
from lamina.cli.reading import add_imports, load
from lamina.cli.tables import printed, safe, safe_lines
from lamina.io import find_format
from lamina.io.folders import home
from lamina.models.exporting import findings_text, tfjs_findings
from lamina.models.exporting.findings import REFUSED
from lamina.plugins import plugins
from lamina.utils.versions import OPTIONAL


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser(
        "doctor",
        help="check this installation, or what another program lacks for a model",
        description="Without MODEL, checks this installation. With MODEL, lists what TARGET lacks for it; the status "
        "is 1 if it cannot have the model.",
    )
    parser.add_argument("model", nargs="?", help="a path or address of a saved model")
    parser.add_argument(
        "--target", choices=("tfjs", "keras"), default="tfjs", help="the program that is to load the model"
    )
    add_imports(parser)
    parser.set_defaults(run=doctor)


def doctor(given: argparse.Namespace) -> int:
    """Prints what was found; the status is 1 if something does not work."""
    if given.model is None:
        return _installation()
    model = load(given, given.model)
    return _for_keras(model) if given.target == "keras" else _for_tensorflowjs(model)


def _for_keras(model: Any) -> int:
    """What the format of Keras's files says; a file is written all the same, and read here."""
    place = find_format("model.keras")
    assert place is not None
    found = place.able("findings")(model)
    print("\n".join(map(safe, found)) if found else f"{model.name}: Keras 3 takes it as it is")
    return int(bool(found))


def _for_tensorflowjs(model: Any) -> int:
    found = tfjs_findings(model)
    print(safe_lines(findings_text(found)) if found else f"{model.name}: TensorFlow.js takes it as it is")
    return int(any(finding.severity == REFUSED for finding in found))


def _installation() -> int:
    rows = [
        ["lamina", plugins().records[0].version, f"Python {platform.python_version()}, NumPy {np.__version__}"],
        *_backend_rows(),
        *_library_rows(),
        *_plugin_rows(),
        ["node", *(("found", package) if (package := tensorflowjs.find()) else ("not found", tensorflowjs.HOW_TO_GET))],
        ["store", *_store()],
    ]
    print(printed(["part", "state", "remark"], rows))
    return int(any(state == "broken" for _, state, _ in rows))


def _backend_rows() -> list[list[str]]:
    found = lamina.list_backends().items()
    return [[f"backend {name}", "not available" if missing else "works", missing or ""] for name, missing in found]


def _library_rows() -> list[list[str]]:
    rows = []
    for name, extra in OPTIONAL.items():
        try:
            rows.append([name, importlib.metadata.version(name), ""])
        except importlib.metadata.PackageNotFoundError:
            rows.append([name, "not installed", f"pip install '{extra}'"])
    return rows


def _plugin_rows() -> list[list[str]]:
    return [[f"plugin {record.name}", "broken", record.error] for record in plugins().records if record.error]


def _store() -> tuple[str, str]:
    """Whether the folder of localstorage:// may be written to."""
    folder = home()
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return "works", home()
    except OSError as error:
        return "broken", f"{home()}: {error.strerror}; set LAMINA_HOME to a folder that may be written to"
