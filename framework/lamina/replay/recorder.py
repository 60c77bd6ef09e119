"""The recorder: kernel calls become instructions while they really run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from lamina.errors import HostReadError, ReplayError
from lamina.program import Instruction, Program
from lamina.runtime.listeners import KernelCall, Listener
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Spec


class Recorder(Listener):
    """Hears one run of a step and writes its program.

    Tensors are numbered as they appear: the step's inputs, the values of Variables, results of kernels; any other
    tensor is a constant. What cannot be replayed raises where it happens.
    """

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self._slots: list[Spec] = []
        self._numbers: dict[int, int] = {}
        self._inputs = [self._new(t) for t in inputs]
        self._instructions: list[Instruction] = []
        self._constants: dict[int, Tensor] = {}
        self._state: dict[int, tuple[Variable, int, Tensor]] = {}
        self._writes: dict[int, Tensor] = {}
        self._before: list[tuple[Variable, Tensor]] = []
        self.not_replayable: str | None = None

    @property
    def variables(self) -> list[Variable]:
        """The Variables the step reads or writes, in the order of the program's state."""
        return [variable for variable, _, _ in self._state.values()]

    def on_call(self, call: KernelCall) -> None:
        if call.op.shape_from_values and self.not_replayable is None:
            self.not_replayable = f"the shape of the result of {call.op.name!r} depends on values{_user_line()}"
        inputs = tuple(self._number(t) for t in call.inputs)
        outputs = tuple(self._new(t) for t in call.outputs)
        op = call.op
        self._instructions.append(Instruction(op.name, inputs, outputs, call.attrs, op.effect, not op.outputs))

    def on_read(self, variable: Variable, value: Tensor) -> None:
        if id(variable) not in self._state:
            self._state[id(variable)] = (variable, self._new(value), value)

    def on_write(self, variable: Variable, value: Tensor) -> None:
        if id(variable) not in self._state:
            _ = variable.value
        if id(variable) not in self._writes:
            self._before.append((variable, self._state[id(variable)][2]))
        self._number(value)
        self._writes[id(variable)] = value

    def on_create(self, variable: Variable) -> None:
        raise ReplayError(
            f"the Variable {variable.name!r} was made inside a recorded step{_user_line()}.",
            expected="all Variables to exist before the step is recorded.",
            fix="build the model, layer or optimizer first.",
        )

    def on_host_read(self, tensor: Tensor) -> None:
        if tensor.uid in self._numbers:
            raise HostReadError(
                f"a value was read on the host inside a recorded step{_user_line()}.",
                expected="ops only: a value read here would be frozen into every later step.",
                fix="return the tensor and read it outside, use lamina.where in place of if, or run eagerly "
                "(run_eagerly=True, LAMINA_REPLAY=off).",
            )

    def undo(self) -> None:
        """Gives every Variable written so far the value it had before the step."""
        for variable, value in reversed(self._before):
            variable.assign(value)

    def program(self, outputs: Sequence[Tensor]) -> Program:
        """The program of the run, whose results are ``outputs``."""
        returned = tuple(self._number(t) for t in outputs)
        order = {key: index for index, key in enumerate(self._state)}
        return Program(
            slots=tuple(self._slots),
            inputs=tuple(self._inputs),
            state=tuple(slot for _, slot, _ in self._state.values()),
            constants={slot: t.backend.to_host(t._array) for slot, t in self._constants.items()},
            instructions=tuple(self._instructions),
            outputs=returned,
            writes=tuple((order[key], self._number(value)) for key, value in self._writes.items()),
        )

    def _new(self, tensor: Tensor) -> int:
        self._slots.append(tensor.spec)
        self._numbers[tensor.uid] = len(self._slots) - 1
        return len(self._slots) - 1

    def _number(self, tensor: Tensor) -> int:
        number = self._numbers.get(tensor.uid)
        if number is None:
            number = self._new(tensor)
            self._constants[number] = tensor
        return number


def _user_line() -> str:
    """Where in the user's code we are: the nearest frame outside lamina."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").partition(".")[0].startswith("lamina"):
            return f", at {frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
