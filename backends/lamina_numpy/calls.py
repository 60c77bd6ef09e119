"""Calls between arrays that are known: what a kernel comes down to in a step that is run again and again.

The executable writes them into its source one by one, which spares the kernel's own call, its loop and its look at what
it got.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.program import Instruction
from lamina.program.passes import is_on
from lamina.shapes import Spec

Arrays = Sequence[Any]


class Call(NamedTuple):
    """A function, what it takes by position, and the array for its ``out`` if that goes by name."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    out: Any = None


Binding = Callable[[Arrays, Arrays, Mapping[str, Any]], "list[Call] | None"]
"""What a kernel comes down to, from its arguments, its results and its settings; None where it has to look first."""


def in_order(calls: Sequence[Call]) -> Callable[[], None]:
    """The calls as one function.

    >>> found = []
    >>> in_order([Call(found.append, (1,)), Call(found.append, (2,))])()
    >>> found
    [1, 2]
    """
    same = _Same()
    bound = [
        (call.function, tuple(same(a) for a in call.arguments), {} if call.out is None else {"out": same(call.out)})
        for call in calls
    ]

    def run() -> None:
        for function, arguments, named in bound:
            function(*arguments, **named)

    return run


def written(calls: Sequence[Call], index: int, names: Mapping[int, str], namespace: dict[str, Any]) -> list[str]:
    """The calls as lines of source; what has no name in ``names``, by its id, gets one of its own."""
    same, lines = _Same(), []
    known = dict(names)

    def named(value: Any) -> str:
        value = same(value)
        if id(value) not in known:
            known[id(value)] = name = f"c{index}_{len(known)}"
            namespace[name] = value
        return known[id(value)]

    for call in calls:
        taken = [named(a) for a in call.arguments]
        taken += [] if call.out is None else [f"out={named(call.out)}"]
        lines.append(f"{named(call.function)}({', '.join(taken)})")
    return lines


class _Same:
    """Gives one array for all that are the same memory: else each call finds out, which costs as much again."""

    def __init__(self) -> None:
        self._seen: dict[Any, Any] = {}
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        known = self._known.get(id(value))
        if known is None:  # values are kept with what is given for them, so that no other one gets their id
            known = self._known[id(value)] = (value, self._first(value))
        return known[1]

    def _first(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or not value.size:
            return value
        place = value.__array_interface__["data"][0], value.shape, value.strides, value.dtype
        return self._seen.setdefault(place, value)


_SIGNS = {"add": "+", "subtract": "-", "multiply": "*"}


def scalar_line(instruction: Instruction, slots: Sequence[Spec]) -> str | None:
    """Arithmetic on single numbers by Python's own, a quarter of the time; None for other instructions.

    A sum or product of two single-precision numbers that is rounded to double and then to single precision is the one
    that is rounded once, so results are the same to the last bit. Whole numbers wrap around as NumPy's do.
    """
    sign = _SIGNS.get(instruction.op)
    if sign is None or slots[instruction.outputs[0]].shape or not is_on("scalars"):
        return None
    dtype = slots[instruction.outputs[0]].dtype
    if any(slots[s] != Spec((), dtype) for s in instruction.inputs):
        return None
    a, b = instruction.inputs
    result = f"s{a}.item() {sign} s{b}.item()"
    if dtype == "int32":
        result = f"({result} + 2147483648 & 4294967295) - 2147483648"
    return f"s{instruction.outputs[0]}.fill({result})" if dtype in ("float32", "float64", "int32") else None
