"""Who hears what happens on the wire. Each thread and each asyncio task has its own listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from lamina.contract import Backend
    from lamina.program import Program
    from lamina.runtime.op import Op
    from lamina.runtime.tensor import Tensor
    from lamina.runtime.variable import Variable
    from lamina.shapes import Spec


class StartingCall(NamedTuple):
    """A kernel that is about to start, as told to listeners, with what it will give."""

    op: Op[Any, Any]
    inputs: tuple[Tensor, ...]
    attrs: dict[str, Any]
    result: Spec | tuple[Spec, ...]


class KernelCall(NamedTuple):
    """One call of a kernel, as told to listeners."""

    op: Op[Any, Any]
    inputs: tuple[Tensor, ...]
    attrs: dict[str, Any]
    outputs: tuple[Tensor, ...]


class Replay(NamedTuple):
    """One replay of a recorded step, as told to listeners."""

    name: str
    program: Program
    backend: Backend


class Listener:
    """Base of listeners: hears nothing until a method is overridden."""

    hears_replays: ClassVar[bool] = False
    """Whether a recorded step may be replayed while this one listens, and not run kernel by kernel for it."""

    def before_call(self, backend: Backend, starting: StartingCall | None) -> None:
        """An op's kernel is about to start; or, with None, a replay is."""

    def on_replay(self, replay: Replay) -> None:
        """A recorded step was replayed; told only to those that hear replays."""

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

    def keeps_whole(self, op: Op[Any, Any]) -> bool:
        """Whether this listener would hear of a composite as one, though the backend may have no kernel for it."""
        return False


class TapeListener(Listener):
    """Base of tapes: a computation with a gradient of its own hides its parts from them."""


_LISTENERS: ContextVar[tuple[Listener, ...]] = ContextVar("lamina_listeners", default=())

listeners: Callable[[], tuple[Listener, ...]] = _LISTENERS.get
"""The listeners of the current thread or task."""


def must_run_eagerly() -> bool:
    """Whether somebody listens who wants to hear the kernel calls of a recorded step one by one."""
    return not all(listener.hears_replays for listener in _LISTENERS.get())


@contextmanager
def listening(listener: Listener, *, first: bool = False) -> Iterator[None]:
    """Lets ``listener`` hear everything inside the ``with`` block, ``first`` before all others."""
    others = _LISTENERS.get()
    token = _LISTENERS.set((listener, *others) if first else (*others, listener))
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
