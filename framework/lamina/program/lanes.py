"""A program done on parts of a batch beside each other, whose sums are added where the whole is needed.

Of a step of training that is all but the update: each lane takes some of the examples forward and back, and the
gradients are added at the end. Where something depends on the whole batch, as the mean and variance of a normalization
do, all lanes wait for the sum and go on. What has no rule in ``layouts`` is done once, for all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lamina.program.layouts import Division, Partial, Split, divided
from lamina.program.program import Instruction, Program
from lamina.shapes import Spec

Run = tuple[int, int]
"""Instructions from the first number up to the second."""


@dataclass(frozen=True)
class Lanes:
    """A program, and in which order it may be run: of each stage the runs may be done beside each other."""

    program: Program
    stages: tuple[tuple[Run, ...], ...]


def in_lanes(program: Program, count: int) -> Lanes | None:
    """The program on ``count`` parts of its batch; None if it has none that could be cut.

    The batch is the first axis of the first input, and of the others that are as long. Results differ by rounding:
    sums are added in another order.

    >>> s, total = Spec((4, 2), "float32"), Spec((2,), "float32")
    >>> steps = (Instruction("exp", (0,), (1,)), Instruction("sum", (1,), (2,), {"axis": (0,), "keepdims": False}))
    >>> lanes = in_lanes(Program(slots=(s, s, total), inputs=(0,), instructions=steps, outputs=(2,)), 2)
    >>> [i.op for i in lanes.program.instructions], lanes.stages
    (['basic_index', 'exp', 'sum', 'basic_index', 'exp', 'sum', 'add'], (((0, 3), (3, 6)), ((6, 7),)))
    """
    batch = next((program.slots[s].shape[0] for s in program.inputs if program.slots[s].shape), 0)
    if batch < count:
        return None
    plan = _Plan(program, batch)
    return _Writer(plan, count).write() if plan.divisions else None


@dataclass
class _Plan:
    """What is done in lanes, how, and when: whole instructions at even times, those in lanes at odd ones.

    ``sums`` has for even times what lanes gave before and lanes need the whole of afterwards.
    """

    program: Program
    batch: int
    layouts: dict[int, Split | Partial] = field(default_factory=dict)
    divisions: dict[int, Division] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    ready: dict[int, int] = field(default_factory=dict)
    sums: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        slots = self.program.slots
        self.given = {s for s in self.program.inputs if slots[s].shape[:1] == (self.batch,)}
        for index, instruction in enumerate(self.program.instructions):
            cut = [self._split(s) for s in instruction.inputs]
            found = None
            if any(cut) and instruction.effect != "random":
                given, made = ([slots[s] for s in group] for group in (instruction.inputs, instruction.outputs))
                found = divided(instruction, cut, given, made, self.batch)
            time = self._time(instruction, found)
            self.times[index] = time
            self.ready.update(dict.fromkeys(instruction.outputs, time))
            if found:
                self.divisions[index] = found
                self.layouts.update(zip(instruction.outputs, found.outputs, strict=True))

    def _split(self, slot: int) -> Split | None:
        layout = Split(0) if slot in self.given else self.layouts.get(slot)
        return layout if isinstance(layout, Split) else None

    def _time(self, instruction: Instruction, division: Division | None) -> int:
        """The first time at which all arguments are there, as they are needed."""
        needed = [0 if division is None else 1]
        for place, slot in enumerate(instruction.inputs):
            ready, layout = self.ready.get(slot, -1), self.layouts.get(slot)
            whole = ready + 1 if layout else ready
            in_lane = division is not None and isinstance(layout, Split) and division.inputs[place] == layout
            needed.append(ready if in_lane else whole if division is None else whole + 1)
            if division and layout and not in_lane:
                self.sums.setdefault(whole, []).append(slot)
        latest = max(needed)
        return latest + (latest % 2 == 0 if division else latest % 2)


class _Writer:
    """Writes the instructions of a plan, stage by stage, lane by lane."""

    def __init__(self, plan: _Plan, count: int) -> None:
        self.plan = plan
        self.cuts = [plan.batch * i // count for i in range(count + 1)]
        self.slots = list(plan.program.slots)
        self.constants = dict(plan.program.constants)
        self.written: list[Instruction] = []
        self.stages: list[tuple[Run, ...]] = []
        self.parts: dict[tuple[int, Split | None, int], int] = {}
        self.wholes: dict[int, int] = {}

    def write(self) -> Lanes:
        plan, program = self.plan, self.plan.program
        by_time: dict[int, list[int]] = {}
        for index, time in plan.times.items():
            by_time.setdefault(time, []).append(index)
        for time in range(max(by_time) + 2):
            runs = []
            for lane in range(len(self.cuts) - 1) if time % 2 else [None]:
                start = len(self.written)
                for slot in plan.sums.get(time, ()):
                    self._whole(slot)
                for index in by_time.get(time, ()):
                    self._add(index, lane)
                runs.append((start, len(self.written)))
            self._stage(tuple(run for run in runs if run[0] < run[1]))
        start = len(self.written)
        outputs = tuple(self._whole(s) for s in program.outputs)
        writes = tuple((i, self._whole(s)) for i, s in program.writes)
        self._stage(((start, len(self.written)),) if len(self.written) > start else ())
        written = replace(program, slots=tuple(self.slots), constants=self.constants, outputs=outputs, writes=writes)
        return Lanes(written.with_instructions(self.written).check(), tuple(self.stages))

    def _stage(self, runs: tuple[Run, ...]) -> None:
        if runs and len(runs) == 1 and self.stages and len(self.stages[-1]) == 1:
            runs = ((self.stages.pop()[0][0], runs[0][1]),)
        if runs:
            self.stages.append(runs)

    def _add(self, index: int, lane: int | None) -> None:
        instruction = self.plan.program.instructions[index]
        if lane is None:
            inputs = tuple(self._whole(s) for s in instruction.inputs)
            self.written.append(replace(instruction, inputs=inputs))
            return
        division = self.plan.divisions[index]
        pairs = zip(instruction.inputs, division.inputs, strict=True)
        inputs = tuple(self._part(s, split, lane) for s, split in pairs)
        outputs = tuple(
            self._new(self._spec_of_part(s, layout, lane))
            for s, layout in zip(instruction.outputs, division.outputs, strict=True)
        )
        for slot, layout, part in zip(instruction.outputs, division.outputs, outputs, strict=True):
            self.parts[slot, layout if isinstance(layout, Split) else None, lane] = part
        self.written.append(
            replace(
                instruction,
                op=division.op or instruction.op,
                inputs=inputs,
                outputs=outputs,
                attrs={k: self._sized(v, division.sizes.get(k), lane) for k, v in instruction.attrs.items()},
            )
        )

    def _length(self, split: Split, lane: int) -> int:
        return (self.cuts[lane + 1] - self.cuts[lane]) * split.unit

    def _sized(self, value: Any, split: Split | None, lane: int) -> Any:
        """An attribute for one lane: a shape, or the key of an index."""
        if split is None:
            return value
        found, axis = list(value), split.axis
        if any(not isinstance(entry, int) for entry in value):
            axis = [i for i, entry in enumerate(value) if entry is not None][axis]
            found[axis] = (0, self._length(split, lane), 1)
        else:
            found[axis] = self._length(split, lane)
        return tuple(found)

    def _spec_of_part(self, slot: int, layout: Split | Partial, lane: int) -> Spec:
        spec = self.plan.program.slots[slot]
        if isinstance(layout, Partial):
            return spec
        shape = spec.shape
        return Spec((*shape[: layout.axis], self._length(layout, lane), *shape[layout.axis + 1 :]), spec.dtype)

    def _new(self, spec: Spec) -> int:
        self.slots.append(spec)
        return len(self.slots) - 1

    def _part(self, slot: int, split: Split | None, lane: int) -> int:
        """A slot as a lane needs it."""
        if split is None:
            return self._whole(slot)
        key = (slot, split, lane)
        if key not in self.parts:
            source = self._whole(slot)
            ends = self.cuts[lane] * split.unit, self.cuts[lane + 1] * split.unit
            shape = self.slots[source].shape
            where = tuple((*ends, 1) if i == split.axis else (0, n, 1) for i, n in enumerate(shape))
            self.parts[key] = part = self._new(self._spec_of_part(slot, split, lane))
            self.written.append(Instruction("basic_index", (source,), (part,), {"key": where}, "view"))
        return self.parts[key]

    def _whole(self, slot: int) -> int:
        """A slot of the given program put together from what the lanes made, if they did."""
        layout = self.plan.layouts.get(slot)
        if layout is None:
            return slot
        if slot not in self.wholes:
            self.wholes[slot] = slot
            split = layout if isinstance(layout, Split) else None
            parts = [self.parts[slot, split, lane] for lane in range(len(self.cuts) - 1)]
            if isinstance(layout, Split):
                self.written.append(Instruction("concat", tuple(parts), (slot,), {"axis": layout.axis}))
            else:
                self._add_up(parts, slot, layout.scale)
        return slot

    def _add_up(self, parts: list[int], slot: int, scale: float) -> None:
        spec = self.plan.program.slots[slot]
        while len(parts) > 1:
            last = len(parts) == 2 and scale == 1.0
            total = slot if last else self._new(spec)
            self.written.append(Instruction("add", (parts[0], parts[1]), (total,)))
            parts = [total, *parts[2:]]
        if scale != 1.0:
            factor = self._new(Spec((), spec.dtype))
            self.constants[factor] = np.asarray(scale, spec.dtype)
            self.written.append(Instruction("multiply", (parts[0], factor), (slot,)))


def share_of_lanes(lanes: Lanes) -> float:
    """How many of the elements that are computed are computed in lanes, from 0 to 1."""
    program = lanes.program
    sizes = [sum(math.prod(program.slots[s].shape) for s in i.outputs) for i in program.instructions]
    beside = sum(sum(sizes[a:b]) for stage in lanes.stages if len(stage) > 1 for a, b in stage)
    return beside / max(1, sum(sizes))
