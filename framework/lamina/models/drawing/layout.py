"""Where the boxes go: in rows by their distance from the inputs, arranged so that few arrows cross."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lamina.models.drawing.diagram import Diagram

CHARACTER: Final = 7.2
BOLD_CHARACTER: Final = 8.2
LINE: Final = 16.0
PADDING: Final = 10.0
BETWEEN: Final = 28.0
BETWEEN_ROWS: Final = 36.0
MARGIN: Final = 16.0
_SWEEPS: Final = 8

DIRECTIONS: Final = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True)
class Place:
    """The middle of a box, and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """The places of the boxes, the points that each arrow goes through, and the size of the whole."""

    places: list[Place]
    routes: list[list[tuple[float, float]]]
    width: float
    height: float


def laid_out(diagram: Diagram, direction: str = "TB") -> Layout:
    """A layout of a diagram; ``direction`` is from top to bottom, "TB", or "BT", "LR", "RL"."""
    flat = direction in ("LR", "RL")
    sizes = [_size(diagram.text(box)) for box in diagram.boxes]
    turned = [(height, width) if flat else (width, height) for width, height in sizes]
    ranks = _ranks(len(sizes), diagram.arrows)
    chains, rows, widths = _with_stations(diagram.arrows, ranks, [w for w, _ in turned])
    links = [(a, b) for chain in chains for a, b in itertools.pairwise(chain)]
    _arrange(rows, links)
    across = _across(rows, widths, links)
    spans = _spans(rows, [h for _, h in turned])
    total_across = max((x + w / 2 for x, w in zip(across, widths, strict=True)), default=0.0) + MARGIN
    total_along = max((bottom for _, bottom in spans.values()), default=0.0) + MARGIN

    def point(number: int, along: float) -> tuple[float, float]:
        y = total_along - along if direction in ("BT", "RL") else along
        return (y, across[number]) if flat else (across[number], y)

    def middle(number: int) -> float:
        return sum(spans[number]) / 2

    places = [Place(*point(i, middle(i)), *size) for i, size in enumerate(sizes)]
    routes = [
        [
            point(chain[0], middle(chain[0]) + turned[chain[0]][1] / 2),
            *(point(station, edge) for station in chain[1:-1] for edge in spans[station]),
            point(chain[-1], middle(chain[-1]) - turned[chain[-1]][1] / 2),
        ]
        for chain in chains
    ]
    size = (total_along, total_across) if flat else (total_across, total_along)
    return Layout(places, routes, *size)


def _size(lines: Sequence[str]) -> tuple[float, float]:
    """The first line is bold."""
    width = max(len(lines[0]) * BOLD_CHARACTER, *(len(line) * CHARACTER for line in lines))
    return width + 2 * PADDING, len(lines) * LINE + 2 * PADDING


def _ranks(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from a box without arrows into it; arrows go from lower numbers to higher ones."""
    ranks = [0] * count
    for source, target in sorted(arrows, key=lambda arrow: arrow[1]):
        ranks[target] = max(ranks[target], ranks[source] + 1)
    if not arrows:  # nothing is known of the order but the order itself
        return list(range(count))
    return ranks


def _with_stations(
    arrows: Sequence[tuple[int, int]], ranks: list[int], widths: list[float]
) -> tuple[list[list[int]], list[list[int]], list[float]]:
    """Arrows over several rows get a station in each row between: a box of no width that keeps a place free."""
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for box, rank in enumerate(ranks):
        rows[rank].append(box)
    widths = list(widths)
    chains = []
    for source, target in arrows:
        chain = [source]
        for rank in range(ranks[source] + 1, ranks[target]):
            rows[rank].append(len(widths))
            chain.append(len(widths))
            widths.append(0.0)
        chains.append([*chain, target])
    return chains, rows, widths


def _arrange(rows: list[list[int]], links: Sequence[tuple[int, int]]) -> None:
    """Orders each row by the middle of what its boxes are linked to, downwards and upwards in turn."""
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for a, b in links:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    for sweep in range(_SWEEPS):
        neighbours, order = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        place = {box: i for row in rows for i, box in enumerate(row)}
        for row in order:
            middle = {box: _mean([place[n] for n in neighbours.get(box, ())], place[box]) for box in row}
            row.sort(key=middle.__getitem__)
            place.update({box: i for i, box in enumerate(row)})


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _across(rows: list[list[int]], widths: list[float], links: Sequence[tuple[int, int]]) -> list[float]:
    """Places within the rows: each box near the middle of its neighbours, none over another."""
    neighbours: dict[int, list[int]] = {}
    for a, b in links:
        neighbours.setdefault(b, []).append(a)
        neighbours.setdefault(a, []).append(b)
    x = [0.0] * len(widths)
    for row in rows:
        _spread(row, [0.0] * len(row), widths, x)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            _spread(row, [_mean([x[n] for n in neighbours.get(box, ())], x[box]) for box in row], widths, x)
    shift = MARGIN - min((place - width / 2 for place, width in zip(x, widths, strict=True)), default=0.0)
    return [place + shift for place in x]


def _spread(row: list[int], wanted: Sequence[float], widths: list[float], x: list[float]) -> None:
    """Puts the boxes of a row where they are wanted, moved apart as far as their widths ask, around a common middle."""
    placed: list[float] = []
    for box, place in zip(row, wanted, strict=True):
        if placed:
            before = row[len(placed) - 1]
            place = max(place, placed[-1] + (widths[before] + widths[box]) / 2 + BETWEEN)
        placed.append(place)
    shift = _mean(wanted, 0.0) - _mean(placed, 0.0)
    for box, place in zip(row, placed, strict=True):
        x[box] = place + shift


def _spans(rows: list[list[int]], heights: list[float]) -> dict[int, tuple[float, float]]:
    """Where each row begins and ends, box by box."""
    y = MARGIN
    found: dict[int, tuple[float, float]] = {}
    for row in rows:
        height = max(heights[box] if box < len(heights) else 0.0 for box in row)
        found.update(dict.fromkeys(row, (y, y + height)))
        y += height + BETWEEN_ROWS
    return found
