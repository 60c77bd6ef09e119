"""``lamina doctor``: whether this installation works, or what another program lacks for a model."""

from __future__ import annotations

import argparse
from typing import Any

from lamina.cli import installation
from lamina.cli.reading import add_imports, load
from lamina.cli.tables import safe, safe_lines
from lamina.io import find_format
from lamina.models.exporting import findings_text, tfjs_findings
from lamina.models.exporting.findings import REFUSED


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
        return installation.examine()
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
