"""HTML for notebooks: text and tables in which no name can put a tag. Imports nothing of lamina."""

from __future__ import annotations

import html
from collections.abc import Iterable


def printable(name: str) -> str:
    r"""A name without characters that would steer a terminal.

    >>> printable("a\x1b[31m\u202eb")
    'a?[31m?b'
    """
    return "".join(c if c.isprintable() else "?" for c in str(name))


def text(value: object) -> str:
    r"""Text that HTML shows as it is; lines stay lines.

    >>> text("a < b\nc")
    'a &lt; b<br>c'
    """
    return "<br>".join(html.escape(printable(line)) for line in str(value).split("\n"))


def table(heading: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table with a heading, unless that is empty.

    >>> table(["x"], [[1], [2]])
    '<table><thead><tr><th>x</th></tr></thead><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>'
    """
    cells = "".join(f"<th>{text(cell)}</th>" for cell in heading)
    head = f"<thead><tr>{cells}</tr></thead>" if cells else ""
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


def titled(title: str, body: str, below: str = "") -> str:
    """A part of a page: a title and a remark as text, and HTML between them.

    >>> titled("Tensor", "<table></table>", "of 3 elements")
    '<div><strong>Tensor</strong><table></table><small>of 3 elements</small></div>'
    """
    remark = f"<small>{text(below)}</small>" if below else ""
    return f"<div><strong>{text(title)}</strong>{body}{remark}</div>"
