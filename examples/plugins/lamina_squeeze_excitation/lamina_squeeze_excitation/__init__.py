"""A layer for lamina. Importing this module imports no layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_layers() -> Iterable[Provides]:
    room = "lamina_squeeze_excitation.layer"
    return [Provides("SqueezeExcitation", f"{room}:SqueezeExcitation", migrate=f"{room}:migrate")]


def __getattr__(name: str) -> Any:
    """``from lamina_squeeze_excitation import SqueezeExcitation``, on first need."""
    if name == "SqueezeExcitation":
        from lamina_squeeze_excitation.layer import SqueezeExcitation

        return SqueezeExcitation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
