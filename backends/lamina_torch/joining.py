"""The mean of a cross entropy, from what its gradient needs anyway: a pure function of a program and its constants.

Each sums labels times weights times logarithms. Where all weights are one number, the gradient's product of labels and
weights, times the logarithms, is what the mean sums up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lamina.program import Instruction, Program, drop_dead
from lamina.shapes import Spec
from lamina_torch.calls import MV, TURN

_LONGEST_SUM = 8192  # numbers that one product adds up: it does so in eight sums or more


class _Mean(NamedTuple):
    """``scale`` times the sum of the elements of ``labels * logs``, which is slot ``product``."""

    product: int
    labels: int
    logs: int
    scale: float


def join_means(program: Program, constants: Mapping[int, Any]) -> Program | None:
    """The program with such means as one product each; None if there are none. Views of constants may be new in it."""
    return _Joining(program, constants).run()


class _Joining:
    def __init__(self, program: Program, constants: Mapping[int, Any]) -> None:
        self.program = program
        self.constants = constants
        self.slots = list(program.slots)
        self.made = {s: i for i in program.instructions for s in i.outputs}
        self.reads = Counter(s for i in program.instructions for s in i.inputs)
        self.reads.update(program.results())

    def run(self) -> Program | None:
        found = {i.outputs: mean for i in self.program.instructions if (mean := self._mean(i)) is not None}
        weighted = {outputs: self._weighted(mean) for outputs, mean in found.items()}
        if not any(weighted.values()):
            return None
        early = {mean.product: weighted[o] for o, mean in found.items() if weighted[o] is not None}
        moved = {i.outputs for i in early.values() if i is not None}
        made: list[Instruction] = []
        for instruction in self.program.instructions:
            other = weighted.get(instruction.outputs)
            if other is not None:
                made += self._joined(instruction, other.outputs[0], found[instruction.outputs].logs)
            elif instruction.outputs not in moved:
                made.append(instruction)
            made += [i for s in instruction.outputs if (i := early.get(s)) is not None]
        return drop_dead(replace(self.program, slots=tuple(self.slots), instructions=tuple(made)))

    def _mean(self, instruction: Instruction) -> _Mean | None:
        """What an instruction is the mean of, if it is one: a product with equal weights of sums along an axis."""
        if instruction.op != MV or self.slots[instruction.outputs[0]].size != 1:
            return None
        rows = self._single(instruction.inputs[0], "reshape")
        sums = None if rows is None else self._single(rows.inputs[0], MV)
        if sums is None:
            return None
        turned = self._single(sums.inputs[0], TURN)
        product = self._single(sums.inputs[0] if turned is None else turned.inputs[0], "multiply")
        outer, inner = self._number(instruction.inputs[1]), self._number(sums.inputs[1])
        if product is None or outer is None or inner is None:
            return None
        (slot,), (labels, logs) = product.outputs, product.inputs
        same = self.slots[labels] == self.slots[logs] == self.slots[slot]
        return _Mean(slot, labels, logs, outer * inner) if same and self.slots[slot].size <= _LONGEST_SUM else None

    def _single(self, slot: int, op: str) -> Instruction | None:
        """The instruction that makes a slot for one reader, if it is such an op."""
        found = self.made.get(slot)
        return found if found is not None and found.op == op and self.reads[slot] == 1 else None

    def _number(self, slot: int) -> float | None:
        """The number that a constant is full of."""
        tensor = self.constants.get(slot)
        if tensor is None or not tensor.numel():
            return None
        first = tensor.flatten()[0]
        return float(first) if bool((tensor == first).all()) else None

    def _weighted(self, mean: _Mean) -> Instruction | None:
        """The instruction that multiplies the same labels with the mean's scale."""
        for instruction in self.program.instructions:
            if (
                instruction.op == "multiply"
                and instruction.inputs[0] == mean.labels
                and mean.product not in instruction.outputs
            ):
                scale = self._number(instruction.inputs[1])
                if scale == mean.scale and self.slots[instruction.outputs[0]] == self.slots[mean.product]:
                    return instruction
        return None

    def _joined(self, instruction: Instruction, weighted: int, logs: int) -> list[Instruction]:
        """The mean as the product of both, each as one run of numbers."""
        spec = self.slots[logs]
        row, column = Spec((1, spec.size), spec.dtype), Spec((spec.size,), spec.dtype)
        views = [
            Instruction("reshape", (slot,), (len(self.slots) + i,), {"shape": shown.shape}, "view")
            for i, (slot, shown) in enumerate(((weighted, row), (logs, column)))
        ]
        self.slots += [row, column]
        return [*views, replace(instruction, inputs=tuple(view.outputs[0] for view in views))]
