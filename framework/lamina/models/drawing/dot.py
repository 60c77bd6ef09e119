"""Diagrams in the language of Graphviz, for those who have it."""

from __future__ import annotations

from lamina.models.drawing.diagram import Diagram


def to_dot(diagram: Diagram, *, rankdir: str = "TB", dpi: int = 200, splines: str = "ortho") -> str:
    r"""The diagram as DOT.

    >>> from lamina.models.drawing.diagram import Box
    >>> print(to_dot(Diagram("m", [Box(("a",)), Box(("b", 'say "c"'))], [(0, 1)]), dpi=96), end="")
    digraph "m" {
      graph [rankdir=TB, dpi=96, splines=ortho];
      node [shape=box, fontname=Helvetica];
      n0 [label="a"];
      n1 [label="b\nsay \"c\""];
      n0 -> n1;
    }
    """
    lines = [f"digraph {_quoted(diagram.title)} {{", f"  graph [rankdir={rankdir}, dpi={dpi}, splines={splines}];"]
    lines.append("  node [shape=box, fontname=Helvetica];")
    lines += _group(diagram, (), 1)
    lines += [f"  n{source} -> n{target};" for source, target in diagram.arrows]
    return "\n".join([*lines, "}", ""])


def _group(diagram: Diagram, place: tuple[int, ...], depth: int) -> list[str]:
    """The boxes of one model, those of models inside it in clusters."""
    indent = "  " * depth
    lines = []
    for number, box in enumerate(diagram.boxes):
        if box.group == place:
            style = ", style=dashed" if box.frozen else ""
            lines.append(f"{indent}n{number} [label={_quoted(chr(10).join(box.lines))}{style}];")
    for inner, name in diagram.groups.items():
        if inner[:-1] == place and inner:
            lines.append(f"{indent}subgraph cluster_{inner[-1]} {{")
            lines.append(f"{indent}  label={_quoted(name)};")
            lines += [*_group(diagram, inner, depth + 1), f"{indent}}}"]
    return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
