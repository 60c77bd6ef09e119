"""Tensors and Variables as HTML, for notebooks: what they are, and the first of their values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.markup import table, text, titled

_MOST: Final = 12
"""So many rows and columns are shown; of more, those at both ends."""


def array_html(title: str, array: np.ndarray[Any, Any]) -> str:
    """An array: a table if it has one or two axes, else its values as NumPy prints them."""
    if array.ndim == 2 and array.size:
        return titled(title, _grid(array))
    if array.ndim == 1 and array.size:
        places = _shown(len(array))
        return titled(title, table(_numbers(places), [["…" if i is None else _cell(array[i]) for i in places]]))
    values = np.array2string(array, separator=", ", threshold=200, edgeitems=2)
    return titled(title, f"<pre>{text(values)}</pre>")


def _grid(array: np.ndarray[Any, Any]) -> str:
    rows, columns = (_shown(size) for size in array.shape)
    cells = [["…" if None in (i, j) else _cell(array[i, j]) for j in columns] for i in rows]
    return table(["", *_numbers(columns)], [[n, *row] for n, row in zip(_numbers(rows), cells, strict=True)])


def _shown(size: int) -> list[int | None]:
    """The places that are shown, None for those between."""
    if size <= _MOST:
        return list(range(size))
    half = _MOST // 2
    return [*range(half), None, *range(size - half, size)]


def _numbers(places: list[int | None]) -> list[str]:
    return ["…" if place is None else str(place) for place in places]


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, np.floating) else str(value)
