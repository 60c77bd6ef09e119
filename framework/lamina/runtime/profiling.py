"""What ran: a listener that notes each kernel call and each replay, with its time."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, NamedTuple

from lamina.contract import Backend
from lamina.dtypes import ITEMSIZE
from lamina.errors import ArgumentTypeError
from lamina.runtime.backends import get_backend
from lamina.runtime.lines import LineRecord, LineTimer
from lamina.runtime.listeners import KernelCall, Listener, Replay, StartingCall, listening
from lamina.runtime.memory import memory
from lamina.runtime.tensor import Tensor
from lamina.shapes import Shape, Spec

_WIDTH: Final = 72
"""Characters of a line of a replay that are shown."""


class KernelRecord(NamedTuple):
    """One kernel call, or one replay of a recorded step, which has the number of its ``instructions``.

    The ``lines`` of a replay are what the backend made of the instructions, with the time of each; there are none if
    the backend made no Python of them.
    """

    name: str
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    bytes: int
    milliseconds: float
    instructions: int | None = None
    lines: tuple[LineRecord, ...] = ()


class Timing(NamedTuple):
    """Milliseconds of a call: all of it, and the part that was spent in kernels."""

    wall_ms: float
    kernel_ms: float


@dataclass(frozen=True)
class Profile:
    """What ``profile`` saw; as text it is a table.

    ``result`` is what the function returned, ``kernels`` the calls in order. ``new_tensors`` and ``new_bytes`` say how
    much more was alive after the call than before, ``peak_bytes`` how much was at the highest point, without the work
    space inside kernels and replays.
    """

    result: Any
    kernels: tuple[KernelRecord, ...]
    new_tensors: int
    new_bytes: int
    peak_bytes: int
    wall_ms: float

    @property
    def kernel_names(self) -> tuple[str, ...]:
        """The names of the kernels, each once, in the order of their first calls."""
        return tuple(dict.fromkeys(record.name for record in self.kernels))

    @property
    def kernel_ms(self) -> float:
        """The milliseconds spent in kernels and replays."""
        return sum(record.milliseconds for record in self.kernels)

    def __str__(self) -> str:
        head = ["kernel", "inputs", "outputs", "bytes", "ms"]
        lines = [head, *(cells for record in self.kernels for cells in _rows(record))]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        rows = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        total = f"{len(self.kernels)} calls, {self.kernel_ms:.3f} ms of {self.wall_ms:.3f} ms in kernels"
        kept = f"{self.new_tensors} new tensors with {self.new_bytes} bytes, {self.peak_bytes} bytes at most"
        return "\n".join([*rows, f"{total}; {kept}"])


def _rows(record: KernelRecord) -> list[list[str]]:
    """A call, and below it the lines of a replay."""
    below = [[f"  {line.text[:_WIDTH]}", "", "", "", f"{line.milliseconds:.4f}"] for line in record.lines]
    return [_cells(record), *below]


def _cells(record: KernelRecord) -> list[str]:
    name = record.name if record.instructions is None else f"{record.name} ({record.instructions} instructions)"
    shapes = [" ".join(map(str, some)) or "-" for some in (record.input_shapes, record.output_shapes)]
    return [name, *shapes, str(record.bytes), f"{record.milliseconds:.4f}"]


class Profiler(Listener):
    """Notes what ran. It must hear of a call before the other listeners, whose time is not the kernel's."""

    hears_replays = True

    def __init__(self, lines: LineTimer | None = None) -> None:
        self._lines = lines
        self.records: list[KernelRecord] = []
        self.peak: int = 0
        self._live = 0
        self._holders: dict[Hashable, int] = {}
        self._watched: dict[int, weakref.ref[Tensor]] = {}
        self._started = 0.0

    def before_call(self, backend: Backend, starting: StartingCall | None) -> None:
        backend.synchronize()
        if starting is None and self._lines is not None:
            self._lines.start()
        self._started = perf_counter()

    def on_call(self, call: KernelCall) -> None:
        backend = call.outputs[0].backend if call.outputs else get_backend()
        seconds = self._stopped(backend)
        self._note(call.op.name, [t.spec for t in call.inputs], [t.spec for t in call.outputs], seconds)
        for tensor in call.outputs:
            self._watch(tensor, backend)

    def on_replay(self, replay: Replay) -> None:
        seconds, program = self._stopped(replay.backend), replay.program
        timed = () if self._lines is None else self._lines.stop()
        inputs, outputs = ([program.slots[slot] for slot in some] for some in (program.inputs, program.outputs))
        self._note(replay.name, inputs, outputs, seconds, len(program.instructions), timed)

    def _stopped(self, backend: Backend) -> float:
        backend.synchronize()
        return perf_counter() - self._started

    def _note(
        self,
        name: str,
        inputs: Sequence[Spec],
        outputs: Sequence[Spec],
        seconds: float,
        instructions: int | None = None,
        lines: tuple[LineRecord, ...] = (),
    ) -> None:
        size = sum(spec.size * ITEMSIZE.get(spec.dtype, 8) for spec in outputs)
        shapes = tuple(spec.shape for spec in inputs), tuple(spec.shape for spec in outputs)
        self.records.append(KernelRecord(name, *shapes, size, 1e3 * seconds, instructions, lines))

    def _watch(self, tensor: Tensor, backend: Backend) -> None:
        """Counts the memory of a result for as long as a tensor is there that lies in it."""
        known = backend.buffer_of(tensor._array)
        key, size = known if known is not None else (id(tensor._array), tensor.size * ITEMSIZE.get(tensor.dtype, 8))
        self._holders[key] = self._holders.get(key, 0) + 1
        if self._holders[key] == 1:
            self._live += size
            self.peak = max(self.peak, self._live)
        number = id(tensor)
        self._watched[number] = weakref.ref(tensor, lambda _: self._gone(number, key, size))

    def _gone(self, number: int, key: Hashable, size: int) -> None:
        del self._watched[number]
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self._live -= size


