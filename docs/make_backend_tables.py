"""Writes what is generated about backends: the table in ``backends.md`` and the page ``kernels.md``.

    python docs/make_backend_tables.py

Needs every library that has a column: PyTorch and array_api_strict. CuPy's kernels are read over the stand-in of the
tests; what would need a device is not asked. Questions and kernels come from ``lamina.testing``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from lamina.contract import Backend  # noqa: E402
from lamina.ops import OPS  # noqa: E402
from lamina.testing import answers, kernel_source  # noqa: E402

BACKENDS_PAGE: Final = HERE / "backends.md"
KERNELS_PAGE: Final = HERE / "kernels.md"
MARKS: Final = ("<!-- differences: made by docs/make_backend_tables.py -->", "<!-- end -->")
NOT_ASKED: Final = "not run: no device"
READ_OFF_CODE: Final = ("kernels", "dtypes that are missing", "strings live", "recorded steps run")
"""The answers that are the same whether there is a device or not."""


class Column(NamedTuple):
    """A backend of the tables: its title, how it is made, and whether it runs as its users run it."""

    title: str
    make: Callable[[], Backend]
    runs: bool = True


def _numpy() -> Backend:
    from lamina_numpy.backend import NumPyBackend

    return NumPyBackend()


def _torch() -> Backend:
    from lamina_torch.backend import TorchBackend

    return TorchBackend("cpu")


def _cupy() -> Backend:
    from cupy_standin.backend import StandInBackend

    made: Backend = StandInBackend()
    return made


def _strict() -> Backend:
    from strict_backend import StrictBackend

    return StrictBackend()


COLUMNS: Final = (
    Column("NumPy", _numpy),
    Column("Torch, CPU", _torch),
    Column("CuPy", _cupy, runs=False),
    Column("shared kernels alone", _strict),
)


def differences() -> str:
    """The table of questions, a column per backend."""
    found = [_answers(column) for column in COLUMNS]
    rows = [[question, *(one[question] for one in found)] for question in found[0]]
    return _table([["", *(column.title for column in COLUMNS)], *rows])


def _answers(column: Column) -> dict[str, str]:
    asked = answers(column.make())
    if column.runs:
        return asked
    return {question: said if question in READ_OFF_CODE else NOT_ASKED for question, said in asked.items()}


def backends_page() -> str:
    """The page of backends with its table anew."""
    begin, end = MARKS
    before, _, rest = BACKENDS_PAGE.read_text(encoding="utf-8").partition(begin)
    return f"{before}{begin}\n\n{differences()}\n\n{end}{rest.partition(end)[2]}"


KERNELS_HEAD: Final = """# Kernels

<!-- Made by docs/make_backend_tables.py: change what it reads, and run it. -->

Where each op's result comes from on each backend. No op is missing on any.

- **own**: a kernel written for the backend, or a function of its library.
- **shared**: one of the kernels for every library that speaks the Array API standard (`lamina_arrayapi`).
- **ops**: the op is made of other ops; a backend may bring a faster kernel.
- **host**: an algorithm on the host, one for all backends. A step that uses it is not replayed.

The last column is what a new backend over the Array API standard starts with. CuPy's column is read off its code, which
has not run on a device yet. `python -m benchmarks.coverage` counts for the backends that are installed."""

SHORT: Final = {"made of ops": "ops", "on the host": "host", "missing": "**missing**"}


def kernels_page() -> str:
    """The text of the page of kernels."""
    tables = [column.make().kernels for column in COLUMNS]
    sources = {name: [kernel_source(op, kernels) for kernels in tables] for name, op in sorted(OPS.items())}
    rows = [[f"`{name}`", *(SHORT.get(source, source) for source in found)] for name, found in sources.items()]
    counts = [["", *(column.title for column in COLUMNS)]]
    for kind in ("own", "shared", "made of ops", "on the host", "missing"):
        counted = [sum(found[i] == kind for found in sources.values()) for i in range(len(COLUMNS))]
        counts.append([kind, *map(str, counted)])
    table = _table([["op", *(column.title for column in COLUMNS)], *rows])
    return f"{KERNELS_HEAD}\n\n{_table(counts)}\n\n{table}\n"


def _table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]])


def pages() -> Iterator[tuple[Path, str]]:
    """Each page with its text."""
    yield BACKENDS_PAGE, backends_page()
    yield KERNELS_PAGE, kernels_page()


def main() -> None:
    """Writes the pages."""
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
