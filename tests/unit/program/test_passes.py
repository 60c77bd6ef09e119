"""Passes keep what a program means."""

from __future__ import annotations

import numpy as np

from lamina.program import Instruction, Program, drop_dead, optimize, share_common
from lamina.program.passes import lifetimes, view_bases
from lamina.shapes import Spec

S = Spec((2, 2), "float32")


def _program(*instructions: Instruction, outputs: tuple[int, ...], **options: object) -> Program:
    return Program(slots=(S,) * 10, inputs=(0,), instructions=instructions, outputs=outputs, **options)  # type: ignore[arg-type]


def _ops(program: Program) -> list[str]:
    return [i.op for i in program.instructions]


def test_dead_instructions_and_constants_go() -> None:
    constants = {8: np.ones((2, 2), np.float32), 9: np.zeros((2, 2), np.float32)}
    program = _program(
        Instruction("exp", (0,), (1,)),
        Instruction("add", (1, 9), (2,)),
        Instruction("multiply", (0, 8), (3,)),
        outputs=(3,),
        constants=constants,
    )
    kept = drop_dead(program)
    assert _ops(kept) == ["multiply"]
    assert set(kept.constants) == {8}


def test_what_is_written_stays() -> None:
    program = _program(Instruction("exp", (0,), (1,)), outputs=(), state=(5,), writes=((0, 1),))
    assert _ops(drop_dead(program)) == ["exp"]


def test_an_instruction_of_which_one_result_is_used_stays() -> None:
    program = _program(Instruction("split", (0,), (1, 2), {"sizes": (1, 1)}, "view"), outputs=(2,))
    assert _ops(drop_dead(program)) == ["split"]


def test_repeated_instructions_are_shared() -> None:
    program = _program(
        Instruction("exp", (0,), (1,)),
        Instruction("exp", (0,), (2,)),
        Instruction("add", (1, 1), (3,)),
        Instruction("add", (1, 2), (4,)),
        outputs=(3, 4),
        state=(5,),
        writes=((0, 4),),
    )
    shared = share_common(program)
    assert [str(i) for i in shared.instructions] == ["%1 = exp(%0)", "%3 = add(%1, %1)"]
    assert (shared.outputs, shared.writes) == ((3, 3), ((0, 3),))


def test_other_settings_are_not_shared() -> None:
    program = _program(
        Instruction("sum", (0,), (1,), {"axis": (0,)}),
        Instruction("sum", (0,), (2,), {"axis": (1,)}),
        Instruction("full", (), (3,), {"fill_value": 1}),
        Instruction("full", (), (4,), {"fill_value": True}),
        outputs=(1, 2, 3, 4),
    )
    assert len(share_common(program).instructions) == 4


def test_random_instructions_are_never_shared() -> None:
    program = _program(
        Instruction("random_uniform", (0,), (1,), {}, "random"),
        Instruction("random_uniform", (0,), (2,), {}, "random"),
        outputs=(1, 2),
    )
    assert len(optimize(program).instructions) == 2


def test_views_share_the_memory_of_their_base() -> None:
    program = _program(
        Instruction("exp", (0,), (1,)),
        Instruction("reshape", (1,), (2,), {"shape": (2, 2)}, "view"),
        Instruction("transpose", (2,), (3,), {"axes": (1, 0)}, "view"),
        Instruction("sin", (0,), (4,)),
        Instruction("add", (3, 4), (5,)),
        outputs=(5,),
    )
    assert view_bases(program) == {2: 1, 3: 1}
    found = lifetimes(program)
    assert found[0] == (-1, 3)
    assert found[1] == (0, 4), "the base lives as long as its last view"
    assert found[3] == (2, 4)
    assert found[5] == (4, 5), "a result lives past the end"


def test_a_slot_that_nothing_reads_ends_where_it_begins() -> None:
    program = _program(Instruction("exp", (0,), (1,)), Instruction("sin", (0,), (2,)), outputs=(2,))
    assert lifetimes(program)[1] == (0, 0)
