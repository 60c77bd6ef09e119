"""Whether a program is run in lanes, each a part of the batch on a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.program import Instruction, Program
from lamina.program.lanes import Lanes, in_lanes
from lamina.program.passes import is_on
from lamina.shapes import Spec
from lamina_numpy.parallel import threads
from lamina_numpy.threads import products

_WORTH_A_STAGE, _WORTH_IT = 100.0, 0.15
"""Microseconds that a stage should save, and the part of the whole."""

_A_CALL, _LONG, _LOST = 40.0, 15.0, 2.0
"""Microseconds: to call in other threads, what counts as long, and what a short call loses by waiting."""

_PRODUCTS_PER_MICROSECOND, _ELEMENTS_PER_MICROSECOND = 40_000, 4_000


def lanes_of(program: Program) -> Lanes:
    """The program in the number of lanes that is fastest by a rough guess, up to that of threads; mostly in one."""
    alone = best = Lanes(program, (((0, len(program.instructions)),),))
    count = threads() if is_on("lanes") else 1
    while count > 1:
        found = in_lanes(program, count)
        if found and _pays(found, alone) and estimate(found) < estimate(best):
            best = found
        count //= 2
    return best


def _pays(lanes: Lanes, alone: Lanes) -> bool:
    """Whether enough is saved, of the whole and in each stage, that a wrong guess does no harm."""
    before, stages = estimate(alone), sum(len(stage) > 1 for stage in lanes.stages)
    return before - estimate(lanes) >= max(_WORTH_A_STAGE * stages, before * _WORTH_IT)


def estimate(lanes: Lanes) -> float:
    """Microseconds that a step may take.

    Calls of a few microseconds are not done beside each other: their threads wait for Python's lock in turns.
    """
    program = lanes.program
    costs = [_microseconds(i, program.slots) for i in program.instructions]
    total = 0.0
    for stage in lanes.stages:
        runs = [costs[start:stop] for start, stop in stage]
        if len(runs) == 1:
            total += sum(runs[0])
            continue
        short = [c for run in runs for c in run if 0.0 < c < _LONG]
        total += _A_CALL + max(sum(c for c in run if c >= _LONG) for run in runs) + sum(short) + _LOST * len(short)
    return total


def _microseconds(instruction: Instruction, slots: Sequence[Spec]) -> float:
    """A rough guess of what an instruction takes on one thread."""
    if instruction.effect == "view":
        return 0.0
    elements = sum(slots[s].size for s in instruction.outputs)
    multiplied = products(instruction, slots)
    return 1.0 + multiplied / _PRODUCTS_PER_MICROSECOND + elements / _ELEMENTS_PER_MICROSECOND


def lane_numbers(lanes: Lanes) -> list[int | None]:
    """The lane of each instruction; None for those that are done once for all."""
    found: list[int | None] = [None] * len(lanes.program.instructions)
    for stage in lanes.stages:
        for lane, (start, stop) in enumerate(stage if len(stage) > 1 else ()):
            found[start:stop] = [lane] * (stop - start)
    return found
