"""What a backend may do in its own way: questions that are put to it, for the table of how backends differ.

None of the answers is wrong. What every backend must do alike is a test of the kit, and no question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import lamina
from lamina.contract import Backend
from lamina.dtypes import ARITHMETIC, STRING
from lamina.errors import ArgumentError, OutOfRangeError
from lamina.runtime.backends import HOLDS_STRINGS, on_backend
from lamina.runtime.convert import REFUSALS
from lamina.runtime.op import OPS
from lamina.testing.coverage import SOURCES, kernel_source

OUTSIDE: Final = {20.0: "it wraps around", 30.0: "the last element is taken", 0.0: "0 comes back"}
"""What element 7 of (10, 20, 30) can be."""


def answers(backend: Backend) -> dict[str, str]:
    """What a backend does where each may do as it likes: an answer in words to each question of ``QUESTIONS``.

    >>> import lamina
    >>> answers(lamina.get_backend())["an index outside the axis, in `gather`"]
    'OutOfRangeError'
    """
    with on_backend(backend):
        return {question: ask(backend) for question, ask in QUESTIONS.items()}


def _kernels(backend: Backend) -> str:
    found = Counter(kernel_source(op, backend.kernels) for op in OPS.values())
    return ", ".join(f"{found[source]} {source}" for source in SOURCES if found[source])


def _missing_dtypes(backend: Backend) -> str:
    return ", ".join(dtype for dtype in ARITHMETIC if backend.supports(dtype) is not None) or "none"


def _strings(backend: Backend) -> str:
    return "here" if all(backend.supports(dtype) is None for dtype in STRING) else f"on `{HOLDS_STRINGS}`"


def _steps(backend: Backend) -> str:
    own = type(backend).load is not Backend.load
    return "by an executable of its own" if own else "op by op, by the reference interpreter"


def _variables(backend: Backend) -> str:
    target, source = (backend.from_host(np.full(2, number, np.float32)) for number in (0.0, 1.0))
    return "written in place" if backend.overwrite(target, source) is target else "made anew"


def _memory(backend: Backend) -> str:
    return "no" if backend.buffer_of(backend.from_host(np.ones(2, np.float32))) is None else "yes"


def _host_arrays(backend: Backend) -> str:
    array = np.zeros(2, np.float32)
    try:
        native = backend.share_dlpack(array)
    except REFUSALS:
        return "copied through the host's memory"
    array[0] = 1.0
    return "shared" if np.asarray(backend.to_host(native))[0] else "copied"


def _index_outside(backend: Backend) -> str:
    return _outside(lambda: lamina.gather([10.0, 20.0, 30.0], [7]))


def _coordinate_outside(backend: Backend) -> str:
    return _outside(lambda: lamina.gather_nd([10.0, 20.0, 30.0], [[7]]))


def _outside(read: Callable[[], Any]) -> str:
    try:
        found = float(read().item())
    except IndexError as error:
        return OutOfRangeError.__name__ if isinstance(error, OutOfRangeError) else "the library's own IndexError"
    return OUTSIDE.get(found, f"{found} comes back")


def _not_numbers_in_a_window(backend: Backend) -> str:
    window = np.array([[np.nan, 1.0], [np.nan, 2.0]], np.float32).reshape(1, 2, 2, 1)
    gradient = lamina.grad(lambda x: lamina.max_pool(x, 2, 2).sum())(lamina.tensor(window))
    return {(1.0, 0.0): "the first", (0.0, 1.0): "the last"}.get(
        tuple(gradient.numpy()[0, :, 0, 0].tolist()), "another"
    )


def _nearly_certain(backend: Backend) -> str:
    step = lamina.function(lambda x: lamina.softmax_cross_entropy([[0.0, 1.0]], x * 1.0))
    logits = lamina.tensor([[0.0, 20.0]])
    for _ in range(4):
        loss = step(logits)
    return "to the last digits" if abs(loss.item() - 2.0611537e-09) < 1e-13 else "rounded beside 1"


def _casts(backend: Backend) -> str:
    found = lamina.cast(lamina.tensor([float("nan"), 1e20]), "int32").tolist()
    return "0" if found == [0, 0] else "what the library makes of it"


def _singular(backend: Backend) -> str:
    try:
        lamina.linalg.solve(lamina.zeros((2, 2)), lamina.ones((2, 1)))
    except ArgumentError:
        return ArgumentError.__name__
    except Exception as error:  # whatever the library says
        return f"{type(error).__module__.partition('.')[0]}'s {type(error).__name__.lstrip('_')}"
    return "infinities or NaN"


QUESTIONS: Final[dict[str, Callable[[Backend], str]]] = {
    "kernels": _kernels,
    "dtypes that are missing": _missing_dtypes,
    "strings live": _strings,
    "recorded steps run": _steps,
    "Variables are": _variables,
    "memory is counted (`lamina.memory`)": _memory,
    "arrays of NumPy are, by `lamina.from_dlpack`,": _host_arrays,
    "an index outside the axis, in `gather`": _index_outside,
    "a coordinate outside, in `gather_nd`": _coordinate_outside,
    "of several NaN in a window, the gradient of the maximum goes to": _not_numbers_in_a_window,
    "a recorded cross entropy of a class that is nearly certain": _nearly_certain,
    "NaN, and numbers that are too large, as int32": _casts,
    "a singular matrix, in `solve`": _singular,
}
"""Each question with the function that asks a backend, which is the active one."""
