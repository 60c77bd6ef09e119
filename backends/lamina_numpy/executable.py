"""A recorded program as straight-line NumPy calls into planned buffers.

Once per program and set of Variables: views are made, constants are folded, each result gets a buffer by its
lifetime, and a result that is written to a Variable is computed in the Variable's own array where nothing needs the
old value any more. Then every step is a sequence of bound calls.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lamina.contract import Kernel, KernelTable
from lamina.program import Instruction, Program
from lamina.program.lanes import Lanes, Run
from lamina.program.memory import Memory, Pairs, plan_memory, size_of
from lamina.program.passes import is_on, view_bases
from lamina.program.source import bind, call_line, define, say_op, source_of
from lamina.shapes import Spec
from lamina_numpy.calls import Binding, Call, in_order, scalar_line, written
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.activation import relu_calls, relu_gradient_calls
from lamina_numpy.kernels.elementwise import QUIET, Silence, repeated_calls
from lamina_numpy.kernels.training import adam_calls, momentum_calls
from lamina_numpy.lanes import lane_numbers, lanes_of
from lamina_numpy.memory import aligned, shaped, side_by_side
from lamina_numpy.parallel import beside
from lamina_numpy.passes import rewritten
from lamina_numpy.threads import ONE_THREAD, wants_one_thread

ELEMENTWISE = {*QUIET, "tanh", "sigmoid", "relu", "relu_gradient", "rsqrt"}
"""Ops whose result may lie in the memory of an argument of the same shape: each element is read before it is set."""

UPDATES = {"adam_update": (adam_calls, (0, 2, 3)), "momentum_update": (momentum_calls, (0, 2))}
"""Updates of many tensors: the calls between their arrays, and which lists of arguments come back updated."""

INLINED: dict[str, Binding] = {
    "relu": relu_calls,
    "relu_gradient": relu_gradient_calls,
    **{ufunc.__name__: repeated_calls(ufunc) for ufunc in (np.add, np.subtract, np.multiply, np.divide)},
}
"""Kernels in whose place a step has the calls they come down to."""

_MOST_LINES = 12  # of an instruction; beyond, it is one line
_COPIED_OUTPUT = 4096  # bytes; a small output is computed in a buffer and copied, a large one gets an array of its own


_silence = Silence()


def without_warnings(step: Callable[..., Any], *given: Any) -> Any:
    """Runs a step without NumPy's floating-point warnings."""
    try:
        return _silence.run(step, *given)
    except RuntimeError as error:  # a finalizer or signal handler that runs a step, while one of this thread runs
        if "cannot enter context" not in str(error):
            raise
    with np.errstate(all="ignore"):
        return step(*given)


class NumPyExecutable:
    """Runs a program; the arrays of ``state`` are updated in place."""

    updates_in_place = True

    def __init__(self, program: Program, kernels: KernelTable, divide: Callable[[Program], Lanes] = lanes_of) -> None:
        self._lanes = divide(_with_plain_products(rewritten(program)))
        self._kernels = kernels
        self._state: Sequence[Any] | None = None
        self._step: Any = None
        self._memory: Memory | None = None
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with self._lock:  # the buffers are this program's only ones
            if state is not self._state:
                builder = _Builder(self._lanes, self._kernels.entries, state)
                self._step, self._memory, self._state = builder.build(), builder.memory, state
            result: tuple[list[Any], list[Any]] = without_warnings(self._step, inputs, state)
            return result

    def explain(self) -> str:
        """What was made of the program: rewrites and fused ops, lanes, memory, and the source of the step."""
        program, stages = self._lanes.program, self._lanes.stages
        beside = [len(stage) for stage in stages if len(stage) > 1]
        lanes = f"{len(beside)} of {len(stages)} stages in {max(beside)} lanes" if beside else "one lane"
        told = f"{len(program.instructions)} instructions after NumPy's rewrites, in {lanes}: {program.ops()}"
        return told if self._step is None else f"{told}\n{self._memory}\n{source_of(self._step)}"


