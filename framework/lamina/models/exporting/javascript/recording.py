"""Records what a layer computes in inference, at several sizes of what is unknown of its inputs.

Runs the layer on arrays whose values say nothing; composite ops are taken apart into the primitives they are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.dtypes import FLOATING
from lamina.errors import LaminaError, SerializationError
from lamina.layers.layer import Layer
from lamina.layers.symbolic import Node, SymbolicTensor
from lamina.models.exporting.javascript.masks import has_mask
from lamina.models.exporting.javascript.operations import LOOPS
from lamina.models.layouts import Layout
from lamina.program import Program
from lamina.program.passes import drop_dead
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import to_tensor
from lamina.runtime.listeners import KernelCall, listening
from lamina.runtime.op import CompositeOp, Op
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure

MAX_CALLS: Final = 4000
"""A layer that calls more kernels than that, as a loop over many steps does, is not written out."""

SIZES: Final = (
    (36, 50, 19, 56, 17, 58), (57, 20, 39, 54, 18, 16), (22, 40, 23, 59, 13, 45), (27, 52, 43, 29, 46, 33),
    (49, 14, 31, 60, 51, 47), (48, 34, 37, 35, 26, 38), (30, 62, 24, 67, 21, 66), (42, 65, 44, 15, 61, 69),
)  # fmt: skip
"""What stands for unknown sizes, at each recording: even and odd ones, with all remainders by 3 and by 4."""

Place = tuple[int, int]
"""Which axis of which input."""


class Recording(NamedTuple):
    """One call of a layer at each of the sizes: the programs, and their Variables, which are the same in all.

    ``unknown`` are the places of the unknown sizes, each with what stood for it; ``equal`` are those groups of places
    that had to be of one size. ``masked`` says that the first input comes with a mask, which is a further input of the
    programs, ``hands_on`` that the output has this mask.
    """

    programs: list[Program]
    variables: list[Variable]
    unknown: dict[Place, tuple[int, ...]]
    equal: list[list[Place]]
    inputs: list[SymbolicTensor]
    masked: bool
    hands_on: bool


class _Flat(Recorder):
    """Records primitives, and loops over steps: any other composite that ran as a whole is run again as its parts."""

    def on_call(self, call: KernelCall) -> None:
        if not isinstance(call.op, CompositeOp) or self.keeps_whole(call.op):
            super().on_call(call)
            if len(self._instructions) > MAX_CALLS:
                raise SerializationError(
                    f"it calls over {MAX_CALLS} kernels.", fix="give its input fewer steps, or use an unrolled form."
                )
            return
        parts = call.op.__wrapped__(*call.inputs, **call.attrs)
        for whole, part in zip(call.outputs, parts if isinstance(parts, tuple) else (parts,), strict=True):
            self._numbers[whole.uid] = self._number(part)

    def on_gradient(self, call: KernelCall) -> None:
        if self.keeps_whole(call.op):  # its parts were heard before, and are dead now
            super().on_call(call)

    def wants_parts(self, inputs: tuple[Tensor, ...]) -> bool:
        return True

    def keeps_whole(self, op: Op[Any, Any]) -> bool:
        return op.name in LOOPS


def record(layer: Layer, node: Node, layout: Layout) -> Recording:
    """What one of a layer's symbolic calls computes. Raises SerializationError if it cannot be recorded."""
    try:
        return _record(layer, node, layout, apart=True)
    except SerializationError:
        if not any(_unknown_axes(x)[1:] or None in x.shape[1:] for x in layout.tensors):
            raise
        return _record(layer, node, layout, apart=False)


def _record(layer: Layer, node: Node, layout: Layout, apart: bool) -> Recording:
    sizes = dict(_sizes(layout.tensors, apart))
    runs = [_run(layer, node, layout, _at(sizes, number)) for number in range(len(SIZES[0]))]
    variables = runs[0][1]
    groups: dict[tuple[int, ...], list[Place]] = {}
    for place, values in sizes.items():
        groups.setdefault(values, []).append(place)
    equal = [places for places in groups.values() if len(places) > 1]
    programs = [program for program, _, _ in runs]
    return Recording(programs, variables, sizes, equal, layout.tensors, _is_masked(layout), runs[0][2])


def _at(sizes: Mapping[Place, tuple[int, ...]], number: int) -> dict[Place, int]:
    return {place: values[number] for place, values in sizes.items()}


def _unknown_axes(x: SymbolicTensor) -> list[int]:
    return [axis for axis, size in enumerate(x.shape) if size is None]


