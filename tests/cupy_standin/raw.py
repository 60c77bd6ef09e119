"""Kernels in CUDA's language, built for the host's processor and run thread by thread."""

from __future__ import annotations

from typing import Any


class RawModule:
    """As CuPy's."""

    def __init__(self, code: str, *, options: tuple[str, ...] = (), **settings: Any) -> None:
        self.code = code
