"""Whether a program is run in lanes, each a part of the batch on a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.program import Instruction, Program
from lamina.program.lanes import Lanes, in_lanes
from lamina.program.passes import is_on
from lamina.shapes import Spec
from lamina_numpy.parallel import threads
from lamina_numpy.threads import products

_WORTH_A_STAGE = 200.0
"""Microseconds that the lanes of a stage should take: to call in another thread takes 20 to 40."""

_LONG, _LOST_BY_SHORT = 15.0, 2.0

_PRODUCTS_PER_MICROSECOND, _ELEMENTS_PER_MICROSECOND = 40_000, 4_000


def lanes_of(program: Program) -> Lanes:
    """The program in as many lanes as there are threads, or in one where that would not pay."""
    alone = Lanes(program, (((0, len(program.instructions)),),))
    count = threads()
    found = in_lanes(program, count) if is_on("lanes") and count > 1 else None
    return found if found and _pays(found, count) else alone


def _pays(lanes: Lanes, count: int) -> bool:
    """Whether most of the work is done in lanes, enough of it in each of their stages, and in calls that are long.

    Calls of a few microseconds are not done beside each other: their threads wait for Python's lock in turns.
    """
    program = lanes.program
    costs = [_microseconds(i, program.slots) for i in program.instructions]
    beside = [[costs[a:b] for a, b in stage] for stage in lanes.stages if len(stage) > 1]
    saved = 0.0
    for stage in beside:
        runs = [sum(c for c in run if c >= _LONG) for run in stage]
        saved += sum(runs) - max(runs) - _LOST_BY_SHORT * sum(0.0 < c < _LONG for run in stage for c in run)
    return saved >= _WORTH_A_STAGE * len(beside) and saved * 2 * count >= sum(costs)


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