def _with_plain_products(program: Program) -> Program:
    """Turns the transposes inside matrix products into views, so that they are made once."""
    slots = list(program.slots)
    instructions: list[Instruction] = []

    def transposed(slot: int) -> int:
        spec = slots[slot]
        axes = (*range(spec.ndim - 2), spec.ndim - 1, spec.ndim - 2)
        slots.append(Spec(tuple(spec.shape[a] for a in axes), spec.dtype))
        instructions.append(Instruction("transpose", (slot,), (len(slots) - 1,), {"axes": axes}, "view"))
        return len(slots) - 1

    for instruction in program.instructions:
        if instruction.op == "matmul":
            flags = instruction.attrs["transpose_a"], instruction.attrs["transpose_b"]
            inputs = tuple(transposed(s) if flag else s for s, flag in zip(instruction.inputs, flags, strict=True))
            instruction = replace(instruction, inputs=inputs, attrs={"transpose_a": False, "transpose_b": False})
        instructions.append(instruction)
    return replace(program, slots=tuple(slots), instructions=tuple(instructions))


def quietly(lines: Sequence[str]) -> list[str]:
    """The lines without NumPy's floating-point warnings, of which each thread has its own."""
    return ["with errstate(all='ignore'):", *(f"    {line}" for line in lines or ["pass"])]


def _view_line(index: int, instruction: Instruction) -> str | None:
    """A view of what a step is given, by the array's own method: it is made anew in each step, so it must be cheap."""
    method = {"reshape": "shape", "transpose": "axes"}.get(instruction.op)
    if method is None:
        return None
    return f"s{instruction.outputs[0]} = s{instruction.inputs[0]}.{instruction.op}(k{index}_{method})"


