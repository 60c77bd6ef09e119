"""Where the time of a replayed step goes: its lines, timed by Python's own tracing while a profile is taken.

Knows the source that ``lamina.program.source`` keeps beside a step; knows nothing of backends.
"""

from __future__ import annotations

import sys
from time import perf_counter
from types import FrameType
from typing import Any, NamedTuple

from lamina.program.source import line_of


class LineRecord(NamedTuple):
    """One line of a replayed step: its text, which ends with the name of its op, and its milliseconds."""

    text: str
    milliseconds: float


class LineTimer:
    """Times the lines of the steps that are replayed in this thread between ``start`` and ``stop``.

    Time that a line spends in another traced function, as a lane is, counts there. What traced before goes on after
    ``stop``.
    """

    def __init__(self) -> None:
        self._is_on = False
        self._before: Any = None
        self._seconds: dict[tuple[str, int], float] = {}
        self._texts: dict[tuple[str, int], str] = {}
        self._running: list[tuple[str, int] | None] = []
        self._since = 0.0

    def start(self) -> None:
        """Begins anew."""
        self._seconds, self._texts, self._running = {}, {}, []
        if not self._is_on:
            self._is_on, self._before = True, sys.gettrace()
            sys.settrace(self._enter)

    def stop(self) -> tuple[LineRecord, ...]:
        """Ends it: the lines that ran since, in the order in which they ran first."""
        if self._is_on:
            sys.settrace(self._before)
            self._is_on = False
        return tuple(LineRecord(self._texts[key], 1e3 * seconds) for key, seconds in self._seconds.items())

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if line_of(frame.f_code, frame.f_globals, frame.f_code.co_firstlineno) is None:
            return None
        self._count()
        self._running.append(None)
        return self._step

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._count()
        if event == "line":
            key = frame.f_code.co_name, frame.f_lineno
            self._running[-1] = key
            if key not in self._seconds:
                self._seconds[key] = 0.0
                self._texts[key] = line_of(frame.f_code, frame.f_globals, frame.f_lineno) or ""
        elif event == "return":
            self._running.pop()
        self._since = perf_counter()
        return self._step

    def _count(self) -> None:
        """Adds the time since the last event to the line that was running."""
        now = perf_counter()
        if self._running and (key := self._running[-1]) is not None:
            self._seconds[key] += now - self._since
        self._since = now
