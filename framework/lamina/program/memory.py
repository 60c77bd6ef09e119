"""Where the results of a program can lie, so that a replayed step makes no arrays: a pure function of the program.

A result that is written to a Variable is computed in the Variable's own array where nothing needs the old value any
more; others share buffers by their lifetimes, and may take over the buffer of an argument that ends with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from lamina.dtypes import ITEMSIZE
from lamina.program.passes import lifetimes, view_bases
from lamina.program.program import Instruction, Program
from lamina.shapes import Spec

ALIGNMENT = 64
MAY_RAISE = ("take", "scatter_add", "flat_positions")
"""Ops whose kernels may refuse values: up to the last of them no Variable may be overwritten."""

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Memory:
    """Where each slot lies.

    ``in_state`` maps slots to the index of the Variable in whose array they are computed, ``in_buffer`` others to the
    number of their buffer; ``sizes`` are the buffers' bytes.
    """

    in_state: dict[int, int] = field(default_factory=dict)
    in_buffer: dict[int, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.sizes)} buffers of {sum(self.sizes)} bytes hold {len(self.in_buffer)} results one after the "
            f"other; {len(self.in_state)} results are computed in the Variables they are written to"
        )


def plan_memory(
    program: Program,
    placed: Collection[int],
    in_place: Callable[[Instruction], Pairs],
    lanes: Sequence[int | None] = (),
) -> Memory:
    """Gives each slot of ``placed``, none of which is a view, an array to be computed in.

    ``in_place`` gives for an instruction the pairs (argument, result) that may be one and the same memory. ``lanes``
    has the lane of each instruction: what runs beside each other must not take over each other's buffers.

    >>> from lamina.shapes import Spec
    >>> s = Spec((2,), "float32")
    >>> chain = tuple(Instruction("exp", (i,), (i + 1,)) for i in range(3))
    >>> program = Program(slots=(s,) * 4, inputs=(0,), instructions=chain, outputs=(3,))
    >>> plan_memory(program, {1, 2}, lambda i: [(i.inputs[0], i.outputs[0])]).in_buffer
    {1: 0, 2: 0}
    """
    return _Planner(program, placed, in_place, lanes or [None] * len(program.instructions)).plan()


def size_of(spec: Spec) -> int:
    """The bytes of an array, rounded up to whole cache lines."""
    return -(-math.prod(spec.shape) * ITEMSIZE[spec.dtype] // ALIGNMENT) * ALIGNMENT


class _Planner:
    def __init__(
        self,
        program: Program,
        placed: Collection[int],
        in_place: Callable[[Instruction], Pairs],
        lanes: Sequence[int | None],
    ) -> None:
        self.program = program
        self.placed = placed
        self.bases = view_bases(program)
        self.lifetimes = lifetimes(program)
        self.pairs = [self._safe(i, in_place(i)) for i in program.instructions]
        self.memory = Memory()
        self.lane_of = {s: lane for i, lane in zip(program.instructions, lanes, strict=True) for s in i.outputs}
        self.free: dict[tuple[int, int | None], list[int]] = {}

    def _safe(self, instruction: Instruction, pairs: Pairs) -> list[tuple[int, int]]:
        """The pairs whose argument is no view, and of which the instruction reads no view either."""
        bases = [self.bases[s] for s in instruction.inputs if s in self.bases]
        return [(old, new) for old, new in pairs if old not in self.bases and old not in bases]

    def plan(self) -> Memory:
        self._choose_state()
        ending: dict[int, list[int]] = {}
        for slot, (_, end) in self.lifetimes.items():
            ending.setdefault(end, []).append(slot)
        held = self.memory.in_buffer
        taken: set[int] = set()
        for index, instruction in enumerate(self.program.instructions):
            for slot in instruction.outputs:
                if slot in self.placed and slot not in self.memory.in_state:
                    before = self._taken_over(index, slot, taken)
                    taken.update(before)
                    held[slot] = held[before[0]] if before else self._buffer(slot)
            for slot in ending.get(index, ()):
                if slot in held and slot not in taken:
                    free = self.free.setdefault((self.memory.sizes[held[slot]], self.lane_of[slot]), [])
                    free.append(held[slot])
        return self.memory

    def _taken_over(self, index: int, slot: int, taken: set[int]) -> list[int]:
        """The argument that ends here and whose buffer the result can have, if there is one."""
        return [
            old
            for old, new in self.pairs[index]
            if new == slot
            and old in self.memory.in_buffer
            and old not in taken
            and self.lifetimes[old][1] == index
            and self.lane_of[old] == self.lane_of[new]
        ][:1]

    def _buffer(self, slot: int) -> int:
        size = size_of(self.program.slots[slot])
        waiting = self.free.get((size, self.lane_of[slot]))
        if waiting:
            return waiting.pop()
        self.memory.sizes.append(size)
        return len(self.memory.sizes) - 1

    def _choose_state(self) -> None:
        made = {s: index for index, i in enumerate(self.program.instructions) for s in i.outputs}
        unsafe = max((i for i, x in enumerate(self.program.instructions) if x.op in MAY_RAISE), default=-1)
        for index, slot in self.program.writes:
            if slot not in self.placed or slot in self.program.outputs or slot in self.memory.in_state:
                continue
            if self.lane_of.get(slot) is not None:
                continue
            target, position = self.program.state[index], made[slot]
            if position < unsafe:
                continue
            needed = self.lifetimes[target][1]
            if needed < position or (needed == position and (target, slot) in self.pairs[position]):
                self.memory.in_state[slot] = index
