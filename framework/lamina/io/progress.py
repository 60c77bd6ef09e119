"""How much of a model has come or gone, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

OnProgress = Callable[[float], Any]
"""Called with the share of weight bytes, from 0 to 1, as TensorFlow.js calls ``onProgress``."""

_STEP: Final = 0.001


class Progress:
    """Counts bytes towards a total. The share never falls, and is told to be 0 first and 1 once at the end.

    >>> shares = []
    >>> progress = Progress(shares.append, 8)
    >>> progress.add(2); progress.add(6); progress.finish()
    >>> shares
    [0.0, 0.25, 1.0]
    """

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self._tell = on_progress or (lambda share: None)
        self._total = total
        self._count = 0
        self._told = 0.0
        self._tell(0.0)

    def add(self, count: int) -> None:
        """So many bytes more."""
        self._count += count
        share = self._count / self._total if self._total else 0.0
        if self._told + _STEP <= share < 1.0:
            self._told = share
            self._tell(share)

    def finish(self) -> None:
        """All has come."""
        self._tell(1.0)