class _Builder:
    """Makes the step of one program for one set of Variables."""

    def __init__(self, lanes: Lanes, kernels: Mapping[str, Kernel], state: Sequence[Any]) -> None:
        self.program = program = lanes.program
        self.stages = lanes.stages
        self.kernels = kernels
        self.bases = view_bases(program)
        self.last_uses = program.last_uses()
        self.fixed: dict[int, Any] = {s: np.asarray(a) for s, a in program.constants.items()}
        self.folded = set(program.constants)
        self.fixed.update(zip(program.state, state, strict=True))
        self.inlines = is_on("inlined")
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"copyto": np.copyto, "errstate": np.errstate}
        placed = {s for i in program.instructions if self._is_placed(i) for s in i.outputs}
        self.memory = plan_memory(program, placed, self._in_place, lane_numbers(lanes))
        self.buffers = [aligned(size) for size in self.memory.sizes]
        self.arrays: dict[tuple[int, Spec], Any] = {}
        self.own = self._gradients_side_by_side()

    def _is_placed(self, instruction: Instruction) -> bool:
        """Whether an instruction computes into given arrays."""
        return instruction.effect != "view" and self.kernels[instruction.op].out and all(
            self.program.slots[s].dtype != "string" and (s not in self.program.outputs or self._is_small(s))
            for s in instruction.outputs
        )  # fmt: skip

    def _is_small(self, slot: int) -> bool:
        spec = self.program.slots[slot]
        return math.prod(spec.shape) * numpy_dtype(spec.dtype).itemsize <= _COPIED_OUTPUT

    def _in_place(self, instruction: Instruction) -> Pairs:
        """The pairs (argument, result) of an instruction that may be one array."""
        specs = self.program.slots
        if instruction.op in ELEMENTWISE:
            (y,) = instruction.outputs
            return [(x, y) for x in instruction.inputs if specs[x] == specs[y]]
        if instruction.op in UPDATES:
            count = instruction.attrs["count"]
            starts = (1 + count * i for i in UPDATES[instruction.op][1])
            updated = [s for start in starts for s in instruction.inputs[start : start + count]]
            return list(zip(updated, instruction.outputs, strict=True))
        return []

    def _gradients_side_by_side(self) -> dict[int, Any]:
        """Arrays for the gradients of an update, laid out like its parameters, so that one call can do them all."""
        found: dict[int, Any] = {}
        for instruction in self.program.instructions:
            if instruction.op in UPDATES:
                count = instruction.attrs["count"]
                slots = instruction.inputs[1 + count : 1 + 2 * count]
                arrays = side_by_side([self.program.slots[s] for s in slots])
                if not any(s in self.memory.in_state for s in slots) and len(set(slots)) == count:
                    found.update(zip(slots, arrays, strict=True))
        return found

    def build(self) -> Any:
        for stage in self.stages:
            if len(stage) == 1:
                self._add_run(*stage[0])
            else:
                self._add_beside(stage)
        shared = {s for s in self.program.outputs if self._is_shared(s)}
        self.lines += [f"o{s} = s{s}.copy()" for s in sorted(shared)]  # before a Variable's old value is overwritten
        self._add_writes()
        self.namespace.update({f"s{slot}": array for slot, array in self.fixed.items()})
        outputs = ", ".join(f"o{s}" if s in shared else f"s{s}" for s in self.program.outputs)
        inputs = self.program.inputs
        head = ["".join(f"s{s}, " for s in inputs).rstrip() + " = inputs"] if inputs else []
        body = self.lines or ["pass"]
        beside = any(len(stage) > 1 for stage in self.stages)
        if beside or (self._has_products() and wants_one_thread(self.program) and ONE_THREAD.usual() > 1):
            self.namespace.update(one_thread=ONE_THREAD)
            body = ["with one_thread:", *(f"    {line}" for line in body)]
        return bind("step", [*head, *body, f"return [{outputs}], []"], self.namespace)

    def _add_run(self, start: int, stop: int) -> None:
        for index in range(start, stop):
            before = len(self.lines)
            self._add(index, self.program.instructions[index])
            say_op(self.lines, before, self.program.instructions[index])

    def _add_beside(self, stage: Sequence[Run]) -> None:
        """A function for each lane, and a call of all of them at once; what has no buffer is handed in and out."""
        calls, results = [], []
        for start, stop in stage:
            before, self.lines = self.lines, []
            self._add_run(start, stop)
            lines, self.lines = self.lines, before
            taken, given = self._handed(start, stop)
            name = f"lane{start}"
            text = [*quietly(lines), f"return ({''.join(f's{s}, ' for s in given)})"]
            define(name, [f"s{s}" for s in taken], text, self.namespace)
            calls.append(f"({name}, ({''.join(f's{s}, ' for s in taken)}))")
            results.append(f"({''.join(f's{s}, ' for s in given)})" if given else "_")
        self.namespace["beside"] = beside
        self.lines.append(f"{', '.join(results)} = beside([{', '.join(calls)}])")

    def _handed(self, start: int, stop: int) -> tuple[list[int], list[int]]:
        """The slots without memory of their own that a run needs from outside, and those it makes for others."""
        instructions = self.program.instructions[start:stop]
        made = {s for i in instructions for s in i.outputs}
        used = {s for i in instructions for s in i.inputs}
        return (
            sorted(s for s in used - made if s not in self.fixed),
            sorted(s for s in made if s not in self.fixed and self.last_uses.get(s, -1) >= stop),
        )

    def _has_products(self) -> bool:
        return any(i.op == "matmul" or i.op.startswith("conv") for i in self.program.instructions)

    def _is_shared(self, slot: int) -> bool:
        """Whether an output lies in a buffer or may share memory with what the caller passed in."""
        return slot in self.fixed or self.bases.get(slot, slot) in self.program.inputs

    def _add(self, index: int, instruction: Instruction) -> None:
        kernel = self.kernels[instruction.op]
        if instruction.effect != "random" and all(s in self.folded for s in instruction.inputs):
            self._fold(instruction, kernel)
        elif instruction.effect == "view" and instruction.inputs[0] in self.fixed:
            self._add_view(instruction, kernel)
        elif self._is_placed(instruction):
            self._add_placed(index, instruction, kernel)
        else:
            self.namespace[f"k{index}"] = kernel.function
            self.lines.append(_view_line(index, instruction) or call_line(index, instruction, self.namespace))
            self.namespace.update({f"k{index}_{key}": value for key, value in instruction.attrs.items()})

    def _fold(self, instruction: Instruction, kernel: Kernel) -> None:
        result = kernel.function(*[self.fixed[s] for s in instruction.inputs], **instruction.attrs)
        results = result if isinstance(result, tuple) else (result,)
        self.fixed.update(zip(instruction.outputs, map(np.asarray, results), strict=True))
        self.folded.update(instruction.outputs)

    def _add_view(self, instruction: Instruction, kernel: Kernel) -> None:
        source = self.fixed[instruction.inputs[0]]
        result = kernel.function(source, **instruction.attrs)
        results = result if isinstance(result, tuple) else (result,)
        for slot, view in zip(instruction.outputs, results, strict=True):
            if not view.size or np.may_share_memory(view, source):
                self.fixed[slot] = view
                continue
            copy = np.empty(source.shape, source.dtype)  # a reshape of a transposed array moves elements
            self.fixed[slot] = copy.reshape(view.shape)
            self.namespace.update({f"from{slot}": source, f"to{slot}": copy})
            self.lines.append(f"copyto(to{slot}, from{slot})")

    def _add_placed(self, index: int, instruction: Instruction, kernel: Kernel) -> None:
        for slot in instruction.outputs:
            self.fixed[slot] = self._array(slot)
        if instruction.op in UPDATES:
            self._add_update(index, instruction)
            return
        if all(s in self.fixed for s in instruction.inputs) and self._add_inlined(index, instruction):
            return
        names = [f"s{s}" for s in instruction.outputs]
        out = names[0] if len(names) == 1 else f"({', '.join(names)})"
        specs = self.program.slots
        special = kernel.specialize and kernel.specialize(
            [specs[s] for s in instruction.inputs], [specs[s] for s in instruction.outputs], instruction.attrs
        )
        if special:
            self.namespace[f"k{index}"] = special
            self.lines.append(f"k{index}({', '.join([*(f's{s}' for s in instruction.inputs), out])})")
        else:
            self.namespace[f"k{index}"] = kernel.function
            line = call_line(index, instruction, self.namespace).partition(" = ")[2]
            self.lines.append(f"{line[:-1]}{', ' if line[-2] != '(' else ''}out={out})")

    def _add_inlined(self, index: int, instruction: Instruction) -> bool:
        """Writes what an instruction comes down to into the step, if that is known."""
        line = scalar_line(instruction, self.program.slots)
        if line is not None:
            self.lines.append(line)
            return True
        bind = INLINED.get(instruction.op) if self.inlines else None
        inputs, outputs = ([self.fixed[s] for s in slots] for slots in (instruction.inputs, instruction.outputs))
        calls = bind and bind(inputs, outputs, instruction.attrs)
        if not calls:
            return False
        names = {id(self.fixed[s]): f"s{s}" for s in (*instruction.inputs, *instruction.outputs)}
        self._write(calls, index, names)
        return True

    def _write(self, calls: Sequence[Call], index: int, names: Mapping[int, str]) -> None:
        """Adds calls to the step: few one by one, many as a single one."""
        few = self.inlines and len(calls) <= _MOST_LINES
        self.lines += written(calls if few else [Call(in_order(calls), ())], index, names, self.namespace)

    def _add_update(self, index: int, instruction: Instruction) -> None:
        """Binds an update to its arrays; what a kernel without a buffer gave is copied to its place first."""
        inputs = []
        for slot in instruction.inputs:
            if slot not in self.fixed:
                place = self.own.get(slot)
                place = (
                    shaped(aligned(size_of(self.program.slots[slot])), self.program.slots[slot])
                    if place is None
                    else place
                )
                self.namespace[f"g{slot}"] = place
                self.lines.append(f"copyto(g{slot}, s{slot})")
                inputs.append(place)
            else:
                inputs.append(self.fixed[slot])
        outputs = [self.fixed[s] for s in instruction.outputs]
        calls = UPDATES[instruction.op][0](inputs, outputs, instruction.attrs)
        self._write(calls, index, {})

    def _array(self, slot: int) -> Any:
        if slot in self.memory.in_state:
            return self.fixed[self.program.state[self.memory.in_state[slot]]]
        if slot in self.own:
            return self.own[slot]
        place = self.memory.in_buffer[slot], self.program.slots[slot]
        if place not in self.arrays:  # what is computed in place should be one array: NumPy then need not look if it is
            self.arrays[place] = shaped(self.buffers[place[0]], place[1])
        return self.arrays[place]

    def _add_writes(self) -> None:
        """Copies the remaining results into their Variables; those that read another one's array go aside first."""
        in_state = self.memory.in_state
        staged = [(i, s) for i, s in self.program.writes if in_state.get(s) != i]
        overwritten = {self.program.state[i] for i, _ in self.program.writes}
        aside = {i for i, s in staged if self.bases.get(s, s) in overwritten or self.bases.get(s, s) in in_state}
        self.lines += [f"t{i} = s{s}.copy()" for i, s in staged if i in aside]
        self.lines += [f"copyto(s{self.program.state[i]}, {f't{i}' if i in aside else f's{s}'})" for i, s in staged]
