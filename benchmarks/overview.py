"""One table of everything: a line for each workload, number of threads and implementation of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.coordinator import Result
from benchmarks.summary import Row, rows
from benchmarks.table import SCALES, aligned, number, over_floor

HEAD = (
    "workload", "threads", "implementation", "median", "best peer", "its median", "ours / best peer", "min-max",
    "by processor time", "ours / floor", "peer / floor",
)  # fmt: skip


def overview(results: Sequence[Result]) -> str:
    """The table."""
    return aligned([HEAD, *(line for result in results for line in _lines(result))])


def _lines(result: Result) -> Iterator[list[str]]:
    found = rows(result.series, result.floors)
    unit = result.workload.unit
    peers = {row.series.threads: row for row in found if row.series.name == row.best_peer}
    for row in (row for row in found if row.series.ours):
        peer = peers.get(row.series.threads)
        yield [
            result.workload.name,
            "-" if row.series.threads is None else str(row.series.threads),
            row.series.name,
            _median(row, unit),
            *(("-", "-") if peer is None else (peer.series.name, _median(peer, unit))),
            *_ratio(row),
            "-" if row.busy_ratio is None else number(row.busy_ratio),
            over_floor(row),
            "-" if peer is None else over_floor(peer),
        ]


def _median(row: Row, unit: str) -> str:
    return f"{number(row.series.median * SCALES[unit])} {unit}"


def _ratio(row: Row) -> tuple[str, str]:
    if row.ratio is None or row.lowest_ratio is None or row.highest_ratio is None:
        return "-", "-"
    return number(row.ratio), f"{number(row.lowest_ratio)}-{number(row.highest_ratio)}"
