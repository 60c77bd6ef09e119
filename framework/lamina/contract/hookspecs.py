"""The hooks. Each returns lazy descriptions; none is called while ops run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pluggy

from lamina.contract.provides import Provides

PROJECT: Final = "lamina"
"""The name of the plugin project, and the entry-point group in which plugins are found."""

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)


@hookspec
def lamina_backends() -> Iterable[Provides]:  # type: ignore[empty-body]
    """Backends: each target is a subclass of ``lamina.contract.Backend``."""


@hookspec
def lamina_kernels() -> Iterable[Provides]:  # type: ignore[empty-body]
    """Kernels for someone else's backend: ``name`` is the backend, the target a ``KernelTable``."""


@hookspec
def lamina_layers() -> Iterable[Provides]:  # type: ignore[empty-body]
    """Layers: ``name`` is the class name that saved models use, the target a subclass of ``lamina.layers.Layer``."""


@hookspec
def lamina_objects() -> Iterable[Provides]:  # type: ignore[empty-body]
    """Other named objects: ``name`` is ``kind/Name``, such as ``losses/Focal``."""


@hookspec
def lamina_io_handlers() -> Iterable[Provides]:  # type: ignore[empty-body]
    """IO handlers: ``name`` is the address scheme, such as ``file``, the target takes the address."""


@hookspec
def lamina_formats() -> Iterable[Provides]:  # type: ignore[empty-body]
    """Formats of single files: ``name`` is the ending, such as ``.keras``, the target a ``FileFormat`` class."""
