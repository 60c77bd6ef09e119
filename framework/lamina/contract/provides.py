"""A plain, lazy description of something a plugin offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provides:
    """``name`` is found under ``target`` ("module:attribute"), which is imported on first need only.

    ``needs`` names a library that must be installed for it to work, by the module that is imported, ``least`` its
    oldest version that will do, and ``install`` says how to get it. ``migrate`` is for layers and other named objects:
    the target of a function ``(config, version)`` that gives the config of today for one that was saved with another
    version of the plugin.

    >>> Provides("torch", "lamina_torch.backend:TorchBackend", needs="torch").install is None
    True
    """

    name: str
    target: str
    needs: str | None = None
    install: str | None = None
    least: str | None = None
    migrate: str | None = None
