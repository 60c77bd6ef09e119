"""``plot_model``: a picture of a model in a file, in the format that the file's name asks for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.layers.arguments import choice
from lamina.models.drawing.diagram import Diagram, Show, diagram_of
from lamina.models.drawing.dot import to_dot
from lamina.models.drawing.layout import DIRECTIONS
from lamina.models.drawing.mermaid import to_mermaid
from lamina.models.drawing.svg import to_svg
from lamina.shapes import as_int

_SPLINES: Final = ("ortho", "curved", "polyline", "spline", "line", "none")
_PAINTED: Final = (".png", ".pdf", ".jpg", ".jpeg")
_TEXTS: Final = (".svg", ".dot", ".gv", ".mmd", ".mermaid", ".md")


@dataclass(frozen=True)
class Drawing:
    """A diagram and how it is to be drawn; notebooks show it."""

    diagram: Diagram
    rankdir: str = "TB"
    dpi: int = 200
    splines: str = "ortho"

    def svg(self) -> str:
        """As SVG."""
        return to_svg(self.diagram, rankdir=self.rankdir, dpi=self.dpi)

    def dot(self) -> str:
        """As DOT, the language of Graphviz."""
        return to_dot(self.diagram, rankdir=self.rankdir, dpi=self.dpi, splines=self.splines)

    def mermaid(self) -> str:
        """As Mermaid."""
        return to_mermaid(self.diagram, rankdir=self.rankdir)

    def save(self, path: Any) -> None:
        """Writes the picture to a file. Raises ArgumentError for an ending that says no format."""
        ending = os.path.splitext(os.fspath(path))[1].lower()
        if ending in _PAINTED:
            from lamina.models.drawing.painting import paint

            paint(self.diagram, path, rankdir=self.rankdir, dpi=self.dpi)
            return
        if ending not in _TEXTS:
            raise ArgumentError(f"the file {os.fspath(path)!r}.", expected=f"one of {', '.join((*_TEXTS, *_PAINTED))}.")
        text = {".svg": self.svg, ".dot": self.dot, ".gv": self.dot}.get(ending, self.mermaid)()
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"```mermaid\n{text}```\n" if ending == ".md" else text)

    def _repr_svg_(self) -> str:
        return to_svg(self.diagram, rankdir=self.rankdir)


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Drawing:
    """Draws a model: a box for each layer, an arrow for what it hands on. Returns the drawing, which notebooks show.

    The ending of ``to_file`` says the format: ``.svg``, ``.dot`` (for Graphviz), ``.mmd`` or ``.md`` (Mermaid), or
    ``.png``, ``.pdf``, ``.jpg`` if matplotlib is installed; None writes nothing. ``show_shapes``, ``show_dtype``,
    ``show_layer_names``, ``show_layer_activations`` and ``show_trainable`` say more in the boxes; ``expand_nested``
    draws the layers of models inside. ``rankdir`` is the direction, "TB" (top to bottom), "BT", "LR" or "RL"; ``dpi``
    the resolution; ``splines`` the kind of lines, which only Graphviz heeds.

    Raises ArgumentError for an unknown ending or setting, BackendError if matplotlib is missing.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(3, input_shape=(2,))])
    >>> print(plot_model(model, to_file=None, show_shapes=True).mermaid(), end="")
    flowchart TB
      n0["InputLayer<br>output: (None, 2)"]
      n1["Dense<br>input: (None, 2)<br>output: (None, 3)"]
      n0 --> n1
    """
    if not hasattr(model, "graph") or not hasattr(model, "layers"):
        raise ArgumentTypeError(f"plot_model got {model!r}.", expected="a model.")
    show = Show(
        bool(show_shapes), bool(show_dtype), bool(show_layer_names), bool(show_layer_activations), bool(show_trainable)
    )
    drawing = Drawing(
        diagram_of(model, show, expand_nested=bool(expand_nested)),
        choice(rankdir, "rankdir", DIRECTIONS),
        as_int(dpi, "dpi", minimum=1),
        choice(splines, "splines", _SPLINES),
    )
    if to_file is not None:
        drawing.save(to_file)
    return drawing


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> str:
    """A model in the language of Graphviz; settings as for ``plot_model``. Keras returns an object of pydot instead.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(3, input_shape=(2,), name="d")], name="m")
    >>> print(model_to_dot(model).splitlines()[4])
      n1 [label="d (Dense)"];
    """
    return plot_model(
        model, None, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations,
        show_trainable, splines,
    ).dot()  # fmt: skip
