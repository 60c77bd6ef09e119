"""The tables in the pages for those who come from elsewhere."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows(page):
    """The rows of all tables of a page: their name, ours, and what differs."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return [(theirs.strip("`"), ours.strip("`"), note) for theirs, ours, note in cells]
