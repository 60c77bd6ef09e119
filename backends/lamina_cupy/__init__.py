"""The CuPy backend, on a CUDA device. Importing this module imports no cupy."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    target, install = "lamina_cupy.backend:CuPyBackend", "pip install --upgrade 'lamina[cupy]'"
    return [Provides("cupy", target, needs="cupy", least="14.0", install=install)]
