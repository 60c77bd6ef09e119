"""What is added to an error that passes through a layer: which one it was."""

from __future__ import annotations

from typing import Any

from lamina.errors import LaminaError


def note_layer(error: LaminaError, layer: Any) -> None:
    """Adds the innermost layer's name to an error that passes by."""
    if not any(note.startswith("  In layer") for note in getattr(error, "__notes__", ())):
        details = ", ".join(f"{k}={v}" for k, v in layer.__dict__.items() if k in ("units", "filters", "rate"))
        error.add_note(f"  In layer {layer.name!r} ({type(layer).__name__}{', ' if details else ''}{details}).")
