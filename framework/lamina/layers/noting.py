"""What is added to an error that passes through layers: which ones, from the inside out."""

from __future__ import annotations

from typing import Any

from lamina.notices import note


def note_layer(error: Exception, layer: Any) -> None:
    """Adds the layer's name and class, and the settings by which one tells it from others."""
    kind = type(layer)
    module = "" if kind.__module__.startswith(("lamina.", "__main__")) else f" of {kind.__module__}"
    details = "".join(f", {k}={v}" for k, v in layer.__dict__.items() if k in ("units", "filters", "rate"))
    note(error, f"In layer {layer.name!r} ({kind.__name__}{module}{details}).")
