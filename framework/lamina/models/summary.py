"""The table that ``model.summary()`` prints."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from lamina.markup import printable
from lamina.models.costs import weight_bytes
from lamina.models.printing import in_bytes
from lamina.models.rows import LayerRow, is_stack, model_rows
from lamina.shapes import as_float, as_int

_NARROWEST: Final = 66
_WIDEST: Final = 120  # columns are cut in lines from here on
_LEAST: Final = 6


def summary_lines(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    *,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    show_memory: bool = False,
    show_multiply_adds: bool = False,
) -> list[str]:
    """The lines of the summary."""
    rows = model_rows(model, expand_nested=expand_nested, memory=show_memory, costs=show_multiply_adds)
    table = table_of(model, _chosen(rows, layer_range), show_trainable, show_memory, show_multiply_adds)
    widths = _widths(table, line_length, positions)
    line = "=" * sum(widths)
    lines = [f'Model: "{printable(model.name)}" ({printable(type(model).__name__)})', line]
    lines += [*_laid_out(table[0], widths), line]
    for row in table[1:]:
        lines += _laid_out(row, widths)
    return [*lines, line, *totals(model, rows, show_memory, show_multiply_adds), "_" * len(line)]


def table_of(
    model: Any, rows: Sequence[LayerRow], show_trainable: bool, show_memory: bool, show_multiply_adds: bool
) -> list[list[str]]:
    """The heading and the rows as text; a graph that is not a plain stack has a column of what each layer receives."""
    columns = {
        "Layer (type)": [f"{'  ' * row.depth}{printable(row.name)} ({printable(row.class_name)})" for row in rows],
        "Output Shape": ["?" if row.output_shape is None else str(row.output_shape) for row in rows],
        "Param #": ["not built" if row.params is None else f"{row.params:,}" for row in rows],
    }
    if not is_stack(model):
        columns["Receives inputs"] = ["\n".join(map(printable, row.received)) for row in rows]
    if show_trainable:
        columns["Trainable"] = ["-" if not row.params else "Y" if row.trainable else "N" for row in rows]
    if show_memory:
        columns["Weights"] = [in_bytes(row.weight_bytes) for row in rows]
        columns["Output/example"] = [in_bytes(row.activation_bytes) for row in rows]
    if show_multiply_adds:
        columns["Multiply-adds"] = ["?" if row.multiply_adds is None else f"{row.multiply_adds:,}" for row in rows]
    return [list(columns), *(list(row) for row in zip(*columns.values(), strict=True))]


def totals(model: Any, rows: Sequence[LayerRow], show_memory: bool, show_multiply_adds: bool) -> list[str]:
    """What is said below the table: parameters, and on request bytes and multiply-adds, of the whole model."""
    own = [row for row in rows if row.depth == 0]
    note = "" if all(row.params is not None for row in own) else ", some layers are not built yet"
    trained = model.trainable_weights
    known = {id(v) for v in trained}
    kinds = {
        "Total params": model.weights,
        "Trainable params": trained,
        "Non-trainable params": [v for v in model.weights if id(v) not in known],
    }
    lines = [f"{kind}: {sum(v.size for v in vs):,} ({in_bytes(weight_bytes(vs))}){note}" for kind, vs in kinds.items()]
    slots = [] if model.optimizer is None else model.optimizer.variables
    if slots:
        lines.append(f"Optimizer params: {sum(v.size for v in slots):,} ({in_bytes(weight_bytes(slots))})")
    if show_memory:
        lines.append(f"Outputs per example: {in_bytes(_sum([row.activation_bytes for row in own]))}")
    if show_multiply_adds:
        total = _sum([row.multiply_adds for row in own])
        lines.append(f"Multiply-adds per example: {'?' if total is None else f'{total:,}'}")
    return lines


def _sum(found: Sequence[int | None]) -> int | None:
    return None if None in found else sum(n for n in found if n is not None)


def _chosen(rows: list[LayerRow], layer_range: Sequence[str] | None) -> list[LayerRow]:
    """The rows from the first one whose name matches the first pattern to the last one that matches the second."""
    if layer_range is None:
        return rows
    if isinstance(layer_range, str) or len(layer_range) != 2 or not all(isinstance(p, str) for p in layer_range):
        raise ArgumentTypeError(f"layer_range is {layer_range!r}.", expected="the names of the first and last layer.")
    ends = []
    for pattern in layer_range:
        found = [i for i, row in enumerate(rows) if re.match(pattern, row.name)]
        if not found:
            raise UnknownNameError(
                f"layer_range names {pattern!r}, which no layer matches.",
                expected=f"some of {', '.join(row.name for row in rows)}.",
            )
        ends.append(found)
    first, last = min(ends[0][0], ends[1][0]), max(ends[0][-1], ends[1][-1])
    return rows[first : last + 1]


def _widths(table: list[list[str]], line_length: int | None, positions: Sequence[float] | None) -> list[int]:
    """How wide the columns are: as their contents need, or as they are given."""
    needed = [max(len(line) for cell in column for line in cell.split("\n")) + 2 for column in zip(*table, strict=True)]
    if positions is not None:
        return _from_positions(positions, line_length, len(needed))
    if line_length is None:
        line_length = min(max(sum(needed), _NARROWEST), _WIDEST)
    else:
        line_length = as_int(line_length, "line_length", minimum=_LEAST * len(needed))
    while sum(needed) > line_length:
        needed[needed.index(max(needed))] -= 1
    spare = line_length - sum(needed)
    return [n + spare // len(needed) + (i < spare % len(needed)) for i, n in enumerate(needed)]


def _from_positions(positions: Sequence[float], line_length: int | None, count: int) -> list[int]:
    """Widths of columns whose ends are given: as shares of the line if the last is at most 1, else as characters."""
    ends = [as_float(p, "positions", minimum=0.0) for p in positions]
    if len(ends) != count or any(b <= a for a, b in zip([0.0, *ends], ends, strict=False)):
        raise ArgumentError(
            f"positions is {list(positions)}.", expected=f"{count} growing numbers, one for each column."
        )
    if ends[-1] <= 1:
        length = _NARROWEST if line_length is None else as_int(line_length, "line_length", minimum=_LEAST * count)
        ends = [length * end for end in ends]
    places = [0, *(int(end) for end in ends)]
    return [max(b - a, _LEAST) for a, b in itertools.pairwise(places)]


def _laid_out(cells: list[str], widths: list[int]) -> list[str]:
    """A row as lines: what is too long for its column goes on below."""
    parts = [
        [part for line in cell.split("\n") for part in _wrapped(line, width - 1)]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, parts))
    return [
        "".join(f"{part[i] if i < len(part) else '':<{w}}" for part, w in zip(parts, widths, strict=True)).rstrip()
        for i in range(height)
    ]


def _wrapped(line: str, width: int) -> list[str]:
    indent = " " * min(len(line) - len(line.lstrip()), width // 2)
    return textwrap.wrap(line.lstrip(), width, initial_indent=indent, subsequent_indent=indent) or [""]
