"""Figures into text: one aligned table per workload, which is Markdown as well."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.summary import Row

SCALES = {"us": 1e6, "ms": 1e3, "s": 1.0, "MB": 1.0}


def table(rows: Sequence[Row], unit: str) -> str:
    """The table of one workload: what was measured, its median and spread, and the ratio to the best peer."""
    scale = SCALES[unit]
    threaded = any(row.series.threads is not None for row in rows)
    head = ["implementation", *(["threads"] if threaded else []), f"median {unit}", f"min-max {unit}"]
    floored = any(row.floor for row in rows)
    head += [f"{'size' if unit == 'MB' else 'time'} / best peer", "min-max", "times as fast"]
    head = head[:-1] if unit == "MB" else head
    lines = [_cells(row, scale, threaded)[: len(head)] for row in rows]
    if floored:
        head.append("time / floor")
        lines = [[*line, over_floor(row)] for line, row in zip(lines, rows, strict=True)]
    return aligned([head, *lines])


def over_floor(row: Row) -> str:
    """How far a row is from its floor."""
    return "-" if row.over_floor is None else number(row.over_floor)


def _cells(row: Row, scale: float, threaded: bool) -> list[str]:
    series = row.series
    spread = f"{number(min(series.values) * scale)}-{number(max(series.values) * scale)}"
    cells = [series.name, *([str(series.threads)] if threaded else []), number(series.median * scale), spread]
    if row.ratio is None or row.lowest_ratio is None or row.highest_ratio is None or row.times_as_fast is None:
        return [*cells, "-", "-", "-"]
    if series.name == row.best_peer:
        return [*cells, "1", "-", "best peer"]
    return [
        *cells,
        number(row.ratio),
        f"{number(row.lowest_ratio)}-{number(row.highest_ratio)}",
        f"{number(row.times_as_fast)}x",
    ]


def number(value: float) -> str:
    """A number with three digits that count.

    >>> number(1234.5), number(45.67), number(0.04567)
    ('1234', '45.7', '0.0457')
    """
    if value >= 100:
        return f"{value:.0f}"
    digits = 3
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.6f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells as a Markdown table whose columns line up: the first to the left, the others to the right."""
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]

    def joined(line: Sequence[str]) -> str:
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = [("-" * w if i == 0 else "-" * (w - 1) + ":") for i, w in enumerate(widths)]
    return "\n".join([joined(lines[0]), joined(rule), *map(joined, lines[1:])])
