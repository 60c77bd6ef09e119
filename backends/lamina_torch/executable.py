"""A recorded program as straight-line torch calls into planned buffers.

Once per program and set of Variables: the program is put in torch's words, constants are folded, views are made, and
each result gets a buffer or the tensor of the Variable it is written to. Then every step is a sequence of bound calls.
What the caller gets is always in memory of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina.dtypes import ITEMSIZE
from lamina.program import Instruction, Program
from lamina.program.memory import Memory, plan_memory, size_of
from lamina.program.passes import view_bases
from lamina.program.source import bind, call_line, say_op, source_of
from lamina_torch.calls import ADAM, ELEMENTWISE
from lamina_torch.direct import DIRECT, LOWERED, SWAPPED, UPDATES, Direct
from lamina_torch.joining import join_means
from lamina_torch.kernels import kernels as own_kernels
from lamina_torch.lowering import lower
from lamina_torch.memory import as_one, raw_memory, shaped, side_by_side
from lamina_torch.threads import wants_threads

Functions = Mapping[str, Callable[..., Any]]
SMALL = 4096
"""Bytes of an input that is copied before views are made of it."""

below_autograd: Any = getattr(torch._C, "_AutoDispatchBelowAutograd", torch.no_grad)
"""A guard under which torch calls its kernels without asking autograd first: no tensor of ours needs a gradient."""


class TorchExecutable:
    """Runs a program; the tensors of ``state`` are updated in place."""

    updates_in_place = True

    def __init__(
        self, program: Program, kernels: KernelTable, from_host: Callable[[Any], Any], device: torch.device
    ) -> None:
        self._device = device
        self._own = {op for op, function in own_kernels.functions.items() if kernels.functions.get(op) is function}
        self._program = lower(program, self._own, device.type)
        self._functions = {**kernels.functions, **LOWERED}
        constants = {slot: from_host(array) for slot, array in self._program.constants.items()}
        self._constants = fold(self._program, constants, self._functions)
        joined = join_means(self._program, self._constants) if device.type == "cpu" else None
        if joined is not None:
            self._program, self._constants = joined, fold(joined, self._constants, self._functions)
        self._state: Sequence[Any] | None = None
        self._step: Any = None
        self._memory: Memory | None = None
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with self._lock, below_autograd():  # the buffers are this program's only ones
            if state is not self._state:
                builder = _Builder(self._program, self._functions, self._own, self._constants, state, self._device)
                self._step, self._memory, self._state = builder.build(), builder.memory, state
            result: tuple[list[Any], list[Any]] = self._step(inputs, state)
            return result

    def explain(self) -> str:
        """What was made of the program: torch's calls, memory, and the source of the step."""
        told = f"{len(self._program.instructions)} instructions in torch's words: {self._program.ops()}"
        return told if self._step is None else f"{told}\n{self._memory}\n{source_of(self._step)}"


def fold(program: Program, constants: Mapping[int, Any], functions: Functions) -> dict[int, Any]:
    """The constants, and all that follows from constants alone."""
    values = dict(constants)
    for instruction in program.instructions:
        if instruction.effect != "random" and all(s in values for s in instruction.inputs):
            result = functions[instruction.op](*[values[s] for s in instruction.inputs], **instruction.attrs)
            values.update(zip(instruction.outputs, result if isinstance(result, tuple) else (result,), strict=True))
    return values


def _direct(program: Program, instruction: Instruction, own: set[str]) -> Direct | None:
    """How to call an op into a buffer, if that can be done and its kernel is ours."""
    rule = DIRECT.get(instruction.op)
    if rule is None or (instruction.op not in own and instruction.op not in LOWERED):
        return None
    return rule([program.slots[s] for s in instruction.inputs], instruction.attrs)


def _numbers(instruction: Instruction) -> int:
    """How many arguments of an update are numbers, which come first."""
    return 2 if instruction.op == ADAM else 1


def _groups(instruction: Instruction) -> list[tuple[int, ...]]:
    """The arguments of an update after its numbers, group by group."""
    count = instruction.attrs["count"]
    rest = instruction.inputs[_numbers(instruction) :]
    return [rest[i : i + count] for i in range(0, len(rest), count)] if count else []


