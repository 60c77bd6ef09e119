"""The rewrite "pools-first": the largest of a window is taken before a bias is added and a relu done, not after.

Both keep the order of numbers, so the result is the same, of a quarter of the elements or fewer, forward and back.
Which of two elements wins that rounding alone makes equal may change, and with it where the gradient goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lamina.program import Instruction, Program
from lamina.shapes import Spec


class _Chain(NamedTuple):
    """The places of a bias' addition, a relu and a pool of one another, and of the gradients of the latter two."""

    add: int
    relu: int
    pool: int
    pool_gradient: int | None
    relu_gradient: int | None


def pools_first(program: Program) -> Program:
    """The program with all such chains turned round."""
    while chain := _first_chain(program):
        program = _turned(program, chain)
    return program


def _first_chain(program: Program) -> _Chain | None:
    finder = _Finder(program)
    pools = [index for index, i in enumerate(program.instructions) if i.op == "window_max"]
    return next((chain for chain in map(finder.chain, pools) if chain), None)


class _Finder:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.made = {s: index for index, i in enumerate(program.instructions) for s in i.outputs}
        self.users: dict[int, list[int]] = {s: [len(program.instructions)] for s in program.results()}
        for index, instruction in enumerate(program.instructions):
            for slot in instruction.inputs:
                self.users.setdefault(slot, []).append(index)

    def _op(self, index: int) -> str:
        instructions = self.program.instructions
        return instructions[index].op if index < len(instructions) else "result"

    def _maker(self, slot: int, op: str, users: int) -> int | None:
        """Where a slot with so many users is made, if by this op."""
        index = self.made.get(slot)
        return index if index is not None and self._op(index) == op and len(self.users[slot]) == users else None

    def chain(self, pool: int) -> _Chain | None:
        """The chain that ends with a pool, if nothing else needs what is in between."""
        instructions = self.program.instructions
        (active,) = instructions[pool].inputs
        others = sorted(set(self.users[active]) - {pool})
        relu = self._maker(active, "relu", 1 + len(others))
        if relu is None or [self._op(i) for i in others] not in ([], ["window_max_gradient", "relu_gradient"]):
            return None
        add = self._maker(instructions[relu].inputs[0], "add", 1)
        if add is None or self._bias(instructions[add]) is None:
            return None
        chain = _Chain(add, relu, pool, *(others or (None, None)))
        return chain if not others or self._fits(chain) else None

    def _bias(self, add: Instruction) -> tuple[int, int] | None:
        """What is added to, which nothing else needs, and the bias, one number for each channel."""
        slots = self.program.slots
        for x, bias in (add.inputs, add.inputs[::-1]):
            channels, y = slots[bias].shape, slots[add.outputs[0]]
            alone = len(self.users[x]) == 1 and x in self.made
            if slots[x] == y and alone and channels[-1:] == y.shape[-1:] and set(channels[:-1]) <= {1}:
                return x, bias
        return None

    def _fits(self, chain: _Chain) -> bool:
        """Whether the gradients are those of this chain."""
        instructions = self.program.instructions
        assert chain.pool_gradient is not None
        assert chain.relu_gradient is not None
        pool, backward, last = (instructions[i] for i in (chain.pool, chain.pool_gradient, chain.relu_gradient))
        active, pooled = pool.inputs[0], pool.outputs[0]
        return (
            backward.inputs[1:] == (active, pooled)
            and backward.attrs == pool.attrs
            and last.inputs == (backward.outputs[0], active)
            and self.users[backward.outputs[0]] == [chain.relu_gradient]
        )


def _turned(program: Program, chain: _Chain) -> Program:
    """The program with one chain turned round."""
    slots: list[Spec] = list(program.slots)
    instructions = program.instructions
    pool, relu, add = (instructions[i] for i in (chain.pool, chain.relu, chain.add))
    bias_first = slots[add.inputs[0]] != slots[add.outputs[0]]
    x, bias = add.inputs[::-1] if bias_first else add.inputs
    pooled = pool.outputs[0]
    largest, biased, gradient = range(len(slots), len(slots) + 3)
    slots += [slots[pooled]] * 3
    new = {
        chain.add: [],
        chain.relu: [],
        chain.pool: [
            replace(pool, inputs=(x,), outputs=(largest,)),
            replace(add, inputs=(bias, largest) if bias_first else (largest, bias), outputs=(biased,)),
            replace(relu, inputs=(biased,), outputs=(pooled,)),
        ],
    }
    if chain.pool_gradient is not None and chain.relu_gradient is not None:
        backward, last = instructions[chain.pool_gradient], instructions[chain.relu_gradient]
        new[chain.pool_gradient] = []
        new[chain.relu_gradient] = [
            replace(last, inputs=(backward.inputs[0], pooled), outputs=(gradient,)),
            replace(backward, inputs=(gradient, x, largest), outputs=last.outputs),
        ]
        new.update(_bias_gradients(instructions, last.outputs[0], gradient, len(slots[pooled].shape)))
    found = [i for index, one in enumerate(instructions) for i in new.get(index, [one])]
    return replace(program, slots=tuple(slots)).with_instructions(found)


def _bias_gradients(
    instructions: Sequence[Instruction], whole: int, gradient: int, ndim: int
) -> dict[int, list[Instruction]]:
    """The sums over all but the channels, which are the same of fewer elements: each goes to one place."""
    return {
        index: [replace(i, inputs=(gradient,))]
        for index, i in enumerate(instructions)
        if i.op == "sum" and i.inputs == (whole,) and tuple(i.attrs["axis"]) == tuple(range(ndim - 1))
    }
