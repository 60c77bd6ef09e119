"""Runs of elementwise instructions as one kernel each, in CUDA's language: a function of a program, without arrays.

A run is kept open, by the shape of its results, until somebody outside needs one of them; so instructions between that
have nothing to do with it do not end it. What only the run itself reads never leaves the registers. A sum, mean or
largest or smallest number of short rows of a run ends it and is part of it: then each thread computes a row. The source
is made of the numbers of slots, their dtypes and shapes, and the tables below, never of words of a user or a file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lamina.program import Instruction, Program
from lamina.shapes import Spec

TYPES: Final = {"float32": "float", "float64": "double", "int32": "int", "int64": "long long", "bool": "bool"}
FLOATING: Final = ("float32", "float64")
MOST_INSTRUCTIONS: Final = 64
MOST_INPUTS: Final = 32
LONGEST_ROW: Final = 64
"""Elements that one thread computes and reduces, one after the other; CuPy's own reductions share longer rows out."""

_LARGER, _SMALLER = (f"a != a || a {sign} b ? a : b" for sign in "><")
NUMBERS: Final = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "maximum": _LARGER, "minimum": _SMALLER,
    "negative": "-a", "square": "a * a", "equal": "a == b", "not_equal": "a != b", "less": "a < b",
    "less_equal": "a <= b", "greater": "a > b", "greater_equal": "a >= b",
}  # fmt: skip
"""Of all numbers, not of bool, for which these mean other things."""
FUNCTIONS: Final = ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "floor", "ceil", "erf")
FLOATS: Final = {name: f"{name}(a)" for name in FUNCTIONS} | {
    "divide": "a / b", "reciprocal": "1 / a", "rsqrt": "1 / sqrt(a)", "abs": "fabs(a)", "isnan": "a != a",
    "relu": "a != a || a > 0 ? a : 0", "relu_gradient": "b > 0 ? a : 0", "power": "pow(a, b)",
    "sigmoid": "(a < 0 ? exp(-fabs(a)) : 1) / (1 + exp(-fabs(a)))",
    "sign": "a != a ? a : (a > 0) - (a < 0)",
}  # fmt: skip
BOOLS: Final = {"logical_and": "a && b", "logical_or": "a || b", "logical_xor": "a != b", "logical_not": "!a"}


REDUCTIONS: Final = {"sum": "a + b", "mean": "a + b", "max": _LARGER, "min": _SMALLER}
"""Of what was found so far and the next element."""


@dataclass(frozen=True)
class Run:
    """One kernel: ``name(*inputs, *outputs, count)``, of ``shape``; its threads are as many as ``count``."""

    name: str
    source: str
    count: int
    shape: tuple[int, ...]


def expression(instruction: Instruction, slots: Sequence[Spec]) -> str | None:
    """What an instruction computes of elements a, b and c; None if it is not one of these."""
    kinds = [slots[s].dtype for s in instruction.inputs]
    if len(instruction.outputs) != 1 or any(k not in TYPES for k in (*kinds, slots[instruction.outputs[0]].dtype)):
        return None
    op = instruction.op
    if op == "where" and kinds[0] == "bool" and kinds[1] == kinds[2]:
        return "a ? b : c"
    if op == "cast":
        target = slots[instruction.outputs[0]].dtype
        exact = kinds[0] not in FLOATING or target in FLOATING  # what does not fit into an integer is nobody's rule
        return ("a != 0" if target == "bool" else f"({TYPES[target]}) a") if exact or target == "bool" else None
    if instruction.attrs or len(set(kinds)) != 1:
        return None
    if kinds[0] in FLOATING and op in FLOATS:
        return FLOATS[op]
    return BOOLS.get(op) if kinds[0] == "bool" else NUMBERS.get(op)


