"""Models: layers joined into graphs, trained, summarized, saved.

Knows everything below: layers, losses, metrics, optimizers, io, data, autodiff and replay.
"""

import importlib
from typing import Any

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


def __getattr__(name: str) -> Any:
    """Loads what is needed for an export only when it is first asked for."""
    if name == "exporting":
        return importlib.import_module("lamina.models.exporting")
    raise AttributeError(f"module 'lamina.models' has no attribute {name!r}")
