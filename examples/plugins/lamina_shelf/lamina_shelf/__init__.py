"""Models on a shelf: ``shelf://name``, below the folder that SHELF names. Importing this module imports little."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_io_handlers() -> Iterable[Provides]:
    return [Provides("shelf", "lamina_shelf.handler:ShelfHandler")]
