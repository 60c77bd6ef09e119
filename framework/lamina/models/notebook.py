"""Models and training histories as HTML, for notebooks; everything that has a name is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lamina.models.printing import as_number, printable
from lamina.models.rows import model_rows
from lamina.models.summary import table_of, totals

_MOST_ROWS: Final = 200


def model_html(model: Any) -> str:
    """A table of a model's layers."""
    rows = model_rows(model)
    table = table_of(model, rows[:_MOST_ROWS], False, False, False)
    title = f"{_text(type(model).__name__)} <em>{_text(model.name)}</em>"
    left_out = [f"{len(rows) - _MOST_ROWS} more layers are not shown."] if len(rows) > _MOST_ROWS else []
    below = "<br>".join(_text(line) for line in (*left_out, *totals(model, rows, False, False)))
    return f"<div><strong>{title}</strong>{_table(table[0], table[1:])}<small>{below}</small></div>"


def history_html(epochs: Sequence[int], history: Mapping[str, Sequence[Any]]) -> str:
    """A table of a history: a row for each epoch, a column for each value."""
    names = list(history)
    places = range(max(0, len(epochs) - _MOST_ROWS), len(epochs))
    body = [
        [str(epochs[i] + 1), *(as_number(history[n][i]) if i < len(history[n]) else "" for n in names)] for i in places
    ]
    return f"<div>{_table(['epoch', *names], body)}</div>"


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{_text(cell)}</th>" for cell in heading)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: str) -> str:
    """Text that HTML shows as it is; lines stay lines."""
    return "<br>".join(html.escape(printable(line)) for line in str(value).split("\n"))
