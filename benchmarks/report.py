"""What is shown and what is kept: the tables on the screen, and a JSON file with every timing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.coordinator import Result
from benchmarks.machine import line
from benchmarks.overview import overview
from benchmarks.summary import disagreements, rows
from benchmarks.table import table

TOLERANCE = 0.02
"""How far, relatively, a loss may be from the others': the same steps in another order of rounding."""


def text(machine: dict[str, Any], results: Sequence[Result]) -> str:
    """The whole report."""
    sections = [line(machine), *(_section(result) for result in results)]
    return "\n\n".join([*sections, f"All in one table\n\n{overview(results)}"])


def _section(result: Result) -> str:
    parts = [f"{result.workload.title}\n"]
    if result.series:
        parts.append(table(rows(result.series, result.floors), result.workload.unit))
    parts += [f"{note}." for note in [*result.notes, *_busy(result)]]
    parts += [f"Did other work, its result differs: {name}." for name in disagreements(result.series, TOLERANCE)]
    parts += [f"Not run: {name} ({reason})." for name, reason in result.not_run.items()]
    return "\n".join(parts)


def _busy(result: Result) -> list[str]:
    known = [one for one in result.load if one is not None]
    return [f"Load of the machine before the rounds: {', '.join(map(str, known))}"] if known else []


def document(machine: dict[str, Any], results: Sequence[Result], rounds: int) -> dict[str, Any]:
    """The same with every timing, for JSON."""
    return {"machine": machine, "rounds": rounds, "workloads": [_described(result) for result in results]}


def _described(result: Result) -> dict[str, Any]:
    return {
        "name": result.workload.name,
        "title": result.workload.title,
        "load": result.load,
        "notes": result.notes,
        "not_run": result.not_run,
        "unit": "MB" if result.workload.unit == "MB" else "s",
        "floors": result.floors,
        "disagreeing": disagreements(result.series, TOLERANCE),
        "rows": [
            {
                "implementation": row.series.name,
                "threads": row.series.threads,
                "median": row.series.median,
                "best_peer": row.best_peer,
                "ratio": row.ratio,
                "ratio_spread": [row.lowest_ratio, row.highest_ratio],
                "ratio_of_processor_time": row.busy_ratio,
                "over_floor": row.over_floor,
                "check": row.series.check,
                "values": [float(f"{v:.4g}") for v in row.series.values],
                "cores": [round(c, 2) for c in row.series.cores],
            }
            for row in rows(result.series, result.floors)
        ],
    }


def save(folder: Path, described: dict[str, Any], ending: str = "") -> Path:
    """Writes a document to a file that is named after its date, with an ending to the name."""
    stamp = described["machine"]["date"][:16].replace("T", "-").replace(":", "")
    path = folder / f"{stamp}{ending}.json"
    path.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    return path
