"""The loop over time: a cell's steps one after the other, with masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from lamina import ops
from lamina.layers.recurrent.cell import DropoutRNNCell, StepCell
from lamina.layers.recurrent.stacked import called
from lamina.layers.recurrent.states import kept
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten, unflatten

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


class Passed(NamedTuple):
    """What came of a sequence: the outputs in the order of the steps, and the last states."""

    outputs: list[Tensor]
    states: Any


def run_cell(
    cell: Any, x: Tensor, states: Any, mask: Tensor | None, *, training: bool, backwards: bool, zeros: bool
) -> Passed:
    """A cell over the steps of x, of shape (batch, time, ...).

    Where ``mask``, of shape (batch, time) or (batch, time, 1), is False, states stay as they are, and the output is
    that of the step before, at the first step the first state; or 0 with ``zeros``. Masks for dropout are the same for
    all steps.
    """
    with ExitStack() as stack:
        for one in dropping_cells(cell):
            stack.enter_context(one.one_sequence())
        steps, step = _prepared(cell, x, training)
        order = range(len(steps))
        keeps: Sequence[Any] = [None] * len(steps) if mask is None else ops.unstack(mask, 1)
        outputs: list[Tensor] = []
        for t in reversed(order) if backwards else order:
            output, new = step(steps[t], states)
            if keeps[t] is not None:
                output, new = _masked(keeps[t], output, new, states, outputs, zeros)
            outputs.append(output)
            states = new
    return Passed(outputs, states)


def dropping_cells(cell: Any) -> list[DropoutRNNCell]:
    """The cell, or the cells in it, that may drop."""
    found = [cell] if isinstance(cell, DropoutRNNCell) else []
    return found + [one for inner in getattr(cell, "sublayers", list)() for one in dropping_cells(inner)]


def _prepared(cell: Any, x: Tensor, training: bool) -> tuple[Sequence[Tensor], Step]:
    """What each step takes, and the step. What the inputs of a built-in cell give is computed for all steps at once."""
    if not isinstance(cell, StepCell) or type(cell).call is not StepCell.call:
        return ops.unstack(x, 1), lambda step_input, states: called(cell, step_input, states, training)
    drop = cell.get_dropout_mask(x[:, 0]) if training and cell.dropout else None
    x = x if drop is None else x * ops.expand_dims(drop, 1)
    return ops.unstack(cell.project(x), 1), lambda projected, states: cell.step(projected, states, training)


def _masked(
    keep: Tensor, output: Tensor, new: Any, states: Any, outputs: list[Tensor], zeros: bool
) -> tuple[Tensor, Any]:
    """The output and the states of a step that counts only where ``keep`` is True."""
    leaves = [kept(keep, one, other) for one, other in zip(flatten(new), flatten(states), strict=True)]
    place = next((i for i, one in enumerate(flatten(new)) if one is output), None)
    if zeros:
        output = kept(keep, output, ops.zeros_like(output))
    elif place is not None:
        output = leaves[place]
    else:
        before = outputs[-1] if outputs else _first_output(output, states)
        output = kept(keep, output, before)
    return output, unflatten(states, iter(leaves))


def _first_output(output: Tensor, states: Any) -> Tensor:
    """What stands for an output before the first: the first state if it can be one, else zeros."""
    first = flatten(states[-1] if isinstance(states[0], (list, tuple)) else states)[0]
    return first if first.shape == output.shape else ops.zeros_like(output)