class _Builder:
    """Makes the step of one program for one set of Variables.

    ``fixed`` holds the tensors that are the same objects from step to step, by slot: constants, state, buffers and
    their views. All other slots are local names of the step.
    """

    def __init__(
        self,
        program: Program,
        functions: Functions,
        own: set[str],
        constants: Mapping[int, Any],
        state: Sequence[Any],
        device: torch.device,
    ) -> None:
        live = [i for i in program.instructions if not all(s in constants for s in i.outputs)]
        self.program = program = program.with_instructions(live)
        self.functions = functions
        self.own = own
        self.bases = view_bases(program)
        self.last = program.last_uses()
        self.direct = {i.outputs: _direct(program, i, own) for i in live}
        updates = [i for i in live if i.op in UPDATES and i.op in {*own, ADAM}]
        self.updates = {i.outputs for i in updates if self._is_plain_update(i)}
        self.fixed: dict[int, Any] = {**constants, **dict(zip(program.state, state, strict=True))}
        self.staged: dict[int, Any] = {}
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"threads": torch.set_num_threads, "all_threads": torch.get_num_threads}
        self.device = device
        self.alone: bool | None = None if device.type == "cpu" else False
        self._place(state)

    def _is_plain_update(self, instruction: Instruction) -> bool:
        """Whether an update's tensors have one dtype, so that it can be done in place."""
        groups = _groups(instruction)
        return bool(groups) and len({self.program.slots[s].dtype for group in groups for s in group}) == 1

    def _place(self, state: Sequence[Any]) -> None:
        """Gives results the Variables' tensors, or buffers."""
        program = self.program
        placed = {s for outputs in self.updates for s in outputs}
        placed.update(o[0] for o, call in self.direct.items() if call is not None and o[0] not in program.outputs)
        self.memory = memory = plan_memory(program, placed, self._in_place)
        buffers = [raw_memory(size, self.device) for size in memory.sizes]
        for slot, number in memory.in_buffer.items():
            self.fixed[slot] = shaped(buffers[number], program.slots[slot])
        self.fixed.update({slot: state[index] for slot, index in memory.in_state.items()})
        self._lay_gradients(placed - memory.in_state.keys())

    def _lay_gradients(self, free: set[int]) -> None:
        """Moves the gradients of an update side by side, as its parameters are, so that one call can do them all."""
        for instruction in self.program.instructions:
            if instruction.outputs in self.updates:
                slots = _groups(instruction)[1]
                if free.issuperset(slots) and len(set(slots)) == len(slots):
                    tensors = side_by_side([self.program.slots[s] for s in slots], self.device)
                    self.fixed.update(zip(slots, tensors, strict=True))

    def _in_place(self, instruction: Instruction) -> list[tuple[int, int]]:
        if instruction.outputs in self.updates:
            groups = _groups(instruction)
            written = [s for i in UPDATES[instruction.op][1] for s in groups[i]]
            pairs = zip(written, instruction.outputs, strict=True)
            return [(old, new) for old, new in pairs if instruction.inputs.count(old) == 1]
        if instruction.op not in ELEMENTWISE or self.direct[instruction.outputs] is None:
            return []
        (new,), slots = instruction.outputs, self.program.slots
        return [(old, new) for old in instruction.inputs if slots[old] == slots[new]]

    def build(self) -> Any:
        program = self.program
        for index, instruction in enumerate(program.instructions):
            before = len(self.lines)
            self._add(index, instruction)
            say_op(self.lines, before, instruction)
            done = {s for s in (*instruction.inputs, *instruction.outputs) if self.last.get(s, index) == index}
            done -= self.fixed.keys() | set(program.inputs)
            if done:
                self.lines.append("del " + ", ".join(f"s{s}" for s in sorted(done)))
        copied = {s for s in program.outputs if self._is_shared(s)}
        self.lines += [f"o{s} = s{s}.clone()" for s in sorted(copied)]  # before Variables get their new values
        self._add_writes()
        self.namespace.update({f"s{slot}": tensor for slot, tensor in self.fixed.items()})
        head = ["".join(f"s{s}, " for s in program.inputs).rstrip() + " = inputs"] if program.inputs else []
        if self.alone is not None and self.device.type == "cpu":
            body = [f"    {line}" for line in self.lines] or ["    pass"]
            self.lines = ["n = all_threads()", "try:", *body, "finally:", "    threads(n)"]
        outputs = ", ".join(f"{'o' if s in copied else 's'}{s}" for s in program.outputs)
        return bind("step", [*head, *self.lines, f"return [{outputs}], []"], self.namespace)

    def _is_shared(self, slot: int) -> bool:
        """Whether an output may lie in memory that is not its own."""
        base = self.bases.get(slot, slot)
        return slot in self.fixed or base in self.fixed or base in self.program.inputs

    def _choose_threads(self, instruction: Instruction) -> None:
        """Goes on with one thread, or with all of them, where that is faster for the next call."""
        if self.device.type == "cpu":
            many = wants_threads(instruction, self.program.slots)
            if many is not None and (not many) is not bool(self.alone):
                self.alone = not many
                self.lines.append("threads(1)" if self.alone else "threads(n)")

    def _add(self, index: int, instruction: Instruction) -> None:
        self._choose_threads(instruction)
        if instruction.outputs in self.updates:
            self._add_update(index, instruction)
        elif instruction.outputs[0] in self.fixed:
            self._add_direct(index, instruction)
        elif instruction.effect == "view" and self._add_view(instruction):
            return
        elif instruction.op == "reshape" and "reshape" in self.own:
            self.namespace[f"k{index}"] = instruction.attrs["shape"]
            self.lines.append(f"s{instruction.outputs[0]} = s{instruction.inputs[0]}.reshape(k{index})")
        else:
            self.namespace[f"k{index}"] = self.functions[instruction.op]
            self.lines.append(call_line(index, instruction, self.namespace))

    def _add_view(self, instruction: Instruction) -> bool:
        """Makes a view of a fixed tensor once and for all, if it is one: some kernels have to move elements."""
        source = self._standing(instruction.inputs[0])
        if source is None:
            return False
        result = self.functions[instruction.op](source, **instruction.attrs)
        views = result if isinstance(result, tuple) else (result,)
        memory = source.untyped_storage().data_ptr()
        if any(v.numel() and v.untyped_storage().data_ptr() != memory for v in views):
            return False
        self.fixed.update(zip(instruction.outputs, views, strict=True))
        return True

    def _standing(self, slot: int) -> Any:
        """The fixed tensor that a view can be made of. A small input is copied into one: that is sooner done."""
        spec = self.program.slots[slot]
        small = slot in self.program.inputs and spec.size * ITEMSIZE[spec.dtype] <= SMALL and self.device.type == "cpu"
        if slot not in self.fixed and small:
            if slot not in self.staged:
                buffer = raw_memory(size_of(spec), self.device)
                self.staged[slot] = self.namespace[f"i{slot}"] = shaped(buffer, spec)
                self.lines.append(f"i{slot}.copy_(s{slot})")
            return self.staged[slot]
        return self.fixed.get(slot)

    def _add_direct(self, index: int, instruction: Instruction) -> None:
        call = self.direct[instruction.outputs]
        assert call is not None
        (slot,), inputs = instruction.outputs, list(instruction.inputs)
        if instruction.op in SWAPPED and self._lies_in(inputs[1], slot):
            inputs.reverse()
        in_place = call.in_place if inputs and self._lies_in(inputs[0], slot) else None
        settings = call.settings if in_place is None else in_place[1]
        arguments = [f"s{s}" for s in inputs]
        for i, value in enumerate(settings):
            self.namespace[f"k{index}_{i}"] = value
            arguments.append(f"k{index}_{i}")
        if in_place is not None:
            self.lines.append(f"s{slot}.{in_place[0]}({', '.join(arguments[1:])})")
            return
        self.namespace[f"k{index}"] = call.function
        arguments = [f"s{slot}", *arguments] if call.buffer_first else [*arguments, f"{call.keyword}=s{slot}"]
        self.lines.append(f"k{index}({', '.join(arguments)})")

    def _lies_in(self, slot: int, target: int) -> bool:
        """Whether a slot is the very tensor of another."""
        x, y = self.fixed.get(slot), self.fixed[target]
        if x is None or x.data_ptr() != y.data_ptr():
            return False
        return x.dtype is y.dtype and x.shape == y.shape and x.stride() == y.stride() and x.ndim > 0

    def _add_update(self, index: int, instruction: Instruction) -> None:
        make, written = UPDATES[instruction.op]
        groups, count = _groups(instruction), instruction.attrs["count"]
        targets = [instruction.outputs[i * count : (i + 1) * count] for i in range(len(written))]
        for old, new in zip((s for i in written for s in groups[i]), instruction.outputs, strict=True):
            if old not in self.fixed or self.fixed[old].data_ptr() != self.fixed[new].data_ptr():
                self.lines.append(f"s{new}.copy_(s{old})")
        tensors = [[self.fixed[s] for s in group] for group in targets]
        gradients = self._gradients(index, groups[1], tensors)
        settings = {name: value for name, value in instruction.attrs.items() if name != "count"}
        self.namespace[f"k{index}"] = make(*tensors, **settings)
        numbers = ", ".join(f"s{s}" for s in instruction.inputs[: _numbers(instruction)])
        self.lines.append(f"k{index}({numbers}, {gradients})")

    def _gradients(self, index: int, slots: tuple[int, ...], tensors: list[list[Any]]) -> str:
        """The expression for an update's gradients. If all lie side by side, each list becomes one flat tensor."""
        if not all(s in self.fixed and self.fixed[s].is_contiguous() for s in slots):
            return "[" + ", ".join(f"s{s}.contiguous()" for s in slots) + "]"
        found = [self.fixed[s] for s in slots]
        flat = [as_one(group) for group in (found, *tensors)]
        if all(t is not None and flat[0] is not None and t.shape == flat[0].shape for t in flat):
            found, *tensors[:] = [[t] for t in flat]
        self.namespace[f"g{index}"] = found
        return f"g{index}"

    def _add_writes(self) -> None:
        """Copies the remaining results into their Variables, those that show a Variable's memory by way of a copy."""
        state = self.program.state
        staged = [(i, s) for i, s in self.program.writes if self.fixed.get(s) is not self.fixed[state[i]]]
        changing = {self.fixed[state[i]].data_ptr() for i, _ in self.program.writes}
        copies: list[str] = []
        for index, slot in staged:
            base = self.fixed.get(self.bases.get(slot, slot))
            aside = base is not None and base.data_ptr() in changing
            if aside:
                self.lines.append(f"t{index} = s{slot}.clone()")
            copies.append(f"s{state[index]}.copy_({f't{index}' if aside else f's{slot}'})")
        self.lines.extend(copies)
