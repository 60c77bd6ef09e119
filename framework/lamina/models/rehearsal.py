"""A step run for what it makes, and then taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lamina.runtime.listeners import Listener, listening
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class _Rehearsal(Listener):
    """Remembers what every Variable held before its first assignment."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Variable, Tensor]] = {}

    def on_write(self, variable: Variable, value: Tensor) -> None:
        if id(variable) not in self._before:
            self._before[id(variable)] = variable, variable.value

    def undo(self) -> None:
        for variable, value in self._before.values():
            variable.assign(value)


@contextmanager
def rehearsing() -> Iterator[None]:
    """Takes back all assignments of the block at its end; Variables that it made stay, with their first values.

    >>> v = Variable([1.0])
    >>> with rehearsing():
    ...     _ = v.assign([2.0])
    >>> v.numpy().tolist()
    [1.0]
    """
    listener = _Rehearsal()
    try:
        with listening(listener):
            yield
    finally:
        listener.undo()
