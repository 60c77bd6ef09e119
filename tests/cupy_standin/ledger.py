"""What would have crossed between host and device, or made the host wait, counted by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """``waits``: the host waits for the device. ``uploads``: host to device. ``launches``: kernels, by name."""

    waits: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    launches: list[str] = field(default_factory=list)


_watching: list[Ledger] = []


@contextmanager
def watched() -> Iterator[Ledger]:
    """A ledger of what happens inside the block."""
    ledger = Ledger()
    _watching.append(ledger)
    try:
        yield ledger
    finally:
        _watching.remove(ledger)


def wait(what: str) -> None:
    """Notes that the host waits."""
    for ledger in _watching:
        ledger.waits.append(what)


def upload(what: str) -> None:
    """Notes a copy from the host."""
    for ledger in _watching:
        ledger.uploads.append(what)


def launch(what: str) -> None:
    """Notes work for the device."""
    for ledger in _watching:
        ledger.launches.append(what)
