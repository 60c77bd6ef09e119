"""Models and training histories as HTML, for notebooks; everything that has a name is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lamina.markup import table, text
from lamina.models.printing import as_number
from lamina.models.rows import model_rows
from lamina.models.summary import table_of, totals

_MOST_ROWS: Final = 200


def model_html(model: Any) -> str:
    """A table of a model's layers."""
    rows = model_rows(model)
    shown = table_of(model, rows[:_MOST_ROWS], False, False, False)
    title = f"{text(type(model).__name__)} <em>{text(model.name)}</em>"
    left_out = [f"{len(rows) - _MOST_ROWS} more layers are not shown."] if len(rows) > _MOST_ROWS else []
    below = "<br>".join(text(line) for line in (*left_out, *totals(model, rows, False, False)))
    return f"<div><strong>{title}</strong>{table(shown[0], shown[1:])}<small>{below}</small></div>"


def history_html(epochs: Sequence[int], history: Mapping[str, Sequence[Any]]) -> str:
    """A table of a history: a row for each epoch, a column for each value."""
    names = list(history)
    places = range(max(0, len(epochs) - _MOST_ROWS), len(epochs))
    body = [
        [str(epochs[i] + 1), *(as_number(history[n][i]) if i < len(history[n]) else "" for n in names)] for i in places
    ]
    return f"<div>{table(['epoch', *names], body)}</div>"
