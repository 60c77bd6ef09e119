"""The rewrite "met-by-pools": a convolution leaves out the last rows and columns that no window of a pool meets.

Of 11 by 11 a pool of 2 by 2 takes 10 by 10, so a sixth of the convolution and of its gradients would be for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from lamina.program import Instruction, Program
from lamina.shapes import Shape, Spec

_FORWARD: Final = ["window_max"]
_PLACES: Final = {"convolution_kernel_gradient": 1, "convolution_input_gradient": 0}
"""Gradients of convolutions, which take any size of dy, and the place of dy among their arguments."""


class _Pooled(NamedTuple):
    """What a pool meets of a convolution: the sizes, how much of the image they need, and which slots have them."""

    sizes: Shape
    needed: Shape
    smaller: tuple[int, ...]


def met_by_pools(program: Program) -> Program:
    """The program whose convolutions before pools compute what windows meet and no more."""
    users: dict[int, list[int]] = {}
    for index, instruction in enumerate(program.instructions):
        for slot in instruction.inputs:
            users.setdefault(slot, []).append(index)
    slots: list[Spec] = list(program.slots)
    found: list[Instruction] = []
    for index, instruction in enumerate(program.instructions):
        pooled = _pooled(program, index, users) if instruction.op == "convolution" else None
        found += _cut(instruction, pooled, slots) if pooled else [instruction]
    return replace(program, slots=tuple(slots)).with_instructions(found)


def _pooled(program: Program, index: int, users: dict[int, list[int]]) -> _Pooled | None:
    """What is known of a convolution that only a pool and its gradient look at, if they leave something out."""
    instructions, slots = program.instructions, program.slots
    convolution = instructions[index]
    (y,) = convolution.outputs
    readers = [instructions[i] for i in users.get(y, [])]
    if y in program.results() or [i.op for i in readers] not in (_FORWARD, [*_FORWARD, "window_max_gradient"]):
        return None
    pool, *gradients = readers
    sizes = _met(pool, slots[pool.outputs[0]].shape[1:-1])
    if sizes is None or sizes == slots[y].shape[1:-1]:
        return None
    if not all(_is_for_convolutions(program, gradient, y, users) for gradient in gradients):
        return None
    attrs = convolution.attrs
    axes = zip(
        sizes, slots[convolution.inputs[1]].shape, attrs["strides"], attrs["dilations"], attrs["pads"], strict=False
    )
    needed = tuple((n - 1) * stride + (size - 1) * gap + 1 - before for n, size, stride, gap, (before, _) in axes)
    return _Pooled(sizes, needed, (y, *(g.outputs[0] for g in gradients))) if min(needed) > 0 else None


def _met(pool: Instruction, output: Shape) -> Shape | None:
    """How many elements along each axis some window meets; None where the pool has a border."""
    attrs = pool.attrs
    if any(map(any, attrs["pads"])):
        return None
    axes = zip(output, attrs["window"], attrs["strides"], attrs["dilations"], strict=True)
    return tuple((n - 1) * stride + (window - 1) * gap + 1 for n, window, stride, gap in axes)


def _is_for_convolutions(program: Program, gradient: Instruction, y: int, users: dict[int, list[int]]) -> bool:
    """Whether the gradient of a pool of ``y`` goes to gradients of convolutions alone, which take any size of it."""
    (dx,) = gradient.outputs
    readers = [program.instructions[i] for i in users.get(dx, [])]
    alone = all(i.inputs.count(dx) == 1 and i.inputs[_PLACES.get(i.op, 0)] == dx for i in readers)
    only = all(i.op in _PLACES for i in readers) and dx not in program.results()
    return alone and only and gradient.inputs[1] == y and y not in (gradient.inputs[0], gradient.inputs[2])


def _cut(convolution: Instruction, pooled: _Pooled, slots: list[Spec]) -> list[Instruction]:
    """The convolution of as much of the image as windows of the pool need; sets the sizes of what becomes smaller."""
    x, kernel = convolution.inputs
    part, pads = len(slots), []
    key = [(0, n, 1) for n in slots[x].shape]
    for axis, (needed, (before, _)) in enumerate(zip(pooled.needed, convolution.attrs["pads"], strict=True), start=1):
        size = slots[x].shape[axis]
        key[axis] = (0, min(size, needed), 1)
        pads.append((before, max(0, needed - size)))
    slots.append(Spec(tuple(end for _, end, _ in key), slots[x].dtype))
    for slot in pooled.smaller:
        spec = slots[slot]
        slots[slot] = Spec((spec.shape[0], *pooled.sizes, spec.shape[-1]), spec.dtype)
    attrs = {**convolution.attrs, "pads": tuple(pads)}
    return [
        Instruction("basic_index", (x,), (part,), {"key": tuple(key)}, "view"),
        replace(convolution, inputs=(part, kernel), attrs=attrs),
    ]
