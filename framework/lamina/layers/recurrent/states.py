"""The states of cells: their form, zeros of it, and how those that are given are brought into it.

A cell with one state has it in a list of one. Stacked cells have a list for each cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten, map_structure, unflatten


def state_sizes(cell: Any) -> list[Any]:
    """The form of a cell's states as nested lists of sizes."""
    return as_list(_lists(cell.state_size))


def _lists(sizes: Any) -> Any:
    return [_lists(size) for size in sizes] if isinstance(sizes, (list, tuple)) else sizes


def as_list(value: Any) -> list[Any]:
    """A list or tuple as a list, anything else as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_given(inputs: Any, found: tuple[Any, Any]) -> Any:
    """What a cell returns, the output and the states; in one flat list if the states came in a list with the input."""
    return flatten(list(found)) if isinstance(inputs, list) else found


def zero_states(state_size: Any, batch_size: int, dtype: str) -> list[Any]:
    """Zeros of shape (batch_size, size) in the form of ``state_size``."""
    found: list[Any] = map_structure(lambda size: ops.zeros((batch_size, size), dtype), as_list(state_size))
    return found


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """``function`` of each shape (a tuple, or a size) in nested lists."""
    return [map_shapes(function, one) for one in shapes] if isinstance(shapes, list) else function(shapes)


def shape_leaves(shapes: Any) -> list[tuple[Any, ...]]:
    """The shapes in nested lists, in order."""
    return [leaf for one in shapes for leaf in shape_leaves(one)] if isinstance(shapes, list) else [tuple(shapes)]


def state_shapes(cell: Any, step_shape: tuple[Any, ...]) -> list[Any]:
    """The shapes of a cell's states without the batch, in their form, for one step's input without the batch."""
    if hasattr(cell, "state_shapes"):
        return list(cell.state_shapes(step_shape))
    found: list[Any] = map_shapes(lambda size: (size,), state_sizes(cell))
    return found


def apart(sequences: Any, initial_state: Any) -> tuple[Any, Any]:
    """The sequence and the initial states, which may follow it in a list; None if there are none. Also for shapes."""
    if not isinstance(sequences, list) or all(isinstance(one, int) or one is None for one in sequences):
        return (tuple(sequences) if isinstance(sequences, list) else sequences), initial_state
    return sequences[0], sequences[1:] or None if initial_state is None else initial_state


def in_form(given: Any, form: Any, owner: Any) -> Any:
    """States that were given one by one, flat or nested, in the form of the cell's."""
    leaves = flatten(given)
    wanted = flatten(form)
    if len(leaves) != len(wanted):
        raise ArgumentError(
            f"{type(owner).__name__} got {len(leaves)} initial state{'' if len(leaves) == 1 else 's'}.",
            expected=f"{len(wanted)}, one for each state of its cell.",
        )
    return unflatten(form, iter(leaves))


def check_states(given: Any, shapes: list[tuple[Any, ...]], owner: Any) -> None:
    """Refuses initial states by their shapes, if they do not fit in number or sizes; unknown sizes are None."""
    found = [tuple(shape) for shape in given]
    if len(found) != len(shapes):
        raise ArgumentError(
            f"{type(owner).__name__} got {len(found)} initial state{'' if len(found) == 1 else 's'}.",
            expected=f"{len(shapes)}, one for each state of its cell.",
        )
    for shape, wanted in zip(found, shapes, strict=True):
        fits = len(shape) == len(wanted) and all(
            None in pair or pair[0] == pair[1] for pair in zip(shape, wanted, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"{type(owner).__name__} got initial states of shapes {', '.join(map(str, found))}.",
                expected=f"{', '.join(map(str, shapes))}.",
            )


def kept(keep: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """``new`` for the examples where ``keep``, of shape (batch,), is True, and ``old`` for the others."""
    return ops.where(ops.reshape(keep, (-1, *(1,) * (new.ndim - 1))), new, old)
