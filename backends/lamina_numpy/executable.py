"""A recorded program as straight-line NumPy calls into planned buffers.

Once per program and set of Variables: views are made, constants are folded, each result gets a buffer by its
lifetime, and a result that is written to a Variable is computed in the Variable's own array where nothing needs the
old value any more. Then every step is a sequence of bound calls.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lamina.contract import Kernel, KernelTable
from lamina.program import Instruction, Program
from lamina.program.passes import lifetimes
from lamina.program.source import bind, call_line
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import QUIET

ELEMENTWISE = {*QUIET, "tanh", "sigmoid", "relu", "relu_gradient", "rsqrt"}
"""Ops whose result may lie in the memory of an argument of the same shape: each element is read before it is set."""

_COPIED_OUTPUT = 4096  # bytes; a small output is computed in a buffer and copied, a large one gets an array of its own
_ALIGNMENT = 64


class NumPyExecutable:
    """Runs a program; the arrays of ``state`` are updated in place."""

    updates_in_place = True

    def __init__(self, program: Program, kernels: KernelTable) -> None:
        self._program = _with_plain_products(program)
        self._kernels = kernels
        self._state: Sequence[Any] | None = None
        self._step: Any = None
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with self._lock:  # the buffers are this program's only ones
            if state is not self._state:
                self._step = _Builder(self._program, self._kernels.entries, state).build()
                self._state = state
            result: tuple[list[Any], list[Any]] = self._step(inputs, state)
            return result


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


class _Builder:
    """Makes the step of one program for one set of Variables."""

    def __init__(self, program: Program, kernels: Mapping[str, Kernel], state: Sequence[Any]) -> None:
        self.program = program
        self.kernels = kernels
        self.fixed: dict[int, Any] = {s: np.asarray(a) for s, a in program.constants.items()}
        self.folded = set(program.constants)
        self.fixed.update(zip(program.state, state, strict=True))
        self.lifetimes = lifetimes(program)
        self.outputs = set(program.outputs)
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"copyto": np.copyto, "errstate": np.errstate}
        self.owners = self._owned_by_state()
        self.free: dict[int, list[Any]] = {}
        self.buffers: dict[int, Any] = {}  # slot -> raw bytes to give back when its memory is done

    def build(self) -> Any:
        program = self.program
        ending: dict[int, list[int]] = {}
        for slot, (_, end) in self.lifetimes.items():
            ending.setdefault(end, []).append(slot)
        for index, instruction in enumerate(program.instructions):
            self._add(index, instruction)
            for slot in ending.get(index, ()):
                self._release(slot)
        self._add_writes()
        self.namespace.update({f"s{slot}": array for slot, array in self.fixed.items()})
        outputs = ", ".join(
            f"s{s}.copy()" if s in self.fixed or self._is_input_view(s) else f"s{s}" for s in program.outputs
        )
        head = ["".join(f"s{s}, " for s in program.inputs).rstrip() + " = inputs"] if program.inputs else []
        body = [f"    {line}" for line in self.lines] or ["    pass"]
        return bind("step", [*head, "with errstate(all='ignore'):", *body, f"return [{outputs}], []"], self.namespace)

    def _is_input_view(self, slot: int) -> bool:
        """Whether an output may share memory with what the caller passed in."""
        made = {s: i for i in self.program.instructions for s in i.outputs}
        while slot in made and made[slot].effect == "view":
            slot = made[slot].inputs[0]
        return slot in self.program.inputs

    def _owned_by_state(self) -> dict[int, int]:
        """Slots that can be computed in the array of the Variable they are written to: {slot: state index}."""
        made = {slot: i for i, instruction in enumerate(self.program.instructions) for slot in instruction.outputs}
        owners: dict[int, int] = {}
        for index, slot in self.program.writes:
            position = made.get(slot)
            target = self.program.state[index]
            if position is None or slot in owners or slot in self.outputs:
                continue
            instruction = self.program.instructions[position]
            needed = self.lifetimes[target][1]
            reads_itself = target in instruction.inputs
            views_read = any(s != target and self._base(s) == target for s in instruction.inputs)
            in_order = needed < position or (needed == position and reads_itself and instruction.op in ELEMENTWISE)
            if in_order and not views_read and instruction.effect != "view" and self.kernels[instruction.op].out:
                owners[slot] = index
        return owners

    def _base(self, slot: int) -> int:
        made = {s: i for i in self.program.instructions for s in i.outputs}
        while slot in made and made[slot].effect == "view":
            slot = made[slot].inputs[0]
        return slot

    def _add(self, index: int, instruction: Instruction) -> None:
        kernel = self.kernels[instruction.op]
        if instruction.effect != "random" and all(s in self.folded for s in instruction.inputs):
            self._fold(instruction, kernel)
        elif instruction.effect == "view" and instruction.inputs[0] in self.fixed:
            self._add_view(instruction, kernel)
        elif kernel.out and len(instruction.outputs) == 1 and self._fits_buffer(instruction.outputs[0]):
            self._add_buffered(index, instruction, kernel)
        else:
            self.namespace[f"k{index}"] = kernel.function
            self.lines.append(call_line(index, instruction, self.namespace))

    def _fold(self, instruction: Instruction, kernel: Kernel) -> None:
        result = kernel.function(*[self.fixed[s] for s in instruction.inputs], **instruction.attrs)
        results = (result,) if len(instruction.outputs) == 1 and not isinstance(result, tuple) else result
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

    def _fits_buffer(self, slot: int) -> bool:
        spec = self.program.slots[slot]
        return spec.dtype != "string" and (slot not in self.outputs or self._bytes(spec) <= _COPIED_OUTPUT)

    def _bytes(self, spec: Spec) -> int:
        return math.prod(spec.shape) * numpy_dtype(spec.dtype).itemsize

    def _add_buffered(self, index: int, instruction: Instruction, kernel: Kernel) -> None:
        (slot,) = instruction.outputs
        self.fixed[slot] = self._buffer_for(instruction, slot)
        specs = self.program.slots
        special = kernel.specialize and kernel.specialize(
            [specs[s] for s in instruction.inputs], [specs[slot]], instruction.attrs
        )
        arguments = ", ".join(f"s{s}" for s in instruction.inputs)
        if special:
            self.namespace[f"k{index}"] = special
            self.lines.append(f"k{index}({arguments}, s{slot})")
        else:
            self.namespace[f"k{index}"] = kernel.function
            line = call_line(index, instruction, self.namespace).partition(" = ")[2]
            self.lines.append(f"{line[:-1]}{', ' if line[-2] != '(' else ''}out=s{slot})")

    def _buffer_for(self, instruction: Instruction, slot: int) -> Any:
        owner = self.owners.get(slot)
        if owner is not None:
            return self.fixed[self.program.state[owner]]
        spec = self.program.slots[slot]
        size = self._bytes(spec)
        raw = self._reused(instruction, slot, size)
        if raw is None:
            waiting = self.free.get(size)
            raw = waiting.pop() if waiting else _aligned(size)
        self.buffers[slot] = raw
        return raw.view(numpy_dtype(spec.dtype)).reshape(spec.shape)

    def _reused(self, instruction: Instruction, slot: int, size: int) -> Any:
        """The buffer of an argument that ends here, for an op that may compute in place."""
        if instruction.op not in ELEMENTWISE:
            return None
        now = self.lifetimes[slot][0]
        for s in instruction.inputs:
            same = self.program.slots[s] == self.program.slots[slot]
            if same and s in self.buffers and self.lifetimes[s][1] == now:
                return self.buffers.pop(s)
        return None

    def _release(self, slot: int) -> None:
        raw = self.buffers.pop(slot, None)
        if raw is not None:
            self.free.setdefault(raw.nbytes, []).append(raw)

    def _add_writes(self) -> None:
        """Copies the remaining results into their Variables, after setting those aside that share a Variable's array."""
        staged = [(i, s) for i, s in self.program.writes if self.owners.get(s) != i]
        overwritten = {self.program.state[i] for i, _ in self.program.writes}
        for index, slot in staged:
            if self._base(slot) in overwritten or slot in self.owners:
                self.lines.append(f"t{index} = s{slot}.copy()")
        for index, slot in staged:
            aside = self._base(slot) in overwritten or slot in self.owners
            self.lines.append(
                f"copyto(s{self.program.state[index]}, {'t' if aside else 's'}{index if aside else slot})"
            )


def _aligned(size: int) -> Any:
    """Raw bytes that start at a cache line."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % _ALIGNMENT
    return raw[offset : offset + size]
