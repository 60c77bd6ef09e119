"""Who hears what happens on the wire. Each thread and each asyncio task has its own listeners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lamina.runtime.op import Op
    from lamina.runtime.tensor import Tensor
    from lamina.runtime.variable import Variable


class KernelCall(NamedTuple):
    """One call of a kernel, as told to listeners."""

    op: Op[Any, Any]
    inputs: tuple[Tensor, ...]
    attrs: dict[str, Any]
    outputs: tuple[Tensor, ...]


class Listener:
    """Base of listeners: hears nothing until a method is overridden."""

    def on_call(self, call: KernelCall) -> None:
        """A kernel was called."""

    def on_gradient(self, call: KernelCall) -> None:
        """A computation with a gradient of its own is done; its parts were heard by ``on_call`` of others only."""

    def on_read(self, variable: Variable, value: Tensor) -> None:
        """The value of a Variable is about to be used."""

    def on_write(self, variable: Variable, value: Tensor) -> None:
        """A Variable is about to be assigned."""

    def on_create(self, variable: Variable) -> None:
        """A Variable was made."""

    def on_host_read(self, tensor: Tensor) -> None:
        """The values of a tensor are about to be read on the host."""

    def wants_parts(self, inputs: tuple[Tensor, ...]) -> bool:
        """Whether a composite without a gradient of its own must run as its parts for this listener."""
        return False


class TapeListener(Listener):
    """Base of tapes: a computation with a gradient of its own hides its parts from them."""


_LISTENERS: ContextVar[tuple[Listener, ...]] = ContextVar("lamina_listeners", default=())

listeners = _LISTENERS.get
"""The listeners of the current thread or task."""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Lets ``listener`` hear everything inside the ``with`` block."""
    token = _LISTENERS.set((*_LISTENERS.get(), listener))
    try:
        yield
    finally:
        _LISTENERS.reset(token)


@contextmanager
def hidden_from_tapes() -> Iterator[None]:
    """Keeps tapes from hearing the ``with`` block: the gradient of the whole is told to them afterwards."""
    token = _LISTENERS.set(tuple(x for x in _LISTENERS.get() if not isinstance(x, TapeListener)))
    try:
        yield
    finally:
        _LISTENERS.reset(token)
