"""The CuPy backend, on a CUDA device. Importing this module imports no cupy."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    return [Provides("cupy", "lamina_cupy.backend:CuPyBackend", needs="cupy", install="pip install 'lamina[cupy]'")]