def _sizes(tensors: Sequence[SymbolicTensor], apart: bool) -> Iterator[tuple[Place, tuple[int, ...]]]:
    """What stands for each unknown size: the batch is one for all inputs; others are too unless they are apart."""
    fresh = count(1)
    shared: dict[int, int] = {0: 0}
    for index, x in enumerate(tensors):
        for axis in _unknown_axes(x):
            if axis == 0:
                number = 0
            else:
                number = next(fresh) if apart or axis not in shared else shared[axis]
                shared.setdefault(axis, number)
            if number >= len(SIZES):
                raise SerializationError("too many sizes of its inputs are unknown.", fix="give shapes in full.")
            yield (index, axis), SIZES[number]


def _is_masked(layout: Layout) -> bool:
    """Whether the first input comes with a mask; TensorFlow.js hands no others to a layer."""
    masked = [has_mask(x) for x in layout.tensors]
    if any(masked[1:]):
        raise SerializationError(
            "masks come with other inputs than its first, which TensorFlow.js hands to no layer.",
            fix="give them as an argument, such as attention_mask, or end them before it.",
        )
    return masked[0] if masked else False


def _run(layer: Layer, node: Node, layout: Layout, sizes: Mapping[Place, int]) -> tuple[Program, list[Variable], bool]:
    backend = next((v.backend for v in layer.weights), get_backend())
    before = list(layer._call_losses)
    with on_backend(backend):
        inputs = [_stand_in(x, index, sizes) for index, x in enumerate(layout.tensors)]
        waiting = iter([inputs[number] for number in layout.order])
        args, kwargs = map_structure(
            lambda x: next(waiting) if isinstance(x, SymbolicTensor) else x, (node.args, node.kwargs)
        )
        masks = _masks(layout, inputs)
        recorder = _Flat([*inputs, *masks])
        try:
            with listening(recorder):
                outputs = flatten(layer(*args, **{**kwargs, **_inference(layer)}))
                program = recorder.program([to_tensor(x) for x in outputs])
        except LaminaError as error:
            raise SerializationError(" ".join(str(error).split("\n")[0].split())) from error
        finally:
            recorder.undo()
            layer._call_losses = before
    return _checked(program, recorder), recorder.variables, _hands_on(outputs, masks)


def _masks(layout: Layout, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The mask of the first input, if it comes with one: it has an entry for each of its rows."""
    if not _is_masked(layout):
        return []
    inputs[0]._mask = to_tensor(np.ones(inputs[0].shape[:-1], bool))
    return [inputs[0]._mask]


def _hands_on(outputs: Sequence[Any], masks: Sequence[Tensor]) -> bool:
    found = [x._mask for x in outputs if isinstance(x, Tensor) and x._mask is not None]
    if any(mask is not given for mask in found for given in masks) or (found and len(outputs) > 1):
        raise SerializationError("its output has a mask of its own.")
    return bool(found)


def _inference(layer: Layer) -> dict[str, Any]:
    return {"training": False} if layer.takes("training") else {}


def _checked(program: Program, recorder: Recorder) -> Program:
    if program.writes:
        raise SerializationError(
            f"each call changes {recorder.variables[program.writes[0][0]].name!r}.", expected="no states."
        )
    if recorder.not_replayable is not None:
        raise SerializationError(f"{recorder.not_replayable}.")
    return _compact(drop_dead(program))


def _compact(program: Program) -> Program:
    """The program with its slots numbered anew: those of dead parts, of which sizes may decide, leave no gaps."""
    made = [slot for instruction in program.instructions for slot in instruction.outputs]
    kept = list(dict.fromkeys([*program.inputs, *program.state, *program.constants, *made]))
    number = {slot: index for index, slot in enumerate(kept)}

    def new(slots: Sequence[int]) -> tuple[int, ...]:
        return tuple(number[slot] for slot in slots)

    return replace(
        program,
        slots=tuple(program.slots[slot] for slot in kept),
        inputs=new(program.inputs),
        state=new(program.state),
        constants={number[slot]: array for slot, array in program.constants.items()},
        instructions=tuple(replace(i, inputs=new(i.inputs), outputs=new(i.outputs)) for i in program.instructions),
        outputs=new(program.outputs),
    )


def _stand_in(x: SymbolicTensor, index: int, sizes: Mapping[Place, int]) -> Tensor:
    shape = tuple(sizes[index, axis] if size is None else size for axis, size in enumerate(x.shape))
    if x.dtype == "string":
        raise SerializationError("it takes strings.")
    values = np.random.default_rng(7).uniform(0.1, 0.9, shape) if x.dtype in FLOATING else np.zeros(shape)
    return to_tensor(values.astype(x.dtype))
