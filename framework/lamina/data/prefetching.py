"""Elements made ahead of time by a thread of their own."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

from lamina.data.opening import closing
from lamina.ops import random
from lamina.runtime.listeners import hidden_from_tapes

_PATIENCE: Final = 5.0  # seconds that closing waits for a source that is busy; its thread ends when it comes back


class _Told(NamedTuple):
    """One message of the thread: an element, the end, or what went wrong."""

    element: Any = None
    error: BaseException | None = None
    ended: bool = False


class _Line:
    """Two queues between the thread and its reader; their ``put`` may be called anywhere, also while memory is freed.

    ``free`` holds a token for each element that may still be made, so that no more than that lie waiting.
    """

    def __init__(self, size: int) -> None:
        self.made: SimpleQueue[_Told] = SimpleQueue()
        self.free: SimpleQueue[None] = SimpleQueue()
        self.stopped = False
        for _ in range(size):
            self.free.put(None)

    def stop(self) -> None:
        """Tells the thread that nobody reads any more."""
        self.stopped = True
        self.free.put(None)


def prefetched(open_source: Callable[[], Iterator[Any]], size: int, seed: int) -> Iterator[Any]:
    """The elements of a source, up to ``size`` of them made ahead by a thread.

    The thread begins with the first element that is asked for, and ends with the source or with this iterator,
    whichever is first. It works on the reader's backend, and draws random numbers of its own, which follow from
    ``seed``.
    """
    line = _Line(size)
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(_fill, open_source, line, seed), name="lamina-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            told = line.made.get()
            if told.error is not None:
                raise told.error
            if told.ended:
                return
            line.free.put(None)
            yield told.element
    finally:
        line.stop()
        if thread is not threading.current_thread():
            thread.join(_PATIENCE)


def _fill(open_source: Callable[[], Iterator[Any]], line: _Line, seed: int) -> None:
    """What the thread does."""
    try:
        random.set_seed(seed)
        with hidden_from_tapes(), closing(open_source()) as elements:
            while True:
                line.free.get()
                if line.stopped:
                    return
                try:
                    element = next(elements)
                except StopIteration:
                    break
                line.made.put(_Told(element))
        line.made.put(_Told(ended=True))
    except BaseException as error:  # whatever it is, the reader gets it
        line.made.put(_Told(error=error))
