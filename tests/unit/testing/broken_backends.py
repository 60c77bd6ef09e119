"""NumPy with something wrong: what the conformance kit has to find. Each is a backend, or a function that makes one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import Backend, KernelTable
from lamina.program import Interpreter, Program
from lamina_numpy.backend import NumPyBackend

SOUND = NumPyBackend.kernels.functions


def broken(kernels: Mapping[str, Callable[..., Any]] | None = None, **further: Callable[..., Any]) -> NumPyBackend:
    """NumPy with some kernels replaced."""
    table = KernelTable()
    for name, function in {**(kernels or {}), **further}.items():
        table.add(name, function)

    class Broken(NumPyBackend):
        name = "broken"
        kernels = KernelTable.merge(NumPyBackend.kernels, table)

    return Broken()


def lacking(op: str) -> NumPyBackend:
    """NumPy without a kernel."""
    backend = broken()
    backend.kernels = KernelTable.merge(backend.kernels)
    del backend.kernels.entries[op], backend.kernels.functions[op]
    return backend


# -- kernels -----------------------------------------------------------------------------------------------------------


def scaled(op: str, factor: float = 1.01) -> NumPyBackend:
    """A kernel whose results are too large."""
    return broken({op: lambda *arrays, **settings: SOUND[op](*arrays, **settings) * np.float32(factor)})


def one_scratch(x: Any) -> Any:
    """Tanh into one array for each shape and dtype, which it hands out again and again."""
    return np.tanh(x, out=_SCRATCH.setdefault((np.shape(x), np.asarray(x).dtype), np.empty_like(x)))


def racing(x: Any) -> Any:
    """Tanh that keeps its argument where all threads see it while it works."""
    _RACE["x"] = x
    time.sleep(0.001)
    return np.tanh(_RACE["x"])


_SCRATCH: dict[Any, Any] = {}
_RACE: dict[str, Any] = {}


def in_memory_order(x: Any) -> Any:
    """Tanh that takes elements as they lie in memory."""
    return np.tanh(np.ravel(x, order="K")).reshape(np.shape(x))


def without_repeats(updates: Any, indices: Any, axis: int, size: int) -> Any:
    """``scatter_add`` in which the last of several updates of a row wins."""
    rows = np.moveaxis(updates.reshape(*updates.shape[:axis], -1, *updates.shape[axis + indices.ndim :]), axis, 0)
    result = np.zeros((size, *rows.shape[1:]), updates.dtype)
    result[indices.reshape(-1)] += rows
    return np.moveaxis(result, 0, axis)


def other_stream(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """Uniform numbers of NumPy's own generator."""
    return np.random.default_rng(seed.astype(np.uint32)).random(shape).astype(dtype)


def forgetful_adam(*tensors: Any, count: int, **_: Any) -> tuple[Any, ...]:
    """Adam that leaves the parameters as they are."""
    return tensors[1 : 1 + count] + tensors[1 + 2 * count :]


# -- arrays and devices ------------------------------------------------------------------------------------------------


class Aliasing(NumPyBackend):
    """Takes the memory of the host's arrays, and copies nothing."""

    name = "broken"

    def from_host(self, array: Any) -> Any:
        return np.asarray(array)

    def copy(self, array: Any) -> Any:
        return array


class Everywhere(NumPyBackend):
    """Says that it computes wherever it is asked to."""

    name = "broken"

    def __init__(self, device: str | None = None) -> None:
        Backend.__init__(self, device or "cuda:0")


class Narrow(NumPyBackend):
    """Says that it has bfloat16, and keeps such numbers in float32."""

    name = "broken"

    def from_host(self, array: Any) -> Any:
        return super().from_host(array.astype(np.float32) if array.dtype.name == "bfloat16" else array)


class Modest(NumPyBackend):
    """Lacks a dtype of which no limitation tells."""

    name = "broken"

    def supports(self, dtype: str) -> str | None:
        return "it is too small." if dtype == "int8" else None


class OneBuffer(NumPyBackend):
    """Takes all arrays for one."""

    name = "broken"

    def buffer_of(self, array: Any) -> tuple[int, int]:
        return 0, 1 << 20


class Still(NumPyBackend):
    """Overwrites nothing."""

    name = "broken"

    def overwrite(self, target: Any, source: Any) -> Any:
        return target


# -- executables -------------------------------------------------------------------------------------------------------


class Spoiled(Interpreter):
    """The interpreter with something wrong, by a function of the outputs."""

    def __init__(self, program: Program, backend: Backend, spoil: Callable[[list[Any]], list[Any]]) -> None:
        super().__init__(program, backend.kernels, backend.from_host)
        self._spoil = spoil

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        outputs, written = super().__call__(inputs, state)
        return self._spoil(outputs), written


class Loading(NumPyBackend):
    """NumPy whose executables are made by a function."""

    name = "broken"

    def __init__(self, make: Callable[[Program, Backend], Any]) -> None:
        super().__init__()
        self._make = make

    def load(self, program: Program) -> Any:
        return self._make(program, self)


def sharing(program: Program, backend: Backend) -> Any:
    """Hands out the same array at every call."""
    buffers: dict[int, Any] = {}

    def spoil(outputs: list[Any]) -> list[Any]:
        for index, output in enumerate(outputs):
            np.copyto(buffers.setdefault(index, np.array(output)), output)
        return [buffers[index] for index in range(len(outputs))]

    return Spoiled(program, backend, spoil)


def remembering(program: Program, backend: Backend) -> Any:
    """Gives the first call's results for ever."""
    first: list[Any] = []

    def spoil(outputs: list[Any]) -> list[Any]:
        first.extend(outputs[len(first) :])
        return list(first)

    return Spoiled(program, backend, spoil)


def inexact(program: Program, backend: Backend) -> Any:
    """Gives results that are a little too large."""
    return Spoiled(program, backend, lambda outputs: [o * o.dtype.type(1.0001) for o in outputs])


def greedy(program: Program, backend: Backend) -> Any:
    """Uses the memory of its inputs."""

    class Greedy(Interpreter):
        def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            found = super().__call__(inputs, state)
            for array in inputs:
                array[...] = 0
            return found

    return Greedy(program, backend.kernels, backend.from_host)


def unguarded(program: Program, backend: Backend) -> Any:
    """Keeps the inputs of a call where the calls of other threads put theirs."""
    kept: dict[str, Any] = {}

    class Unguarded(Interpreter):
        def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            kept["inputs"] = inputs
            if threading.active_count() > 1:
                time.sleep(0.001)
            return super().__call__(kept["inputs"], state)

    return Unguarded(program, backend.kernels, backend.from_host)


def in_place(program: Program, backend: Backend) -> Any:
    """Writes each Variable as soon as it can, not all at the end."""

    class InPlace(Interpreter):
        updates_in_place = True

        def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            outputs, written = super().__call__(inputs, state)
            for (index, _), value in zip(self.program.writes, written, strict=True):
                np.copyto(state[index], value)
            return outputs, []

    return InPlace(program, backend.kernels, backend.from_host)
