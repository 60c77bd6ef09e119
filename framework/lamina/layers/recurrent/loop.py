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
    """What came of a sequence: the outputs in the order of the steps, one by one or as one tensor; the last states."""

    outputs: list[Tensor] | Tensor
    states: Any

    def sequence(self) -> Tensor:
        """All outputs, the time after the batch."""
        return self.outputs if isinstance(self.outputs, Tensor) else ops.stack(self.outputs, 1)

    def last(self) -> Tensor:
        """The output of the last step."""
        return self.outputs[:, -1] if isinstance(self.outputs, Tensor) else self.outputs[-1]


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
        if _is_ours(cell) and cell.runs_at_once(x, training, mask is not None):
            return _at_once(cell, _dropped(cell, x, training), states, mask, backwards, zeros)
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


def _at_once(cell: StepCell, x: Tensor, states: Any, mask: Tensor | None, backwards: bool, zeros: bool) -> Passed:
    """All steps in one call of an op."""
    keep = None if mask is None else ops.reshape(mask, x.shape[:2])
    if backwards:
        x, keep = ops.flip(x, 1), None if keep is None else ops.flip(keep, 1)
    outputs, states = cell.all_steps(x, states, keep)
    if zeros and keep is not None:
        outputs = ops.where(ops.expand_dims(keep, 2), outputs, 0.0)
    return Passed(outputs, states)


def dropping_cells(cell: Any) -> list[DropoutRNNCell]:
    """The cell, or the cells in it, that may drop."""
    found = [cell] if isinstance(cell, DropoutRNNCell) else []
    return found + [one for inner in getattr(cell, "sublayers", list)() for one in dropping_cells(inner)]


def _prepared(cell: Any, x: Tensor, training: bool) -> tuple[Sequence[Tensor], Step]:
    """What each step takes, and the step. What the inputs of a built-in cell give is computed for all steps at once."""
    if not _is_ours(cell):
        return ops.unstack(x, 1), lambda step_input, states: called(cell, step_input, states, training)
    projected = cell.project(_dropped(cell, x, training))
    return ops.unstack(projected, 1), lambda step_input, states: cell.step(step_input, states, training)


def _is_ours(cell: Any) -> bool:
    """Whether a cell does its steps as the built-in ones do."""
    return isinstance(cell, StepCell) and type(cell).call is StepCell.call


def _dropped(cell: StepCell, x: Tensor, training: bool) -> Tensor:
    """The inputs after dropout, the same for all steps."""
    mask = cell.get_dropout_mask(x[:, 0]) if training and cell.dropout else None
    return x if mask is None else x * ops.expand_dims(mask, 1)


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
