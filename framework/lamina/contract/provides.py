"""A plain, lazy description of something a plugin offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provides:
    """``name`` is found under ``target`` ("module:attribute"), which is imported on first need only.

    ``needs`` names a library that must be installed for it to work, and ``install`` says how to get it.

    >>> Provides("torch", "lamina_torch.backend:TorchBackend", needs="torch").install is None
    True
    """

    name: str
    target: str
    needs: str | None = None
    install: str | None = None
