"""Diagrams as SVG: one file that browsers and notebooks show."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

from lamina.models.drawing.diagram import Box, Diagram
from lamina.models.drawing.layout import LINE, Place, laid_out

_HEAD: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>'
)


def to_svg(diagram: Diagram, *, rankdir: str = "TB", dpi: int = 96) -> str:
    """The diagram as SVG, at ``dpi`` dots to the inch."""
    layout = laid_out(diagram, rankdir)
    scale = dpi / 96
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width * scale:.0f}" '
        f'height="{layout.height * scale:.0f}" viewBox="0 0 {layout.width:.1f} {layout.height:.1f}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>{html.escape(diagram.title)}</title>",
        _HEAD,
        f'<rect width="{layout.width:.1f}" height="{layout.height:.1f}" fill="white"/>',
        *map(_arrow, layout.routes),
        *(_box(box, diagram.text(box), place) for box, place in zip(diagram.boxes, layout.places, strict=True)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrow(route: Sequence[tuple[float, float]]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in route)
    return f'<polyline points="{points}" fill="none" stroke="#555" marker-end="url(#tip)"/>'


def _box(box: Box, lines: Sequence[str], place: Place) -> str:
    left, top = place.x - place.width / 2, place.y - place.height / 2
    dashed = ' stroke-dasharray="5 3"' if box.frozen else ""
    first = place.y - LINE * (len(lines) - 1) / 2 + 4
    texts = "".join(
        f'<text x="{place.x:.1f}" y="{first + LINE * i:.1f}" text-anchor="middle"'
        f"{' font-weight=' + chr(34) + 'bold' + chr(34) if i == 0 else ''}>{html.escape(line)}</text>"
        for i, line in enumerate(lines)
    )
    return (
        f'<g><rect x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" rx="4" '
        f'fill="#eef3fa" stroke="#46618f"{dashed}/>{texts}</g>'
    )
