"""Pictures of models: boxes for layers and arrows for what they hand on, as DOT, SVG, Mermaid and PNG.

Everything is written here; no program of the system is needed.
"""

from lamina.models.drawing.diagram import Diagram, diagram_of
from lamina.models.drawing.dot import to_dot
from lamina.models.drawing.mermaid import to_mermaid
from lamina.models.drawing.plotting import Drawing, model_to_dot, plot_model
from lamina.models.drawing.svg import to_svg

__all__ = ["Diagram", "Drawing", "diagram_of", "model_to_dot", "plot_model", "to_dot", "to_mermaid", "to_svg"]