class Fuser:
    """Rewrites one program. ``program`` is the new one; its runs are instructions by the names in ``runs``."""

    def __init__(self, program: Program) -> None:
        self.slots = program.slots
        self.runs: dict[str, Run] = {}
        self._readers: dict[int, list[Instruction]] = {}
        for instruction in program.instructions:
            for slot in instruction.inputs:
                self._readers.setdefault(slot, []).append(instruction)
        self._results = frozenset(program.results())
        self._open: dict[tuple[int, ...], list[Instruction]] = {}
        self._waiting: dict[int, tuple[int, ...]] = {}
        self._done: list[Instruction] = []
        for instruction in program.instructions:
            self._take(instruction)
        for shape in list(self._open):
            self._close(shape)
        self.program = program.with_instructions(self._done).check()

    def _take(self, instruction: Instruction) -> None:
        if self._ends_a_run(instruction):
            self._close(self._waiting[instruction.inputs[0]], instruction)
            return
        shape = self.slots[instruction.outputs[0]].shape
        fits = math.prod(shape) > 0 and expression(instruction, self.slots) is not None
        for slot in instruction.inputs:
            waiting = self._waiting.get(slot)
            if waiting is not None and not (fits and waiting == shape):
                self._close(waiting)
        if not fits:
            self._done.append(instruction)
            return
        run = self._open.setdefault(shape, [])
        run.append(instruction)
        self._waiting[instruction.outputs[0]] = shape
        if len(run) == MOST_INSTRUCTIONS or len(_inputs(run)) > MOST_INPUTS - 3:
            self._close(shape)

    def _ends_a_run(self, instruction: Instruction) -> bool:
        """Whether an instruction reduces the last axes of what an open run computes, in rows that are short enough."""
        waiting = self._waiting.get(instruction.inputs[0]) if instruction.inputs else None
        if instruction.op not in REDUCTIONS or waiting is None:
            return False
        axes, kinds = (
            instruction.attrs["axis"],
            {self.slots[s].dtype for s in (*instruction.inputs, *instruction.outputs)},
        )
        last = tuple(range(len(waiting) - len(axes), len(waiting)))
        known = instruction.attrs.keys() <= {"axis", "keepdims"} and len(kinds) == 1 and kinds <= set(FLOATING)
        return known and sorted(axes) == [*last] and 2 <= math.prod(waiting[a] for a in last) <= LONGEST_ROW

    def _close(self, shape: tuple[int, ...], reduction: Instruction | None = None) -> None:
        """Ends the run of a shape, with a reduction that is done in it if there is one."""
        run = self._open.pop(shape)
        for instruction in run:
            del self._waiting[instruction.outputs[0]]
        if reduction is not None:
            self._add(shape, run, [*run, reduction])
        elif len(run) == 1:
            self._done += run
        else:
            self._add(shape, run, run)

    def _add(self, shape: tuple[int, ...], run: list[Instruction], whole: list[Instruction]) -> None:
        """Adds the kernel of a run; the whole is it and its reduction."""
        inside = {id(i) for i in whole}
        outputs = tuple(
            i.outputs[0] for i in run
            if i.outputs[0] in self._results or any(id(r) not in inside for r in self._readers.get(i.outputs[0], ()))
        )  # fmt: skip
        reduction = whole[-1] if len(whole) > len(run) else None
        found = () if reduction is None else reduction.outputs
        if outputs or found:
            name = f"run_{len(self.runs)}"
            count = math.prod(self.slots[found[0]].shape if found else shape)
            source = self._source(name, run, outputs, shape, reduction)
            self.runs[name] = Run(name, source, count, shape)
            self._done.append(Instruction(name, _inputs(run), (*outputs, *found)))

    def _source(
        self,
        name: str,
        run: list[Instruction],
        outputs: tuple[int, ...],
        shape: tuple[int, ...],
        reduction: Instruction | None,
    ) -> str:
        inputs = _inputs(run)
        listed = [f"const {TYPES[self.slots[s].dtype]}* s{s}" for s in inputs]
        listed += [f"{TYPES[self.slots[s].dtype]}* s{s}" for s in outputs]
        lines = [f"{TYPES[self.slots[s].dtype]} v{s} = s{s}[{index(self.slots[s].shape, shape)}];" for s in inputs]
        for instruction in run:
            text = expression(instruction, self.slots)
            assert text is not None
            given = [
                f"{TYPES[self.slots[s].dtype]} {n} = v{s};" for n, s in zip("abc", instruction.inputs, strict=False)
            ]
            slot = instruction.outputs[0]
            kind = TYPES[self.slots[slot].dtype]
            lines.append(f"{kind} v{slot}; {{ {' '.join(given)} v{slot} = ({kind}) ({text}); }}")
        lines += [f"s{s}[i] = v{s};" for s in outputs]
        if reduction is not None:
            listed.append(f"{TYPES[self.slots[reduction.outputs[0]].dtype]}* s{reduction.outputs[0]}")
            lines = self._by_row(reduction, lines)
        body = "\n".join(f"        {line}" for line in lines)
        head = f'extern "C" __global__ void {name}({", ".join(listed)}, wide count) {{'
        return f"{head}\n    EACH({'i' if reduction is None else 'row'}, count) {{\n{body}\n    }}\n}}\n"

    def _by_row(self, reduction: Instruction, lines: list[str]) -> list[str]:
        """The lines for each element of a row, and what they reduce to."""
        (x,), (y,) = reduction.inputs, reduction.outputs
        kind, length = TYPES[self.slots[x].dtype], self.slots[x].size // self.slots[y].size
        joined = f"i == row * {length} ? b : ({kind}) ({REDUCTIONS[reduction.op]})"
        step = f"{{ {kind} a = found; {kind} b = v{x}; found = {joined}; }}"
        mean = f" / {length}" if reduction.op == "mean" else ""
        loop = f"for (wide i = row * {length}; i < (row + 1) * {length}; ++i) {{"
        return [
            f"{kind} found = 0;",
            loop,
            *(f"    {line}" for line in (*lines, step)),
            "}",
            f"s{y}[row] = found{mean};",
        ]


def _inputs(run: list[Instruction]) -> tuple[int, ...]:
    made = {i.outputs[0] for i in run}
    return tuple(dict.fromkeys(s for i in run for s in i.inputs if s not in made))


def index(shape: tuple[int, ...], around: tuple[int, ...]) -> str:
    """Where element i of a shape lies in an array that is broadcast to it.

    >>> index((3,), (2, 3)), index((2, 1), (2, 3)), index((), (2, 3)), index((2, 3), (2, 3))
    ('i % 3', 'i / 3 % 2', '0', 'i')
    """
    shape = (1,) * (len(around) - len(shape)) + shape
    if shape == around:
        return "i"
    terms, step, below = [], 1, 1
    for size, wanted in zip(reversed(shape), reversed(around), strict=True):
        if size > 1:
            place = f"i / {below} % {size}" if below > 1 else f"i % {size}"
            terms.append(f"({place}) * {step}" if step > 1 else place)
        step, below = step * size, below * wanted
    return " + ".join(reversed(terms)) or "0"


def updates_last(program: Program, ops: Sequence[str]) -> Program:
    """The same program with the instructions of these ops, and what needs their results, after all others."""
    late: set[int] = set()
    first, second = [], []
    for instruction in program.instructions:
        if instruction.op in ops or late.intersection(instruction.inputs):
            late.update(instruction.outputs)
            second.append(instruction)
        else:
            first.append(instruction)
    return replace(program, instructions=(*first, *second))
