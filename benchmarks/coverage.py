"""Which ops each backend has a kernel for: ``python -m benchmarks.coverage``.

Counted over all ops, per family: kernels of the backend's own, kernels shared by libraries that speak the Array API
standard, ops made of other ops, ops computed on the host for every backend, and ops that are missing. No device is
needed; where CuPy is not installed, the kernels of its backend are read over the stand-in of the tests.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections import Counter
from pathlib import Path

from benchmarks import machine
from benchmarks.table import aligned
from lamina.contract import KernelTable
from lamina.errors import PluginError
from lamina.ops import OPS
from lamina.plugins import plugins, resolve
from lamina.testing.coverage import SOURCES, kernel_source

BACKENDS = ("numpy", "torch", "cupy")
TESTS = Path(__file__).resolve().parents[1] / "tests"

Coverage = dict[str, dict[str, str]]
"""By backend, where each op's result comes from."""


def coverage(names: list[str]) -> tuple[Coverage, dict[str, str]]:
    """Where each op of each backend is from; and the backends whose kernels cannot be read, with the reason."""
    found: Coverage = {}
    unknown: dict[str, str] = {}
    for name in names:
        try:
            kernels = kernels_of(name)
        except (KeyError, ImportError, PluginError) as error:
            unknown[name] = str(error.__cause__ or error)
        else:
            found[name] = {op.name: kernel_source(op, kernels) for op in OPS.values()}
    return found, unknown


def kernels_of(name: str) -> KernelTable:
    """The kernels of a backend. Raises KeyError for one that nobody offers, PluginError if its library is missing."""
    offer = plugins().provided("lamina_backends")[name]
    try:
        table: KernelTable = resolve(offer).kernels
    except PluginError:
        if name != "cupy" or not (TESTS / "cupy_standin").is_dir():
            raise
        table = _over_the_stand_in()
    return table


def _over_the_stand_in() -> KernelTable:
    sys.path.append(str(TESTS))
    try:
        table: KernelTable = importlib.import_module("cupy_standin.backend").StandInBackend.kernels
    finally:
        sys.path.remove(str(TESTS))
    return table


def covered(sources: dict[str, str]) -> float:
    """The part of the ops that are not missing."""
    return 1.0 - sum(source == "missing" for source in sources.values()) / len(sources)


def text(found: Coverage) -> str:
    """The table: a line per family of ops and one of all, a column per backend."""
    families: dict[str, list[str]] = {}
    for op in OPS.values():
        families.setdefault(op.__module__.removeprefix("lamina.ops."), []).append(op.name)
    rows = [_row(family, members, found) for family, members in sorted(families.items())]
    total = ["all", str(len(OPS)), *(f"{covered(sources):.1%}: {counted(sources)}" for sources in found.values())]
    return aligned([["family", "ops", *found], *rows, total])


def _row(family: str, members: list[str], found: Coverage) -> list[str]:
    cells = [counted({op: sources[op] for op in members}) for sources in found.values()]
    return [family, str(len(members)), *cells]


def counted(sources: dict[str, str]) -> str:
    """How many ops come from where, in words.

    >>> counted({"add": "own", "matmul": "own", "selu": "made of ops"})
    '2 own, 1 made of ops'
    """
    found = Counter(sources.values())
    return ", ".join(f"{found[source]} {source}" for source in SOURCES if found[source])


def main() -> None:
    """Prints the table, and keeps where each op is from in a file named after the date."""
    parser = argparse.ArgumentParser("python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("backends", nargs="*", default=BACKENDS, help=f"default: {' '.join(BACKENDS)}")
    parser.add_argument("--results", type=Path, default=None, metavar="FOLDER", help="where to keep a JSON file too")
    asked = parser.parse_args()
    here = machine.describe()
    found, unknown = coverage(list(asked.backends))
    print(f"{machine.line(here)}\n\n{text(found)}")
    for name, reason in unknown.items():
        print(f"{name}: not read: {' '.join(reason.split())}")
    if asked.results is not None:
        path = asked.results / f"{here['date'][:16].replace('T', '-').replace(':', '')}-coverage.json"
        path.write_text(
            json.dumps({"machine": here, "ops": found, "not read": unknown}, indent=1) + "\n", encoding="utf-8"
        )
        print(f"\nAll ops: {path.name}")


if __name__ == "__main__":
    main()
