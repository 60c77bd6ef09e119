"""Files of safetensors. Written and read here, for the format is small and its rules are strict."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_formats() -> Iterable[Provides]:
    return [Provides(".safetensors", "lamina_safetensors.file:SafetensorsFile")]
