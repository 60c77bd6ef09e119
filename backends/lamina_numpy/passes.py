"""Rewrites of a program for NumPy: what is done better together, or with what an earlier instruction left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from lamina.program import Instruction, Program
from lamina.program.passes import is_on
from lamina.shapes import Spec
from lamina_numpy.kernels import gru, lstm
from lamina_numpy.met_by_pools import met_by_pools
from lamina_numpy.pools_first import pools_first


def rewritten(program: Program) -> Program:
    """The program after all rewrites that are on."""
    for name, rewrite in REWRITES.items():
        if is_on(name):
            program = rewrite(program)
    return program.check()


class _Layer(NamedTuple):
    """A layer over time as one op: how many results it has, and the shapes of what its steps leave."""

    results: int
    kept: Callable[..., tuple[Spec, ...]]


_LAYERS: Final = {
    f"{prefix}{op}": layer
    for prefix in ("", "masked_")
    for op, layer in (("lstm", _Layer(2, lstm.kept_specs)), ("gru", _Layer(1, gru.kept_specs)))
}
_BACK: Final = {f"{op}_gradient": op for op in _LAYERS}


def keep_steps(program: Program) -> Program:
    """Lets a layer over time keep what its steps leave for its gradient, which else computes them anew."""
    slots: list[Spec] = list(program.slots)
    read = {s for i in program.instructions for s in i.inputs} | set(program.results())
    wanted = {_steps(i) for i in program.instructions if i.op in _BACK}
    kept: dict[Any, tuple[int, ...]] = {}
    found: list[Instruction] = []
    for instruction in program.instructions:
        given, steps = instruction.inputs, _steps(instruction)
        if instruction.op in _LAYERS and steps in wanted:
            start = len(slots)
            slots += _LAYERS[instruction.op].kept(slots[given[0]], slots[given[4]], **instruction.attrs)
            kept[steps] = tuple(range(start, len(slots)))
            instruction = replace(
                instruction, op=f"{instruction.op}_kept", outputs=(*instruction.outputs, *kept[steps]), in_tuple=True
            )
        elif instruction.op in _BACK and steps in kept:
            whole = instruction.outputs[0] in read
            instruction = replace(
                instruction,
                op=f"{_BACK[instruction.op]}_kept_gradient",
                inputs=(*given, *kept[steps]),
                outputs=instruction.outputs[0 if whole else 1 :],
                attrs={**instruction.attrs, "to_inputs": whole},
            )
        found.append(instruction)
    return replace(program, slots=tuple(slots)).with_instructions(found)


def _steps(instruction: Instruction) -> Any:
    """What a layer over time or its gradient takes, which is the same for both; None for other ops."""
    op = _BACK.get(instruction.op, instruction.op)
    if op not in _LAYERS:
        return None
    given = instruction.inputs[_LAYERS[op].results if instruction.op in _BACK else 0 :]
    return op, given, tuple(instruction.attrs.items())


_LOSSES: Final = {f"{op}_gradient": op for op in ("class_cross_entropy", "class_log_loss")}


def keep_slopes(program: Program) -> Program:
    """Lets a cross entropy of class numbers give its slopes too: its gradient is a product with them."""
    slots: list[Spec] = list(program.slots)
    made = {s: i for i in program.instructions for s in i.outputs}
    wanted = {_loss(i) for i in program.instructions if i.op in _LOSSES}
    kept: dict[Any, int] = {}
    found: list[Instruction] = []
    for instruction in program.instructions:
        op, given, loss = instruction.op, instruction.inputs, _loss(instruction)
        if op not in _LOSSES and loss in wanted:
            kept[loss] = len(slots)
            slots.append(slots[given[1]])
            attrs = {**instruction.attrs, "slopes": True}
            found.append(replace(instruction, outputs=(*instruction.outputs, kept[loss]), attrs=attrs, in_tuple=True))
        elif op in _LOSSES and loss in kept:
            by = _only_number(given[0], made, program.slots)
            if by is None:
                by, spec = len(slots), slots[given[0]]
                slots.append(Spec((*spec.shape, 1), spec.dtype))
                found.append(Instruction("reshape", given[:1], (by,), {"shape": slots[by].shape}, "view"))
            found.append(Instruction("multiply", (kept[loss], by), instruction.outputs))
        else:
            found.append(instruction)
    return replace(program, slots=tuple(slots)).with_instructions(found)


def _loss(instruction: Instruction) -> Any:
    """What a loss of class numbers or its gradient takes, which is the same for both."""
    back = instruction.op in _LOSSES
    given = instruction.inputs[1:] if back else instruction.inputs
    return _LOSSES.get(instruction.op, instruction.op), given, repr(instruction.attrs)


def _only_number(slot: int, made: Mapping[int, Instruction], slots: Sequence[Spec]) -> int | None:
    """The slot of the number of which all elements of a slot are copies; None if there may be several."""
    while slots[slot].shape:
        maker = made.get(slot)
        if maker is None or maker.op not in ("reshape", "broadcast_to"):
            return None
        slot = maker.inputs[0]
    return slot


REWRITES = {
    "kept-slopes": keep_slopes,
    "kept-steps": keep_steps,
    "pools-first": pools_first,
    "met-by-pools": met_by_pools,
}
"""By the names that ``LAMINA_WITHOUT`` knows them by."""
