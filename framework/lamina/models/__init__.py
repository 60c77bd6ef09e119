"""Models: layers joined into graphs, trained, summarized, saved.

Knows everything below: layers, losses, metrics, optimizers, io, data, autodiff and replay.
"""

from lamina.models import callbacks
from lamina.models.cloning import clone_model
from lamina.models.from_json import model_from_json
from lamina.models.model import Model
from lamina.models.rows import LayerRow, model_rows
from lamina.models.saving import load_model, save_model
from lamina.models.sequential import Sequential

__all__ = [
    "LayerRow", "Model", "Sequential", "callbacks", "clone_model", "load_model", "model_from_json", "model_rows",
    "save_model",
]  # fmt: skip
