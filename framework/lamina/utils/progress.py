"""A bar that shows how far a loop is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from lamina.errors import ArgumentError
from lamina.shapes import as_float, as_int

_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


class Progbar:
    r"""Shows a loop of ``target`` steps (None if that is unknown) on standard output.

    ``verbose`` 0 is silent, 1 draws a bar of ``width`` characters, on a terminal over and over on one line and
    elsewhere once at the end, 2 writes one line at the end. ``interval`` is the least time between two drawings, in
    seconds. Values given to ``update`` are averaged over the steps, but for those named in ``stateful_metrics``; or
    give the names of those to average as ``stateless_metrics``. ``unit_name`` is what a step is called. Raises
    ArgumentError for another ``verbose``, or both kinds of names.

    >>> bar = Progbar(3, verbose=2)
    >>> for step in range(3):
    ...     bar.update(step + 1, [("loss", 3.0 - step)])  # doctest: +ELLIPSIS
    3/3 - ... - loss: 2.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("stateful_metrics and stateless_metrics are both given.", expected="at most one.")
        if verbose not in (0, 1, 2):
            raise ArgumentError(f"verbose is {verbose!r}.", expected="0, 1 or 2.")
        self.target: int | None = None if target is None else as_int(target, "target", minimum=0)
        self.width: int = as_int(width, "width", minimum=1)
        self.verbose: int = int(verbose)
        self.interval: float = as_float(interval, "interval", minimum=0.0)
        self.stateful_metrics: set[str] = set(stateful_metrics or ())
        self.stateless_metrics: set[str] | None = None if stateless_metrics is None else set(stateless_metrics)
        self.unit_name = unit_name
        self._values: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._started = time.perf_counter()
        self._drawn = 0.0
        self._length = 0

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """The loop is at step ``current``; ``values`` are pairs of names and numbers since the last update.

        ``finalize`` says whether this is the last one; None means that it is if ``current`` reaches the target.
        """
        step = as_int(current, "current", minimum=0)
        if finalize is None:
            finalize = self.target is not None and step >= self.target
        for name, value in values or ():
            self._take(name, value, step)
        self._seen = step
        now = time.perf_counter()
        if self.verbose == 1 and sys.stdout.isatty():
            if finalize or now - self._drawn >= self.interval:
                self._drawn = now
                self._write("\r", f"{self._bar(step)} {self._rest(step, now)}", "\n" if finalize else "")
        elif self.verbose and finalize:
            bar = f"{self._bar(step)} " if self.verbose == 1 else f"{self._count(step)} - "
            self._write("", bar + self._rest(step, now), "\n")

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """The loop is ``n`` steps further."""
        self.update(self._seen + as_int(n, "n"), values)

    def _take(self, name: str, value: Any, step: int) -> None:
        averaged = (
            name in self.stateless_metrics if self.stateless_metrics is not None else name not in self.stateful_metrics
        )
        if not averaged:
            self._values[name] = (float(value), 1.0)
            return
        steps = max(step - self._seen, 1)
        total, weight = self._values.get(name, (0.0, 0.0))
        self._values[name] = (total + float(value) * steps, weight + steps)

    def _count(self, step: int) -> str:
        return f"{step}/{'?' if self.target is None else self.target}"

    def _bar(self, step: int) -> str:
        if not self.target:
            return self._count(step)
        done = min(self.width, self.width * step // self.target)
        return f"{step:>{len(str(self.target))}}/{self.target} [{'=' * done}{'.' * (self.width - done)}]"

    def _rest(self, step: int, now: float) -> str:
        seconds = now - self._started
        per_step = f"{_spoken(seconds / step)}/{self.unit_name}" if step else f"?/{self.unit_name}"
        running = self.target and step < self.target and step
        left = f"{seconds / step * (self.target - step):.0f}s left" if running else f"{seconds:.0f}s"  # type: ignore[operator]
        shown = [f"{name}: {_number(total / weight)}" for name, (total, weight) in self._values.items()]
        return " - ".join([f"{left} {per_step}", *shown])

    def _write(self, before: str, line: str, after: str) -> None:
        """Writes a line over the one before, which may have been longer."""
        sys.stdout.write(f"{before}{line}{' ' * max(0, self._length - len(line)) if before else ''}{after}")
        sys.stdout.flush()
        self._length = len(line)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _spoken(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds / size:.0f}{unit}"
