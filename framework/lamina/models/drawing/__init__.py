"""Pictures of models: boxes for layers and arrows for what they hand on, as DOT, SVG, Mermaid and PNG; and charts.

Everything is written here, or painted by matplotlib; no program of the system is needed.
"""

from lamina.models.drawing.charts import Chart, plot_confusion_matrix, plot_weights
from lamina.models.drawing.diagram import Diagram, diagram_of
from lamina.models.drawing.dot import to_dot
from lamina.models.drawing.mermaid import to_mermaid
from lamina.models.drawing.plotting import Drawing, model_to_dot, plot_model
from lamina.models.drawing.svg import to_svg

__all__ = [
    "Chart", "Diagram", "Drawing", "diagram_of", "model_to_dot", "plot_confusion_matrix", "plot_model", "plot_weights",
    "to_dot", "to_mermaid", "to_svg",
]  # fmt: skip
