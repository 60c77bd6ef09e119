"""The built-in layers and other named objects, announced through the same hooks that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_layers() -> Iterable[Provides]:
    return []
