"""Diagrams in the language of Mermaid, which notebooks, GitHub and many wikis draw."""

from __future__ import annotations

import re
from typing import Final

from lamina.models.drawing.diagram import Diagram

_UNSAFE: Final = re.compile(r"[^\w \-.,:()?]")


def to_mermaid(diagram: Diagram, *, rankdir: str = "TB") -> str:
    """The diagram as Mermaid.

    >>> from lamina.models.drawing.diagram import Box
    >>> print(to_mermaid(Diagram("m", [Box(("a",)), Box(("b", "<c>"))], [(0, 1)])), end="")
    flowchart TB
      n0["a"]
      n1["b<br>#60;c#62;"]
      n0 --> n1
    """
    lines = [f"flowchart {rankdir}", *_group(diagram, (), 1)]
    return "\n".join([*lines, *(f"  n{source} --> n{target}" for source, target in diagram.arrows), ""])


def _group(diagram: Diagram, place: tuple[int, ...], depth: int) -> list[str]:
    indent = "  " * depth
    lines = [
        f'{indent}n{number}["{"<br>".join(map(_escaped, box.lines))}"]'
        for number, box in enumerate(diagram.boxes)
        if box.group == place
    ]
    for inner, name in diagram.groups.items():
        if inner[:-1] == place:
            lines.append(f'{indent}subgraph g{inner[-1]}["{_escaped(name)}"]')
            lines += [*_group(diagram, inner, depth + 1), f"{indent}end"]
    return lines


def _escaped(text: str) -> str:
    """Every character that could mean something as its number."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
