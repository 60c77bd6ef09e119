"""Timings into figures: medians, spreads, ratios to the best peer. No clocks, no processes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["ours", "peer", "floor"]
"""What a series is: of lamina, of one it is compared with, or of what nobody can do without."""


@dataclass
class Series:
    """What one implementation took per step, round by round; all series of a table share their rounds.

    The values are seconds, or megabytes where memory is measured.
    """

    name: str
    ours: bool
    threads: int | None = None
    values: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    check: float | None = None
    is_floor: bool = False

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.values)

    @property
    def busy(self) -> float | None:
        """The median of the processor time, where that was measured: other processes hardly change it."""
        pairs = zip(self.values, self.cores, strict=True)
        return statistics.median(v * c for v, c in pairs) if self.cores else None


@dataclass(frozen=True)
class Row:
    """One line of a table: a series against the best peer with as many threads. ``ratio`` is None without a peer.

    ``floor`` is what nobody can be below, as far as that is known. ``busy_ratio`` compares the medians of the processor
    time with the lowest of a peer.
    """

    series: Series
    best_peer: str | None
    ratio: float | None
    lowest_ratio: float | None
    highest_ratio: float | None
    floor: float | None = None
    busy_ratio: float | None = None

    @property
    def times_as_fast(self) -> float | None:
        """How often this one is done while the best peer is done once."""
        return None if self.ratio is None else 1.0 / self.ratio

    @property
    def over_floor(self) -> float | None:
        """How many times the floor it takes."""
        return None if not self.floor else self.series.median / self.floor


def best_peer(series: Sequence[Series]) -> Series | None:
    """The one with the lowest median among those that are not ours."""
    return min((s for s in series if not s.ours and not s.is_floor), key=lambda s: s.median, default=None)


def rows(series: Sequence[Series], floors: Mapping[int, float] | None = None) -> list[Row]:
    """The lines of a table: by number of threads, the fastest first.

    A ratio is taken in each round, between neighbours in time; the row has the median of the rounds' ratios. ``floors``
    holds the floor for each number of threads; a series may be the floor instead.
    """
    found = []
    for threads in sorted({s.threads for s in series}, key=lambda t: t or 0):
        group = [s for s in series if s.threads == threads]
        peer = best_peer(group)
        floor = next((s.median for s in group if s.is_floor), (floors or {}).get(threads or 0))
        least = min((s.busy for s in group if s.busy and not s.ours and not s.is_floor), default=None)
        found += [_row(s, peer, floor, least) for s in sorted(group, key=lambda s: s.median)]
    return found


def _row(series: Series, peer: Series | None, floor: float | None, least: float | None) -> Row:
    busy = series.busy / least if series.busy is not None and least else None
    if peer is None:
        return Row(series, None, None, None, None, floor, busy)
    ratios = [ours / theirs for ours, theirs in zip(series.values, peer.values, strict=True)]
    return Row(series, peer.name, statistics.median(ratios), min(ratios), max(ratios), floor, busy)


def disagreements(series: Sequence[Series], tolerance: float) -> list[str]:
    """Those whose check is farther than ``tolerance`` (relative) from the median of all: they did other work."""
    checks = {s.name: s.check for s in series if s.check is not None}
    numbers = [check for check in checks.values() if math.isfinite(check)]
    middle = statistics.median(numbers) if numbers else 0.0
    return [name for name, check in checks.items() if not abs(check - middle) <= tolerance * abs(middle)]
