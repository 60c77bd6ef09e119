"""The data structure: a flat list of instructions over numbered slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from lamina.errors import ReplayError
from lamina.shapes import Spec

Effect = Literal["pure", "random", "view"]
"""What a pass must know of an op: ``random`` is never merged or reordered, ``view`` shares its input's memory."""


@dataclass(frozen=True)
class Instruction:
    """One kernel call: ``outputs = op(*inputs, **attrs)``, with slots in place of arrays.

    ``in_tuple`` says that the kernel returns a tuple even of a single result.
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    effect: Effect = "pure"
    in_tuple: bool = False

    def reading(self, inputs: tuple[int, ...]) -> Instruction:
        """The same call of other slots; itself if they are the same."""
        return self if inputs == self.inputs else replace(self, inputs=inputs)

    def __str__(self) -> str:
        left = ", ".join(f"%{slot}" for slot in self.outputs)
        right = [f"%{slot}" for slot in self.inputs] + [f"{name}={value!r}" for name, value in self.attrs.items()]
        return f"{left} = {self.op}({', '.join(right)})"


@dataclass(frozen=True)
class Program:
    """A straight-line computation.

    ``slots[i]`` is the spec of slot i. ``inputs`` are filled by the caller and ``state`` by Variables, in order;
    ``constants`` hold host arrays. ``outputs`` go to the caller. ``writes`` are pairs (index into ``state``, slot):
    all of them take effect together after the last instruction, so that two Variables may swap.

    >>> from lamina.shapes import Spec
    >>> s = Spec((2,), "float32")
    >>> print(Program(slots=(s, s), inputs=(0,), instructions=(Instruction("exp", (0,), (1,)),), outputs=(1,)))
    input  %0: float32[2]
    %1 = exp(%0)                                                 # float32[2]
    output %1
    """

    slots: tuple[Spec, ...]
    inputs: tuple[int, ...] = ()
    state: tuple[int, ...] = ()
    constants: dict[int, np.ndarray[Any, Any]] = field(default_factory=dict)
    instructions: tuple[Instruction, ...] = ()
    outputs: tuple[int, ...] = ()
    writes: tuple[tuple[int, int], ...] = ()

    def with_instructions(self, instructions: Iterator[Instruction] | list[Instruction]) -> Program:
        """The same program with other instructions."""
        return replace(self, instructions=tuple(instructions))

    def results(self) -> tuple[int, ...]:
        """The slots that must survive: outputs and written slots."""
        return self.outputs + tuple(slot for _, slot in self.writes)

    def ops(self) -> str:
        """How often each op is called, in words.

        >>> Program(slots=(), instructions=(Instruction("exp", (0,), (1,)), Instruction("exp", (1,), (2,)))).ops()
        '2 exp'
        """
        counts = Counter(each.op for each in self.instructions).most_common()
        return ", ".join(f"{count} {op}" for op, count in counts)

    def last_uses(self) -> dict[int, int]:
        """For each slot the index of the last instruction that reads it; results live past the end."""
        last: dict[int, int] = {}
        for index, instruction in enumerate(self.instructions):
            for slot in instruction.inputs:
                last[slot] = index
        for slot in self.results():
            last[slot] = len(self.instructions)
        return last

    def check(self) -> Program:
        """Returns the program itself if it is well formed: each slot is set once, and before it is read.

        Raises ReplayError with the first instruction that is not.
        """
        known = {*self.inputs, *self.state, *self.constants}
        for instruction in self.instructions:
            missing = [slot for slot in instruction.inputs if slot not in known]
            again = [slot for slot in instruction.outputs if slot in known]
            if missing or again:
                reason = f"reads %{missing[0]} before it is set" if missing else f"sets %{again[0]} a second time"
                raise ReplayError(f"the instruction '{instruction}' {reason}.")
            known.update(instruction.outputs)
        missing = [slot for slot in self.results() if slot not in known]
        if missing:
            raise ReplayError(f"the program returns %{missing[0]}, which nothing sets.")
        return self

    def first_difference(self, other: Program) -> str | None:
        """Where another recording of the same step differs from this one, in words; None if they agree."""
        for mine, theirs in zip(self.instructions, other.instructions, strict=False):
            if repr(mine) != repr(theirs):  # NaN is no difference, 1 in place of True or 1.0 is one
                return f"'{mine}' became '{theirs}'"
        if len(self.instructions) != len(other.instructions):
            longer = max(self.instructions, other.instructions, key=len)
            extra = longer[min(len(self.instructions), len(other.instructions))]
            return (
                f"{len(self.instructions)} instructions became {len(other.instructions)}; the first extra is '{extra}'"
            )
        for slot, mine_constant in self.constants.items():
            theirs_constant = other.constants.get(slot)
            if theirs_constant is None or not _same(mine_constant, theirs_constant):
                return f"the constant %{slot} changed from {mine_constant!r} to {theirs_constant!r}{self._reader(slot)}"
        if (self.slots, self.inputs, self.state) != (other.slots, other.inputs, other.state):
            return "the inputs or Variables it reads changed"
        if (self.outputs, self.writes) != (other.outputs, other.writes):
            return "what it returns or assigns changed"
        return None

    def _reader(self, slot: int) -> str:
        readers = [str(i) for i in self.instructions if slot in i.inputs]
        return f", read by '{readers[0]}'" if readers else ""

    def __str__(self) -> str:
        lines = [f"input  %{slot}: {describe(self.slots[slot])}" for slot in self.inputs]
        lines += [f"state  %{slot}: {describe(self.slots[slot])}" for slot in self.state]
        lines += [f"const  %{slot}: {describe(self.slots[slot])}{_value(a)}" for slot, a in self.constants.items()]
        for instruction in self.instructions:
            specs = ", ".join(describe(self.slots[slot]) for slot in instruction.outputs)
            lines.append(f"{instruction!s:<60} # {specs}")
        lines += [f"write  %{self.state[index]} <- %{slot}" for index, slot in self.writes]
        lines.append("output " + ", ".join(f"%{slot}" for slot in self.outputs))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from lamina.program.notebook import program_html

        return program_html(self)


def describe(spec: Spec) -> str:
    """A spec in few characters, such as ``float32[2, 3]``."""
    return f"{spec.dtype}{list(spec.shape)}"


def _value(array: np.ndarray[Any, Any]) -> str:
    return f" = {array.item()!r}" if array.ndim == 0 else ""


def _same(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
