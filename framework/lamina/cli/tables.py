"""Plain tables and sizes, for people at a terminal. Text from files and plugins is shown escaped."""

from __future__ import annotations

from collections.abc import Sequence


def printed(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text under their heads.

    >>> print(printed(["name", "bytes"], [["a", "1"], ["long", "2"]]))
    name  bytes
    a     1
    long  2
    """
    shown = [[safe(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *shown]) for i, head in enumerate(heads)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *shown]
    )


def safe(text: str) -> str:
    r"""The text without characters that would move the cursor or change colours.

    >>> print(safe("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def safe_lines(text: str) -> str:
    """Several lines, each of them safe."""
    return "\n".join(map(safe, text.splitlines()))


def size(count: int) -> str:
    """A number of bytes in words.

    >>> size(999), size(123_456), size(25_600_000)
    ('999 bytes', '123.5 kB', '25.6 MB')
    """
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
