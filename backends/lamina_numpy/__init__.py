"""The NumPy backend: always there. Importing this module imports no array library."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    return [Provides("numpy", "lamina_numpy.backend:NumPyBackend", needs="numpy", install="pip install numpy")]
