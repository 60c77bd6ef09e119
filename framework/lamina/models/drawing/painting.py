"""Diagrams as pictures of points, painted by matplotlib where it is installed."""

from __future__ import annotations

from typing import Any, Final

from lamina.errors import MissingLibraryError
from lamina.models.drawing.diagram import Diagram
from lamina.models.drawing.layout import LINE, Place, laid_out

_INCH: Final = 1 / 96
_GREY: Final = "#555555"


def new_figure(width: float, height: float, what: str, *, dpi: int = 200) -> Any:
    """A figure of matplotlib's, its sizes in inches, which opens no window and changes no setting of matplotlib's.

    Raises MissingLibraryError, which names ``what`` is to be painted, if matplotlib is not there.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingLibraryError(
            f"{what} is painted by matplotlib, which is not installed.",
            fix="pip install 'lamina[plots]'; pictures of models need it not if their file ends in .svg.",
        ) from error
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def paint(diagram: Diagram, path: Any, *, rankdir: str = "TB", dpi: int = 200) -> None:
    """Writes a diagram to a file that matplotlib can write. Raises MissingLibraryError if matplotlib is not there."""
    layout = laid_out(diagram, rankdir)
    figure = new_figure(layout.width * _INCH, layout.height * _INCH, f"a picture such as {path}", dpi=dpi)
    from matplotlib.patches import Rectangle

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
