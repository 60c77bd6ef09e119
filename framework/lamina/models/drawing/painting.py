"""Diagrams as pictures of points, painted by matplotlib where it is installed."""

from __future__ import annotations

from typing import Any, Final

from lamina.errors import MissingLibraryError
from lamina.models.drawing.diagram import Diagram
from lamina.models.drawing.layout import LINE, Place, laid_out

_INCH: Final = 1 / 96
_GREY: Final = "#555555"


def paint(diagram: Diagram, path: Any, *, rankdir: str = "TB", dpi: int = 200) -> None:
    """Writes a diagram to a file that matplotlib can write. Raises MissingLibraryError if matplotlib is not there."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise MissingLibraryError(
            f"a picture such as {path} is painted by matplotlib, which is not installed.",
            fix="pip install 'lamina[plots]', or write a file that ends in .svg.",
        ) from error
    layout = laid_out(diagram, rankdir)
    figure = Figure(figsize=(layout.width * _INCH, layout.height * _INCH), dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, layout.width), ylim=(layout.height, 0))
    axes.set_axis_off()

    def rectangle(place: Place, **style: Any) -> None:
        corner = (place.x - place.width / 2, place.y - place.height / 2)
        axes.add_patch(Rectangle(corner, place.width, place.height, **style))

    def write(x: float, y: float, text: str, **style: Any) -> None:
        axes.text(x, y, text, parse_math=False, **{"fontsize": 8, "zorder": 3, "va": "center", "ha": "center", **style})

    for route in layout.routes:
        axes.plot(*zip(*route, strict=True), color=_GREY, linewidth=0.8, zorder=1)
        tip = {"arrowstyle": "-|>", "color": _GREY, "shrinkA": 0, "shrinkB": 0, "linewidth": 0.8}
        axes.annotate("", route[-1], route[-2], arrowprops=tip, zorder=1)
    for box, place in zip(diagram.boxes, layout.places, strict=True):
        line = "--" if box.frozen else "-"
        rectangle(place, facecolor="#eef3fa", edgecolor="#46618f", linestyle=line, zorder=2)
        lines = diagram.text(box)
        first = place.y - LINE * (len(lines) - 1) / 2
        for i, text in enumerate(lines):
            write(place.x, first + LINE * i, text, weight="bold" if i == 0 else "normal")
    figure.savefig(path, dpi=dpi)