def profile(fn: Callable[[], Any]) -> Profile:
    """Calls ``fn()`` and tells what ran: each kernel with its shapes, bytes and milliseconds.

    The backend's device is waited for before and after each kernel, so the times are the kernels' own and the whole
    takes longer than without. A recorded step that is replayed is one entry, with the number of its instructions and
    the time of each line that the backend made of them (on a GPU: the time to start it); with ``LAMINA_REPLAY=off`` one
    sees its kernels instead. The first two calls of a recorded step show the kernels they run to be recorded, and then
    the replay. As ``tf.profile`` of TensorFlow.js. Raises ArgumentTypeError if ``fn`` cannot be called.

    >>> import lamina
    >>> x = lamina.ones((2, 3))
    >>> seen = lamina.profile(lambda: (x * 2.0).sum())
    >>> seen.result.item(), seen.kernel_names, seen.kernels[0].output_shapes, seen.kernels[0].bytes
    (12.0, ('multiply', 'sum'), ((2, 3),), 24)
    """
    _check_callable(fn, "profile")
    lines = LineTimer()
    profiler = Profiler(lines)
    before = memory()
    started = perf_counter()
    try:
        with listening(profiler, first=True):
            result = fn()
    finally:
        lines.stop()
    get_backend().synchronize()
    wall = perf_counter() - started
    after = memory()
    return Profile(
        result=result,
        kernels=tuple(profiler.records),
        new_tensors=after.tensors - before.tensors,
        new_bytes=after.bytes - before.bytes,
        peak_bytes=max(before.bytes + profiler.peak, after.bytes),
        wall_ms=1e3 * wall,
    )


def time(fn: Callable[[], Any]) -> Timing:
    """Calls ``fn()`` once and tells how many milliseconds it took, and how many of them kernels did.

    The device is waited for after each kernel, as ``profile`` does. As ``tf.time`` of TensorFlow.js. Raises
    ArgumentTypeError if ``fn`` cannot be called.

    >>> import lamina
    >>> taken = lamina.time(lambda: lamina.ones((100, 100)) @ lamina.ones((100, 100)))
    >>> 0 < taken.kernel_ms <= taken.wall_ms
    True
    """
    _check_callable(fn, "time")
    profiler = Profiler()
    started = perf_counter()
    with listening(profiler, first=True):
        fn()
    get_backend().synchronize()
    wall = perf_counter() - started
    return Timing(1e3 * wall, sum(record.milliseconds for record in profiler.records))


def _check_callable(fn: Any, name: str) -> None:
    if not callable(fn):
        raise ArgumentTypeError(
            f"{name}(fn): fn is of type {type(fn).__name__}.",
            expected="a function that takes no arguments.",
            fix=f"wrap the computation: lamina.{name}(lambda: f(x)).",
        )
