"""Programs as data: printed, checked and compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lamina.errors import ReplayError
from lamina.program import Instruction, Program, to_source
from lamina.shapes import Spec

S = Spec((2,), "float32")
SCALAR = Spec((), "float32")


def _program() -> Program:
    """state <- state + input * 2; returns both parts of the split input."""
    return Program(
        slots=(S, S, SCALAR, S, S, Spec((1,), "float32"), Spec((1,), "float32")),
        inputs=(0,),
        state=(1,),
        constants={2: np.array(2.0, np.float32)},
        instructions=(
            Instruction("multiply", (0, 2), (3,)),
            Instruction("add", (1, 3), (4,)),
            Instruction("split", (0,), (5, 6), {"sizes": (1, 1), "axis": 0}, "view"),
        ),
        outputs=(5, 6),
        writes=((0, 4),),
    )


def test_it_prints_as_it_is() -> None:
    assert str(_program()) == "\n".join([
        "input  %0: float32[2]",
        "state  %1: float32[2]",
        "const  %2: float32[] = 2.0",
        "%3 = multiply(%0, %2)                                        # float32[2]",
        "%4 = add(%1, %3)                                             # float32[2]",
        "%5, %6 = split(%0, sizes=(1, 1), axis=0)                     # float32[1], float32[1]",
        "write  %1 <- %4",
        "output %5, %6",
    ])  # fmt: skip


def test_it_prints_as_source() -> None:
    assert to_source(_program()) == "\n".join([
        "def step(inputs, state):",
        "    s0, = inputs",
        "    s1, = state",
        "    s3 = multiply(s0, s2)",
        "    s4 = add(s1, s3)",
        "    s5, s6 = split(s0, sizes=(1, 1), axis=0)",
        "    return [s5, s6], [s4]",
    ])  # fmt: skip


def test_a_sound_program_checks() -> None:
    program = _program()
    assert program.check() is program


def test_a_slot_read_before_it_is_set() -> None:
    program = _program()
    with pytest.raises(ReplayError, match=r"'%4 = add\(%1, %3\)' reads %3 before it is set"):
        program.with_instructions(list(program.instructions[1:])).check()


def test_a_slot_set_twice() -> None:
    program = _program()
    with pytest.raises(ReplayError, match="sets %3 a second time"):
        program.with_instructions([program.instructions[0], *program.instructions]).check()


def test_a_result_that_nothing_sets() -> None:
    program = _program()
    with pytest.raises(ReplayError, match="returns %5, which nothing sets"):
        program.with_instructions(list(program.instructions[:2])).check()


class TestFirstDifference:
    def test_none(self) -> None:
        assert _program().first_difference(_program()) is None

    def test_another_setting(self) -> None:
        program = _program()
        other = Instruction("split", (0,), (5, 6), {"sizes": (1, 1), "axis": 1}, "view")
        assert program.first_difference(program.with_instructions([*program.instructions[:2], other])) == (
            "'%5, %6 = split(%0, sizes=(1, 1), axis=0)' became '%5, %6 = split(%0, sizes=(1, 1), axis=1)'"
        )

    def test_a_setting_that_is_not_a_number_is_equal_to_itself(self) -> None:
        nan = [Instruction("full", (), (0,), {"fill_value": float("nan")}) for _ in range(2)]
        first, second = (Program(slots=(S,), instructions=(i,), outputs=(0,)) for i in nan)
        assert first.first_difference(second) is None

    @pytest.mark.parametrize("values", [(1, True), (1, 1.0), (0.0, -0.0)])
    def test_numbers_that_compare_equal_may_still_differ(self, values: tuple[float, float]) -> None:
        made = [Instruction("full", (), (0,), {"fill_value": v}) for v in values]
        first, second = (Program(slots=(S,), instructions=(i,), outputs=(0,)) for i in made)
        assert first.first_difference(second) is not None

    def test_one_instruction_more(self) -> None:
        program = _program()
        shorter = program.with_instructions(list(program.instructions[:2]))
        expected = "the first extra is '%5, %6 = split(%0, sizes=(1, 1), axis=0)'"
        assert shorter.first_difference(program) == f"2 instructions became 3; {expected}"
        assert program.first_difference(shorter) == f"3 instructions became 2; {expected}"

    def test_another_constant(self) -> None:
        program = _program()
        other = replace(program, constants={2: np.array(3.0, np.float32)})
        found = program.first_difference(other)
        assert found is not None
        assert found.startswith("the constant %2 changed from array(2.")
        assert found.endswith("read by '%3 = multiply(%0, %2)'")

    def test_other_inputs_or_results(self) -> None:
        program = _program()
        assert program.first_difference(replace(program, outputs=(6, 5))) == "what it returns or assigns changed"
        slots = (Spec((3,), "float32"), *program.slots[1:])
        assert program.first_difference(replace(program, slots=slots)) == "the inputs or Variables it reads changed"


def test_last_uses() -> None:
    assert _program().last_uses() == {0: 2, 2: 0, 1: 1, 3: 1, 5: 3, 6: 3, 4: 3}
