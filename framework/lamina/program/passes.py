"""Rewrites: pure functions from a Program to a Program, or to facts about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from lamina.program.program import Instruction, Program


def is_on(name: str) -> bool:
    """Whether a rewrite may be done: not if ``LAMINA_WITHOUT`` names it, nor at the level 'nopasses'."""
    without = os.environ.get("LAMINA_WITHOUT", "").replace(",", " ").split()
    return name not in without and os.environ.get("LAMINA_REPLAY") != "nopasses"


def optimize(program: Program) -> Program:
    """The passes every executable wants: repeated instructions shared, dead ones dropped, the result checked."""
    for name, rewrite in PASSES.items():
        if is_on(name):
            program = rewrite(program)
    return program.check()


def drop_dead(program: Program) -> Program:
    """Leaves out instructions whose results nobody reads, and constants that are no longer used.

    Random instructions may go as well: their stream position is a Variable of its own, so nothing else shifts.
    """
    needed = set(program.results())
    kept: list[Instruction] = []
    for instruction in reversed(program.instructions):
        if needed.intersection(instruction.outputs):
            kept.append(instruction)
            needed.update(instruction.inputs)
    constants = {slot: array for slot, array in program.constants.items() if slot in needed}
    return replace(program.with_instructions(kept[::-1]), constants=constants)


def share_common(program: Program) -> Program:
    """Computes each repeated pure instruction once.

    Kernels are functions of their inputs and attributes alone, random ones included (their seed is an input), but a
    random instruction is never merged: two draws that look alike may be meant as two.
    """
    renamed: dict[int, int] = {}
    first: dict[Any, tuple[int, ...]] = {}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        inputs = tuple(renamed.get(slot, slot) for slot in instruction.inputs)
        current = instruction.reading(inputs)
        key = (current.op, inputs, repr(current.attrs))
        if current.effect != "random" and key in first:
            renamed.update(zip(current.outputs, first[key], strict=True))
            continue
        first[key] = current.outputs
        kept.append(current)
    return replace(
        program.with_instructions(kept),
        outputs=tuple(renamed.get(slot, slot) for slot in program.outputs),
        writes=tuple((index, renamed.get(slot, slot)) for index, slot in program.writes),
    )


PASSES: Final[Mapping[str, Callable[[Program], Program]]] = {"repeated": share_common, "dead": drop_dead}
"""The passes in their order, by the names under which ``LAMINA_WITHOUT`` leaves them out."""


def view_bases(program: Program) -> dict[int, int]:
    """For each slot made by a view, the slot whose memory it shares in the end."""
    bases: dict[int, int] = {}
    for instruction in program.instructions:
        if instruction.effect == "view":
            base = bases.get(instruction.inputs[0], instruction.inputs[0])
            bases.update(dict.fromkeys(instruction.outputs, base))
    return bases


def lifetimes(program: Program) -> dict[int, tuple[int, int]]:
    """For each slot the instruction that sets it and the last that needs its memory, views included.

    Inputs, state and constants are set at -1.
    """
    bases = view_bases(program)
    last = program.last_uses()
    born = dict.fromkeys((*program.inputs, *program.state, *program.constants), -1)
    for index, instruction in enumerate(program.instructions):
        born.update(dict.fromkeys(instruction.outputs, index))
    ends = {slot: last.get(slot, start) for slot, start in born.items()}
    for slot, base in bases.items():
        ends[base] = max(ends[base], ends[slot])
    return {slot: (start, ends[slot]) for slot, start in born.items()}
