"""CuPy as the shared kernels expect a namespace: the standard's functions, also where CuPy's own leave the standard."""

from __future__ import annotations

from typing import Any

import cupy


class Linalg:
    """``cupy.linalg``, and equations whose leading axes broadcast."""

    @staticmethod
    def solve(a: Any, b: Any) -> Any:
        batch = cupy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (cupy.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
        return cupy.linalg.solve(a, b) if b.size else cupy.zeros(b.shape, b.dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(cupy.linalg, name)


class Namespace:
    """The module ``cupy`` with these changes."""

    linalg = Linalg()

    @staticmethod
    def argsort(x: Any, axis: int, stable: bool) -> Any:
        """CuPy's is always stable, and has no word for it; of no elements it is not known what it does."""
        return cupy.argsort(x, axis=axis) if x.size else cupy.zeros(x.shape, cupy.int64)

    def __getattr__(self, name: str) -> Any:
        return getattr(cupy, name)


namespace = Namespace()
