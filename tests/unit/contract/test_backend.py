"""What a backend has from the contract without writing it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina.contract import Backend, KernelTable
from lamina.program import Instruction, Interpreter, Program
from lamina.shapes import Spec


class Smallest(Backend):
    """The four methods that have no default."""

    name = "smallest"
    kernels = KernelTable()

    def from_host(self, array: Any) -> Any:
        return np.array(array)

    def to_host(self, array: Any) -> Any:
        return array

    def shape_of(self, array: Any) -> tuple[int, ...]:
        return tuple(array.shape)

    def copy(self, array: Any) -> Any:
        return np.array(array)


Smallest.kernels.add("double", lambda x: x * 2.0)


def test_four_methods_are_enough() -> None:
    backend = Smallest()
    assert (backend.device, backend.supports("float32")) == ("cpu", None)
    target = np.zeros(2)
    backend.overwrite(target, np.ones(2))
    assert target.tolist() == [1.0, 1.0]
    backend.synchronize()


def test_programs_run_on_the_interpreter() -> None:
    spec = Spec((2,), "float64")
    program = Program(slots=(spec, spec), inputs=(0,), instructions=(Instruction("double", (0,), (1,)),), outputs=(1,))
    executable = Smallest().load(program)
    assert isinstance(executable, Interpreter)
    assert executable([np.ones(2)], [])[0][0].tolist() == [2.0, 2.0]


def test_without_dlpack_the_way_goes_through_the_host() -> None:
    with pytest.raises(TypeError, match="'smallest' takes no DLPack"):
        Smallest().from_dlpack(np.ones(1))


def test_a_method_left_out_is_noticed() -> None:
    class Incomplete(Backend):
        name = "incomplete"
        kernels = KernelTable()

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()  # type: ignore[abstract]
