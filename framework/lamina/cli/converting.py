"""``lamina convert``: a saved model from one format or place to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lamina.cli.reading import add_imports, load
from lamina.cli.tables import size
from lamina.contract import SaveResult
from lamina.errors import ArgumentError
from lamina.io import find_format
from lamina.models.saving import is_there

_STAGES = ("reading", "writing")


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser(
        "convert",
        help="convert a saved model to another format or place",
        description="Reads SOURCE and writes TARGET. Endings tell formats: .keras, .h5, .safetensors, .weights.h5; "
        "any other address gets a model.json and weight files, which TensorFlow.js can load.",
    )
    parser.add_argument("source", help="a path or address of a saved model")
    parser.add_argument("target", help="where to write it")
    parser.add_argument("--overwrite", action="store_true", help="replace a model that is there")
    parser.add_argument("--architecture", metavar="MODEL", help="a saved model for whose layers SOURCE has the weights")
    parser.add_argument("--no-optimizer", action="store_true", help="leave out how the model was compiled and trained")
    parser.add_argument("--as-is", action="store_true", help="write layers that TensorFlow.js lacks, to load them here")
    parser.add_argument(
        "--quantize",
        action="append",
        default=[],
        metavar="DTYPE[:NAMES]",
        help="store weights as uint8, uint16 or float16; NAMES are patterns with *, separated by commas",
    )
    parser.add_argument("--shard-bytes", type=int, metavar="N", help="the longest weight file; 4 MiB by default")
    parser.add_argument("--split-by-layer", action="store_true", help="a group of weight files for each layer")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_imports(parser)
    parser.set_defaults(run=convert)


def convert(given: argparse.Namespace) -> int:
    """Reads the one and writes the other."""
    settings = _settings(given)
    if not given.overwrite and is_there(given.target):
        raise ArgumentError(f"there is something at {given.target} already.", fix="add --overwrite to replace it.")
    with _progress(given.quiet) as advance:
        model = _read(given)
        advance("writing")
        done = _write(model, given, settings)
        advance("done")
    print(f"{given.target}: {model.count_params():,} parameters, {size(done.weight_bytes)}")
    return 0


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """A bar of the stages on a terminal; gives what is called with the name of the next one."""
    from tqdm import tqdm

    layout = "{desc:<10}{bar:30} {n_fmt}/{total_fmt} {elapsed}"
    hidden = quiet or not sys.stderr.isatty()
    with tqdm(total=len(_STAGES), desc="reading", disable=hidden, leave=False, bar_format=layout) as bar:

        def advance(stage: str) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.update()

        yield advance


def _read(given: argparse.Namespace) -> Any:
    if given.architecture is None:
        return load(given, given.source, compile=not given.no_optimizer)
    model = load(given, given.architecture, compile=False)
    model.load_weights(given.source)
    return model


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    """What only the layout of TensorFlow.js knows; refused for another target."""
    found = {
        "quantization": _quantization(given.quantize),
        "shard_bytes": given.shard_bytes,
        "split_by_layer": given.split_by_layer or None,
    }
    settings = {name: value for name, value in found.items() if value is not None}
    if settings and (given.as_is or find_format(given.target) is not None):
        raise ArgumentError(
            f"{', '.join(settings)} for {given.target}.", expected="a folder or address without --as-is.",
            fix="leave the option out, or the ending of the target.",
        )  # fmt: skip
    return settings


def _quantization(given: list[str]) -> dict[str, Any] | None:
    """Dtypes with the patterns of the names that they are for."""
    found: dict[str, Any] = {}
    for entry in given:
        dtype, _, names = entry.partition(":")
        found.setdefault(dtype, []).extend(names.split(",") if names else ["*"])
    return found or None


def _write(model: Any, given: argparse.Namespace, settings: dict[str, Any]) -> SaveResult:
    place = find_format(given.target)
    if place is not None and getattr(place.format, "save_model", None) is None:
        saved: SaveResult = model.save_weights(given.target, overwrite=True)
    elif place is not None or given.as_is:
        saved = model.save(given.target, include_optimizer=not given.no_optimizer)
    else:
        saved = model.export(given.target, include_optimizer=not given.no_optimizer, **settings)
    return saved
