"""Rewrites of a program for NumPy: what is done better together, or with what an earlier instruction left."""

from __future__ import annotations

from dataclasses import replace

from lamina.program import Instruction, Program
from lamina.program.passes import is_on
from lamina.shapes import Spec
from lamina_numpy.kernels.lstm import kept_specs
from lamina_numpy.pools_first import pools_first


def rewritten(program: Program) -> Program:
    """The program after all rewrites that are on."""
    for name, rewrite in REWRITES.items():
        if is_on(name):
            program = rewrite(program)
    return program.check()


def keep_steps(program: Program) -> Program:
    """Lets an LSTM keep what its steps leave for its gradient, which else computes them anew."""
    slots: list[Spec] = list(program.slots)
    read = {s for i in program.instructions for s in i.inputs} | set(program.results())
    wanted = {i.inputs[2:] for i in program.instructions if i.op == "lstm_gradient"}
    kept: dict[tuple[int, ...], tuple[int, ...]] = {}
    found: list[Instruction] = []
    for instruction in program.instructions:
        given = instruction.inputs
        if instruction.op == "lstm" and given in wanted:
            start = len(slots)
            slots += kept_specs(slots[given[0]], slots[given[4]])
            kept[given] = tuple(range(start, len(slots)))
            instruction = replace(instruction, op="lstm_kept", outputs=(*instruction.outputs, *kept[given]))
        elif instruction.op == "lstm_gradient" and given[2:] in kept:
            whole = instruction.outputs[0] in read
            instruction = replace(
                instruction,
                op="lstm_kept_gradient",
                inputs=(*given, *kept[given[2:]]),
                outputs=instruction.outputs[0 if whole else 1 :],
                attrs={"to_inputs": whole},
            )
        found.append(instruction)
    return replace(program, slots=tuple(slots)).with_instructions(found)


REWRITES = {"kept-steps": keep_steps, "pools-first": pools_first}
"""By the names that ``LAMINA_WITHOUT`` knows them by."""
