"""One recorded call of a layer as a function of JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.errors import SerializationError
from lamina.models.exporting.javascript.constants import constant_text
from lamina.models.exporting.javascript.operations import Call, changes_nothing, written
from lamina.models.exporting.javascript.recording import Recording
from lamina.models.exporting.javascript.sizes import merged
from lamina.models.exporting.javascript.text import array_text, literal
from lamina.program import Instruction, Program
from lamina.shapes import Spec


def call_text(recording: Recording, weights: Sequence[Any]) -> str:
    """What a layer computes at one of its calls: an object with ``inputs``, ``equal``, ``shapes`` and ``run``.

    ``run`` takes the tensors of the inputs and of ``weights``. Raises SerializationError if it cannot be written.
    """
    _check_alike(recording.programs)
    return _Writer(recording, weights).text()


def _check_alike(programs: Sequence[Program]) -> None:
    """Refuses programs that are not the same calls in the same order."""
    forms = {tuple((i.op, i.inputs, i.outputs) for i in program.instructions) for program in programs}
    if len(forms) > 1 or len({(p.outputs, tuple(p.constants)) for p in programs}) > 1:
        raise SerializationError(
            "what it computes depends on unknown sizes of its inputs, as a loop over steps does.",
            fix="give the shape of its inputs in full.",
        )


class _Writer:
    def __init__(self, recording: Recording, weights: Sequence[Any]) -> None:
        self._recording = recording
        self._programs = recording.programs
        self._program = recording.programs[0]
        self._weights = {id(v): number for number, v in enumerate(weights)}
        self._sizes = self._names()
        self._tensors: dict[int, str] = {}

    def _names(self) -> dict[str, tuple[int, ...]]:
        """A name for each unknown size; those that are equal have one."""
        named: dict[tuple[int, ...], str] = {}
        for values in self._recording.unknown.values():
            named.setdefault(values, f"n{len(named)}")
        return {name: values for values, name in named.items()}

    def text(self) -> str:
        """The object."""
        body = self._body()
        shapes = [self._spec(slot).shape for slot in self._program.outputs]
        sizes = self._size_lines("s[{}][{}]")
        return "\n".join(
            [
                "{",
                f"  inputs: {len(self._recording.inputs)},",
                f"  masked: {literal(self._recording.masked)},",
                f"  equal: {literal(self._recording.equal)},",
                "  shapes(s) {",
                *(f"    {line}" for line in sizes),
                f"    return {literal(shapes)};",
                "  },",
                f"  run({', '.join(['x', 'w', *(['m'] if self._recording.masked else [])])}) {{",
                *(f"    {line}" for line in (*self._size_lines("x[{}].shape[{}]"), *body)),
                "  },",
                "}",
            ]
        )

    def _size_lines(self, form: str) -> list[str]:
        places: dict[tuple[int, ...], tuple[int, int]] = {}
        for place, values in self._recording.unknown.items():
            places.setdefault(values, place)
        return [f"const {name} = {form.format(*places[values])};" for name, values in self._sizes.items()]

    def _body(self) -> list[str]:
        program = self._program
        inputs = [*(f"x[{number}]" for number in range(len(self._recording.inputs))), "m"]
        self._tensors.update(zip(program.inputs, inputs, strict=False))
        for slot, variable in zip(program.state, self._recording.variables, strict=True):
            number = self._weights.get(id(variable))
            self._tensors[slot] = array_text(variable.numpy()) if number is None else f"w[{number}]"
        lines = [self._constant_line(slot) for slot in program.constants]
        for number, instruction in enumerate(program.instructions):
            lines.append(self._line(number, instruction))
        return [*filter(None, lines), f"return [{', '.join(map(self._output, program.outputs))}];"]

    def _output(self, slot: int) -> str:
        """A result, which is freed after its use: never a weight itself."""
        name = self._tensors[slot]
        return f"tf.clone({name})" if name.startswith("w[") else name

    def _constant_line(self, slot: int) -> str:
        self._tensors[slot] = f"c{slot}"
        text = constant_text([program.constants[slot] for program in self._programs], self._sizes)
        return f"const c{slot} = {text};"

    def _line(self, number: int, instruction: Instruction) -> str:
        attributes = [program.instructions[number].attrs for program in self._programs]
        settings = {name: merged([a[name] for a in attributes], self._sizes) for name in instruction.attrs}
        call = Call(
            instruction.op,
            [self._tensors[slot] for slot in instruction.inputs],
            [self._spec(slot) for slot in instruction.inputs],
            [self._spec(slot) for slot in instruction.outputs],
            settings,
        )
        if changes_nothing(call):
            self._tensors[instruction.outputs[0]] = call.inputs[0]
            return ""
        self._tensors.update({slot: f"t{slot}" for slot in instruction.outputs})
        names = ", ".join(self._tensors[slot] for slot in instruction.outputs)
        several = instruction.in_tuple or len(instruction.outputs) > 1
        return f"const {'[' + names + ']' if several else names} = {written(call)};"

    def _spec(self, slot: int) -> Spec:
        specs = [program.slots[slot] for program in self._programs]
        return Spec(tuple(merged([s.shape for s in specs], self._sizes)), specs[0].dtype)


def indented(text: str, spaces: int) -> str:
    """The lines of a text, further to the right, but for the first."""
    return text.replace("\n", "\n" + " " * spaces)
