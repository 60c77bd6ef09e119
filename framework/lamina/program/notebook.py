"""Programs as HTML, for notebooks: a row for each instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lamina.markup import table, titled

if TYPE_CHECKING:
    from lamina.program.program import Program

_MOST: Final = 200


def program_html(program: Program) -> str:
    """A table of what is given, computed, written and returned, and how often each op is called."""
    rows = [("input", f"%{slot}", "", _spec(program, slot)) for slot in program.inputs]
    rows += [("state", f"%{slot}", "", _spec(program, slot)) for slot in program.state]
    rows += [("constant", f"%{slot}", "", _spec(program, slot)) for slot in program.constants]
    for each in program.instructions:
        left, _, right = str(each).partition(" = ")
        rows.append((each.op, left, right, ", ".join(_spec(program, slot) for slot in each.outputs)))
    rows += [("write", f"%{program.state[index]}", f"%{slot}", "") for index, slot in program.writes]
    rows += [("output", f"%{slot}", "", "") for slot in program.outputs]
    more = f"{len(rows) - _MOST} more rows are not shown.\n" if len(rows) > _MOST else ""
    calls = program.ops()
    title = f"Program of {len(program.instructions)} instructions"
    return titled(title, table(["", "slot", "computed by", "shape"], rows[:_MOST]), more + calls)


def _spec(program: Program, slot: int) -> str:
    spec = program.slots[slot]
    return f"{spec.dtype}{list(spec.shape)}"
