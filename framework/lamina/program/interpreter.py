"""The reference executable: walks the instructions over a list of slots. Slow, plain, and right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.program.program import Program

Run = tuple[list[Any], list[Any]]
"""The caller's outputs, and the new value of each written state slot in the order of ``Program.writes``."""


class Interpreter:
    """Runs a program kernel by kernel on a backend's native arrays.

    ``kernels`` maps an op's name to the function that computes it, ``from_host`` makes native arrays of constants.
    """

    updates_in_place = False

    def __init__(
        self, program: Program, kernels: Mapping[str, Callable[..., Any]], from_host: Callable[[Any], Any]
    ) -> None:
        self.program = program
        self._constants = {slot: from_host(array) for slot, array in program.constants.items()}
        self._steps = [(kernels[i.op], i) for i in program.instructions]

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> Run:
        program = self.program
        values: dict[int, Any] = dict(self._constants)
        values.update(zip(program.inputs, inputs, strict=True))
        values.update(zip(program.state, state, strict=True))
        for kernel, instruction in self._steps:
            result = kernel(*[values[slot] for slot in instruction.inputs], **instruction.attrs)
            results = result if isinstance(result, tuple) else (result,)
            values.update(zip(instruction.outputs, results, strict=True))
        return [values[slot] for slot in program.outputs], [values[slot] for _, slot in program.writes]
