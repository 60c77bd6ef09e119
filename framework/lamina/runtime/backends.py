"""The active backend, and all that are installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from lamina.contract import Backend, KernelTable
from lamina.errors import BackendNotAvailableError, LaminaError, PluginError
from lamina.logs import tell
from lamina.plugins import plugins, resolve

AUTOMATIC_ORDER: Final = ("cupy", "torch", "numpy")
"""What ``auto`` tries, best first; a torch without CUDA comes after NumPy, which is the faster one on a CPU."""

HOLDS_STRINGS: Final = "numpy"
"""Where tensors of strings live when the backend they are made on has none: libraries for devices have no strings."""

_ACTIVE: ContextVar[Backend | None] = ContextVar("lamina_backend", default=None)
_INSTANCES: dict[tuple[str, str | None], Backend] = {}


def get_backend() -> Backend:
    """The backend on which new tensors are made in this thread or task.

    It is what ``set_backend`` or ``backend_scope`` chose, else ``LAMINA_BACKEND`` (default ``numpy``) on
    ``LAMINA_DEVICE``. Raises BackendNotAvailableError if that is unknown or does not work here.

    >>> import lamina
    >>> with lamina.backend_scope("numpy"):
    ...     lamina.get_backend().name
    'numpy'
    """
    active = _ACTIVE.get()
    if active is None:
        active = find_backend(os.environ.get("LAMINA_BACKEND") or "numpy", os.environ.get("LAMINA_DEVICE") or None)
        _ACTIVE.set(active)
    return active


def set_backend(name: str, *, device: str | None = None) -> Backend:
    """Makes a backend the active one for this thread or task, and returns it.

    ``device`` is a name the backend knows, such as ``"cuda:0"``; None takes its default. Tensors that exist stay where
    they are. Raises BackendNotAvailableError, and leaves the active backend as it was, if it cannot be had.
    """
    backend = find_backend(name, device)
    _ACTIVE.set(backend)
    return backend


@contextmanager
def backend_scope(name: str, *, device: str | None = None) -> Iterator[Backend]:
    """Makes a backend the active one inside ``with backend_scope("torch"):``, for this thread or task."""
    token = _ACTIVE.set(find_backend(name, device))
    try:
        active = _ACTIVE.get()
        assert active is not None
        yield active
    finally:
        _ACTIVE.reset(token)


@contextmanager
def on_backend(backend: Backend) -> Iterator[None]:
    """Makes a backend that is at hand the active one inside the block."""
    token = _ACTIVE.set(backend)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def find_backend(name: str, device: str | None = None) -> Backend:
    """The one instance of a backend on a device; made at the first request."""
    if name == "auto":
        return _automatic(device)
    backend = _INSTANCES.get((name, device))
    if backend is None:
        backend = _make(name, device)
        backend = _INSTANCES.setdefault((name, backend.device), backend)
        _INSTANCES[name, device] = backend
    return backend


def list_backends() -> dict[str, str | None]:
    """Every known backend, with None if it works here, else one line on why it does not.

    >>> list_backends()["numpy"] is None
    True
    """
    found: dict[str, str | None] = {}
    for name in plugins().provided("lamina_backends"):
        try:
            find_backend(name)
        except LaminaError as error:
            found[name] = " ".join(str(error).split())
        else:
            found[name] = None
    return found


def _make(name: str, device: str | None) -> Backend:
    offers = plugins().provided("lamina_backends")
    if name not in offers:
        raise BackendNotAvailableError(
            f"there is no backend {name!r}.",
            expected=f"one of {', '.join(sorted(offers))}, or auto.",
            fix="check LAMINA_BACKEND or the argument; a third-party backend must be installed as a plugin"
            f"{plugins().failures()}.",
        )
    try:
        kind = resolve(offers[name])
    except PluginError as error:
        raise BackendNotAvailableError(
            f"the backend {name!r} is not available: {error.what}",
            expected=error.expected,
            fix=f"{(error.fix or 'mend or uninstall its plugin').rstrip('.')}, or choose one of {_others(name)}.",
        ) from error
    _add_kernels(name, kind)
    backend: Backend = kind(device)
    tell("the backend %s is made, on the device %s, by %s", name, backend.device, offers[name].target)
    return backend


def _add_kernels(name: str, kind: type[Backend]) -> None:
    tables = [resolve(offer) for offer in plugins().all_provided("lamina_kernels") if offer.name == name]
    if tables:
        kind.kernels = KernelTable.merge(kind.kernels, *tables)


def _others(name: str) -> str:
    """The other backends whose library is there."""
    from importlib.util import find_spec  # rarely needed, and slow to import

    offers = plugins().provided("lamina_backends").values()
    return ", ".join(sorted(o.name for o in offers if o.name != name and (o.needs is None or find_spec(o.needs))))


def _automatic(device: str | None) -> Backend:
    for name in AUTOMATIC_ORDER:
        try:
            backend = find_backend(name, device)
        except LaminaError:
            continue
        if name != "torch" or device is not None or backend.device != "cpu":
            return backend
    return find_backend("numpy", None)
