"""The picture of the house, ``house.svg``: the floors of lamina as ``.importlinter`` states them."""

from __future__ import annotations

import configparser
import html
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PICTURE = Path(__file__).with_name("house.svg")

WIDTH, HEIGHT, GAP, LEFT, TOP = 760, 38, 8, 20, 64
STYLE: Final = """
  text { font: 13px system-ui, sans-serif; text-anchor: middle; dominant-baseline: middle; fill: #1d2733 }
  .head { font-weight: 600; text-anchor: start } .note { font-size: 12px; text-anchor: start; fill: #5a6775 }
  rect { fill: #eef3f8; stroke: #9fb1c4 } .page { fill: #fff; stroke: none }
  .backend { fill: #d9822b; stroke: none } .plugin { fill: #2b7bd9; stroke: none }
"""


class House(NamedTuple):
    """The floors from the top down, each with its rooms, and which rooms backends and plugins may not see."""

    floors: list[list[str]]
    closed_to_backends: set[str]
    closed_to_plugins: set[str]


def house() -> House:
    """The house as the import rules state it."""
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    floors = [line.split(" | ") for line in _lines(rules, "floors", "layers")]
    return House(floors, _closed(rules, "backends-see-the-contract"), _closed(rules, "plugins-see-what-is-public"))


def _lines(rules: configparser.ConfigParser, contract: str, key: str) -> list[str]:
    return rules[f"importlinter:contract:{contract}"][key].strip().splitlines()


def _closed(rules: configparser.ConfigParser, contract: str) -> set[str]:
    return {line.removeprefix("lamina.") for line in _lines(rules, contract, "forbidden_modules")}


def picture() -> str:
    """The picture as SVG: a row for each floor, a box for each room, a dot for who may see it from outside."""
    found = house()
    height = TOP + len(found.floors) * (HEIGHT + GAP) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>The floors of lamina</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="{LEFT}" y="22">Rooms of lamina</text>',
        f'<text class="note" x="{LEFT}" y="44">A room imports only rooms of floors below its own.</text>',
    ]
    for number, rooms in enumerate(found.floors):
        parts += _floor(rooms, TOP + number * (HEIGHT + GAP), found)
    return "\n".join([*parts, *_legend(height - 26), "</svg>"]) + "\n"


def _floor(rooms: list[str], y: int, found: House) -> list[str]:
    whole = WIDTH - 2 * LEFT - GAP * (len(rooms) - 1)
    share = whole / sum(len(room) + 4 for room in rooms)
    parts, x = [], float(LEFT)
    for room in rooms:
        width = share * (len(room) + 4)
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" rx="5"/>')
        parts.append(f'<text x="{x + width / 2:.1f}" y="{y + HEIGHT / 2 + 3:.0f}">{html.escape(room)}</text>')
        open_to = [("backend", found.closed_to_backends), ("plugin", found.closed_to_plugins)]
        parts += [_dot(kind, x + 8 + 11 * i, y + 8) for i, (kind, closed) in enumerate(open_to) if room not in closed]
        x += width + GAP
    return parts


def _dot(kind: str, x: float, y: float) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="4"/>'


def _legend(y: int) -> list[str]:
    return [
        _dot("backend", LEFT + 6, y),
        f'<text class="note" x="{LEFT + 18}" y="{y}">backends may import it</text>',
        _dot("plugin", LEFT + 206, y),
        f'<text class="note" x="{LEFT + 218}" y="{y}">the other plugins may</text>',
    ]
