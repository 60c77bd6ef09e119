"""Ctrl-C while training: the first one asks it to end, the second one ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_asking(stop: Callable[[], None]) -> Iterator[None]:
    """Lets the first Ctrl-C call ``stop``, and raises KeyboardInterrupt at the next one.

    Only in the main thread, and only where Python's own handler is in place: who set another one keeps it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
