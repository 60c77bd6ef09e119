"""Matrices of few columns, computed as their transposes: a pure function from a Program to a Program.

The matrix libraries of a CPU, and torch's loops over rows, are several times slower where rows are short. What is
computed from a transposed result element by element is transposed too, so that hardly anything is moved.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from lamina.program import Instruction, Program
from lamina.shapes import Spec
from lamina_torch.calls import DENSE, ELEMENTWISE, LOG_SOFTMAX_BACKWARD, MM, TURN

_FEW = range(2, 32)
_PRODUCTS = 1 << 14  # with fewer multiplications neither way takes longer
_BY_ELEMENT = {*ELEMENTWISE, "cast"}
_BY_ROW = ("softmax", "log_softmax", LOG_SOFTMAX_BACKWARD)


def turn_narrow(program: Program, own: Collection[str]) -> Program:
    """The program with such products as their transposes. Only ops in ``own`` are followed beyond them."""
    turning = _Turning(program, own)
    return turning.run() if turning.shapes else program


class _Turning:
    """``turned`` maps slots to their transposes, which are computed, and ``source`` views to what they show turned."""

    def __init__(self, program: Program, own: Collection[str]) -> None:
        self.program = program
        self.own = own
        self.slots = list(program.slots)
        self.turned: dict[int, int] = {}
        self.source: dict[int, int] = {}
        self.renamed: dict[int, int] = {}
        self.instructions: list[Instruction] = []
        self.computed = {s for i in program.instructions if i.effect != "view" for s in i.outputs}
        by_row = {i.outputs[0] for i in program.instructions if i.op in _BY_ROW and i.attrs["axis"] == 0}
        self.shapes = {
            self.slots[i.outputs[0]].shape
            for i in program.instructions
            if self._pays(i) or (i.op == TURN and i.inputs[0] in by_row)
        }

    def run(self) -> Program:
        for instruction in self.program.instructions:
            inputs = tuple(self.renamed.get(s, s) for s in instruction.inputs)
            self._add(instruction.reading(inputs))
        outputs = tuple(self._upright(s) for s in self.program.outputs)
        writes = tuple((index, self.renamed.get(s, s)) for index, s in self.program.writes)
        made = tuple(self.instructions)
        return replace(self.program, slots=tuple(self.slots), instructions=made, outputs=outputs, writes=writes)

    def _pays(self, instruction: Instruction) -> bool:
        """Whether a call is a product that is faster as its transpose."""
        if instruction.op != MM:
            return False
        rows, columns = self.slots[instruction.outputs[0]].shape
        size = rows * columns * self.slots[instruction.inputs[0]].shape[1]
        return columns in _FEW and columns < rows and size >= _PRODUCTS

    def _add(self, instruction: Instruction) -> None:
        op, inputs = instruction.op, instruction.inputs
        if op == TURN and inputs[0] in self.turned:
            self.renamed[instruction.outputs[0]] = self.turned[inputs[0]]
        elif op == DENSE and inputs[0] in self.turned.values():
            self.renamed[instruction.outputs[0]] = inputs[0]
        elif op == TURN:
            self._note(instruction)
        elif self._pays(instruction):
            a, b = inputs
            self._turn(instruction, MM, (self._transposed(b), self._transposed(a)), instruction.attrs)
        elif op in _BY_ROW and inputs[0] in self.turned:
            self._turn(instruction, op, tuple(self._transposed(s) for s in inputs), {"axis": 0})
        elif self._goes_along(instruction):
            self._turn(instruction, op, tuple(self._beside(s) for s in inputs), instruction.attrs)
        elif op.endswith("_update"):
            self.instructions.append(replace(instruction, inputs=tuple(self._upright(s) for s in inputs)))
        else:
            self.instructions.append(instruction)

    def _note(self, instruction: Instruction) -> None:
        """A transpose that is there already. One of a computed result counts as that result turned."""
        (x,), (y,) = instruction.inputs, instruction.outputs
        self.source[y] = x
        if x in self.computed and self.slots[y].shape in self.shapes:
            self.turned[y] = x
        self.instructions.append(instruction)

    def _goes_along(self, instruction: Instruction) -> bool:
        """Whether a call works element by element on matrices of a shape that is turned here."""
        if instruction.op not in _BY_ELEMENT or (instruction.op not in self.own and "." not in instruction.op):
            return False
        shape = self.slots[instruction.outputs[0]].shape
        return shape in self.shapes and all(self.slots[s].ndim <= 2 for s in instruction.inputs)

    def _turn(self, instruction: Instruction, op: str, inputs: tuple[int, ...], attrs: Any) -> None:
        """A call as one that gives the transpose, and a view of it as it was."""
        (y,) = instruction.outputs
        (rows, columns), dtype = self.slots[y].shape, self.slots[y].dtype
        self.turned[y] = self._new(op, inputs, Spec((columns, rows), dtype), attrs, "pure")
        self.source[y] = self.turned[y]
        self.instructions.append(Instruction(TURN, (self.turned[y],), (y,), {}, "view"))

    def _new(self, op: str, inputs: tuple[int, ...], spec: Spec, attrs: Any, effect: Any) -> int:
        self.slots.append(spec)
        slot = len(self.slots) - 1
        self.instructions.append(Instruction(op, inputs, (slot,), attrs, effect))
        return slot

    def _transposed(self, slot: int) -> int:
        found = self.turned.get(slot, self.source.get(slot))
        if found is None:
            (rows, columns), dtype = self.slots[slot].shape, self.slots[slot].dtype
            found = self.source[slot] = self._new(TURN, (slot,), Spec((columns, rows), dtype), {}, "view")
        return found

    def _beside(self, slot: int) -> int:
        """An argument that is broadcast to a matrix, for its transpose."""
        spec = self.slots[slot]
        if spec.ndim == 2:
            return self._transposed(slot)
        if spec.size == 1:
            return slot
        column = Spec((*spec.shape, 1), spec.dtype)
        return self._new("reshape", (slot,), column, {"shape": column.shape}, "view")

    def _upright(self, slot: int) -> int:
        """A result as somebody else wants it: dense, in the order of rows."""
        if slot not in self.turned:
            return self.renamed.get(slot, slot)
        return self._new(DENSE, (slot,), self.slots[slot], {}, "pure")
