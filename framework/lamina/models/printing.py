"""Names, sizes and numbers as people read them. Knows nothing of models."""

from __future__ import annotations

from typing import Any

from lamina.markup import printable


def in_bytes(count: int | None) -> str:
    """A number of bytes as people say it.

    >>> in_bytes(512), in_bytes(3 * 2**20)
    ('512 B', '3.00 MB')
    """
    if count is None:
        return "?"
    size, unit = float(count), 0
    while size >= 1024 and unit < 4:
        size, unit = size / 1024, unit + 1
    return f"{count} B" if not unit else f"{size:.2f} {('B', 'KB', 'MB', 'GB', 'TB')[unit]}"


def as_number(value: Any) -> str:
    """A number in four digits; what is none as it is.

    >>> as_number(0.123456), as_number("adam")
    ('0.1235', 'adam')
    """
    try:
        return f"{float(value):.4g}"
    except (TypeError, ValueError):
        return printable(str(value))
