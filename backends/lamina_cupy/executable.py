"""A recorded program as straight-line launches: fused runs, buffers planned once, updates in the Variables' arrays.

Nothing is written to a Variable before all else is done, so a step that runs out of memory has changed none.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import cupy
import numpy as np

from lamina.contract import KernelTable
from lamina.program import Instruction, Program
from lamina.program.memory import Pairs, plan_memory
from lamina.program.passes import view_bases
from lamina.program.source import bind, call_line, say_op, source_of
from lamina_cupy.cuda.launching import EXACT, PRELUDE, grid
from lamina_cupy.fusion import Fuser, updates_last
from lamina_cupy.memory import shaped, side_by_side

UPDATES: Final = {"adam_update": (0, 2, 3), "momentum_update": (0, 2)}
"""Updates of many tensors, and which lists of their arguments come back updated."""


MAY_SHARE: Final = ("flip", "identity", "real", "imag", "max", "min", "cast")
"""Ops whose kernels may hand on the memory of their argument, though no view was asked for."""


class CuPyExecutable:
    """Runs a program; the arrays of ``state`` are updated in place."""

    updates_in_place = True

    def __init__(self, program: Program, kernels: KernelTable, device: Any) -> None:
        self._fused = Fuser(updates_last(_with_views(program), tuple(UPDATES)))
        self._kernels = kernels
        self._device = device
        self._lock = threading.Lock()
        self._state: Sequence[Any] | None = None
        self._step: Any = None
        source = PRELUDE.format(type="float") + "".join(run.source for run in self._fused.runs.values())
        self._module = cupy.RawModule(code=source, options=EXACT) if self._fused.runs else None

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with self._lock, self._device:  # the buffers are this program's only ones
            if state is not self._state:
                self._step = _Builder(self._fused, self._kernels, self._module, state).build()
                self._state = state
            result: tuple[list[Any], list[Any]] = self._step(inputs, state)
            return result

    def explain(self) -> str:
        """What was made of the program: fused runs, and the source of the step."""
        program, runs = self._fused.program, self._fused.runs
        told = f"{len(program.instructions)} instructions, of which {len(runs)} are fused runs: {program.ops()}"
        return told if self._step is None else f"{told}\n{source_of(self._step)}"


def _with_views(program: Program) -> Program:
    """Instructions that may be views are told to be, so that no buffer is used again too early."""
    return program.with_instructions(
        [replace(i, effect="view") if i.op in MAY_SHARE else i for i in program.instructions]
    )


class _Builder:
    """Makes the step of one program for one set of Variables."""

    def __init__(self, fused: Fuser, kernels: KernelTable, module: Any, state: Sequence[Any]) -> None:
        self.program, self.runs = fused.program, fused.runs
        self.kernels, self.module = kernels, module
        self.fixed: dict[int, Any] = {s: cupy.asarray(a) for s, a in self.program.constants.items()}
        self.fixed.update(zip(self.program.state, state, strict=True))
        self.bases = view_bases(self.program)
        self.in_state = self._in_state()
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {
            "copyto": cupy.copyto, "empty": cupy.empty, "contiguous": cupy.ascontiguousarray, "threads": (256,),
        }  # fmt: skip
        self.copied = self._gradients()
        self._plan()

    def _in_state(self) -> dict[int, int]:
        """Results of updates by the Variable in whose array they are computed: the one that they update and replace."""
        found: dict[int, int] = {}
        written = {slot: index for index, slot in self.program.writes}
        places = {slot: index for index, slot in enumerate(self.program.state)}
        instructions = self.program.instructions
        for number, instruction in enumerate(instructions):
            if instruction.op not in UPDATES:
                continue
            count = instruction.attrs["count"]
            starts = [1 + count * i for i in UPDATES[instruction.op]]
            updated = [s for start in starts for s in instruction.inputs[start : start + count]]
            later = {s for i in instructions[number + 1 :] for s in i.inputs} | set(self.program.results())
            needed = {self.bases.get(s, s) for s in later}
            for old, new in zip(updated, instruction.outputs, strict=True):
                is_own = old in places and written.get(new) == places[old]
                if is_own and old not in needed and instruction.inputs.count(old) == 1:
                    found[new] = places[old]
        return found

    def _gradients(self) -> dict[int, Any]:
        """Arrays for the gradients of an update, laid out like its parameters, so that one launch can do them all."""
        found: dict[int, Any] = {}
        for instruction in self.program.instructions:
            if instruction.op in UPDATES:
                count = instruction.attrs["count"]
                slots = instruction.inputs[1 + count : 1 + 2 * count]
                arrays = side_by_side([self.program.slots[s] for s in slots])
                found.update(zip(slots, arrays, strict=True))
        return found

    def _plan(self) -> None:
        """Buffers for the results of runs, and of kernels that take one; what is written to a Variable lives on."""
        program = self.program
        kept = replace(program, writes=(), outputs=program.results())
        placed = {s for i in program.instructions if self._is_placed(i) for s in i.outputs}
        placed -= {*program.outputs, *self.copied}
        memory = plan_memory(kept, placed, self._in_place)
        buffers = [cupy.empty(size, cupy.uint8) for size in memory.sizes]
        self.buffers = {s: shaped(buffers[number], 0, program.slots[s]) for s, number in memory.in_buffer.items()}

    def _is_placed(self, instruction: Instruction) -> bool:
        return instruction.op in self.runs or (
            instruction.op not in UPDATES and self.kernels.entries[instruction.op].out
        )

    def _in_place(self, instruction: Instruction) -> Pairs:
        if instruction.op not in self.runs:
            return []
        specs, shape = self.program.slots, self.runs[instruction.op].shape
        free = list(instruction.inputs)
        pairs = []
        for new in (s for s in instruction.outputs if specs[s].shape == shape):  # of rows, others read on
            old = next((s for s in free if specs[s] == specs[new]), None)
            if old is not None:
                free.remove(old)
                pairs.append((old, new))
        return pairs

    def build(self) -> Any:
        for number, instruction in enumerate(self.program.instructions):
            before = len(self.lines)
            self._add(number, instruction)
            say_op(self.lines, before, instruction)
        for slot in dict.fromkeys(self.program.outputs):
            copied = slot in self.fixed or self.bases.get(slot, slot) in (*self.program.inputs, *self.fixed)
            self.lines.append(f"o{slot} = s{slot}.copy()" if copied else f"o{slot} = s{slot}")
        self._add_writes()
        self.namespace.update({f"s{slot}": array for slot, array in self.fixed.items()})
        inputs = self.program.inputs
        head = ["".join(f"s{s}, " for s in inputs).rstrip() + " = inputs"] if inputs else []
        outputs = ", ".join(f"o{s}" for s in self.program.outputs)
        return bind("step", [*head, *self.lines, f"return [{outputs}], []"], self.namespace)

    def _add(self, number: int, instruction: Instruction) -> None:
        if instruction.op in self.runs:
            self._add_run(number, instruction)
        elif instruction.op in UPDATES:
            self._add_update(number, instruction)
        elif instruction.effect == "view" and instruction.inputs[0] in self.fixed:
            self._add_view(number, instruction)
        else:
            self._add_kernel(number, instruction)
        for slot in instruction.outputs:
            if slot in self.copied and slot not in self.fixed:
                self.fixed[slot] = self.copied[slot]
                self.namespace[f"g{slot}"] = self.copied[slot]
                self.lines += [f"copyto(g{slot}, s{slot})", f"s{slot} = g{slot}"]

    def _place(self, slot: int) -> Any | None:
        """The array that a result is computed in, None if it is made anew in each step."""
        place = self.copied.get(slot)
        return self.buffers.get(slot) if place is None else place

    def _add_run(self, number: int, instruction: Instruction) -> None:
        run = self.runs[instruction.op]
        arguments = [f"s{s}" if self._is_dense(s) else f"contiguous(s{s})" for s in instruction.inputs]
        for slot in instruction.outputs:
            place = self._place(slot)
            if place is None:
                spec = self.program.slots[slot]
                self.namespace.update({f"shape{slot}": spec.shape, f"dtype{slot}": spec.dtype})
                self.lines.append(f"s{slot} = empty(shape{slot}, dtype{slot})")
            else:
                self.fixed[slot] = place
            arguments.append(f"s{slot}")
        self.namespace[f"k{number}"] = self.module.get_function(run.name)
        self.namespace[f"k{number}_grid"], self.namespace[f"k{number}_count"] = grid(run.count), np.int64(run.count)
        self.lines.append(f"k{number}(k{number}_grid, threads, ({', '.join(arguments)}, k{number}_count))")

    def _is_dense(self, slot: int) -> bool:
        return slot in self.fixed and bool(self.fixed[slot].flags.c_contiguous)

    def _add_view(self, number: int, instruction: Instruction) -> None:
        """A view of memory that stays is made once; a reshape that has to move elements is none."""
        source = self.fixed[instruction.inputs[0]]
        result = self.kernels[instruction.op](source, **instruction.attrs)
        results = result if isinstance(result, tuple) else (result,)
        if all(not r.size or r.data.mem.ptr == source.data.mem.ptr for r in results):
            self.fixed.update(zip(instruction.outputs, results, strict=True))
        else:
            self._add_kernel(number, instruction)

    def _add_kernel(self, number: int, instruction: Instruction) -> None:
        self.namespace[f"k{number}"] = self.kernels[instruction.op]
        line = call_line(number, instruction, self.namespace)
        place = self._place(instruction.outputs[0])
        if self._is_placed(instruction) and place is not None:
            self.fixed[instruction.outputs[0]] = place
            line = f"{line.partition(' = ')[2][:-1]}, out=s{instruction.outputs[0]})"
        self.lines.append(line)

    def _add_update(self, number: int, instruction: Instruction) -> None:
        names = []
        for slot in instruction.outputs:
            if slot in self.in_state:
                self.fixed[slot] = self.fixed[self.program.state[self.in_state[slot]]]
            else:
                spec = self.program.slots[slot]
                self.fixed[slot] = cupy.empty(spec.shape, spec.dtype)
            names.append(f"s{slot}")
        self.namespace[f"k{number}"] = self.kernels[instruction.op]
        line = call_line(number, instruction, self.namespace).partition(" = ")[2]
        self.lines.append(f"{line[:-1]}, out=({', '.join(names)},))")

    def _add_writes(self) -> None:
        """Copies the remaining results into their Variables; those that read another one's array go aside first."""
        staged = [(i, s) for i, s in self.program.writes if self.in_state.get(s) != i]
        overwritten = {self.program.state[i] for i, _ in self.program.writes}
        aside = {i for i, s in staged if self.bases.get(s, s) in overwritten or self.bases.get(s, s) in self.in_state}
        self.lines += [f"t{i} = s{s}.copy()" for i, s in staged if i in aside]
        self.lines += [f"copyto(s{self.program.state[i]}, {f't{i}' if i in aside else f's{s}'})" for i, s in staged]
