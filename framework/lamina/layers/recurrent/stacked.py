"""Cells on top of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.layers.layer import Layer
from lamina.layers.recurrent.cell import RNNCell
from lamina.layers.recurrent.states import apart, as_given, as_list, in_form, state_sizes, zero_states
from lamina.layers.wrapper import build_inside
from lamina.serialization import deserialize
from lamina.structures import flatten


class StackedRNNCells(RNNCell):
    """Cells as one cell: the output of each is the input of the next.

    States are in a list with that of each cell: ``call(inputs, states)`` takes (batch, features) and such a list, and
    returns the last cell's output and the next states. Weights are those of the cells, under ``RNNCell_0``,
    ``RNNCell_1`` and so on. As Keras (TensorFlow.js has the states flat, the last cell's first). Raises
    ArgumentTypeError for what is no cell.

    >>> import lamina
    >>> cell = StackedRNNCells([lamina.layers.LSTMCell(4), lamina.layers.GRUCell(3)])
    >>> cell.state_size, cell.output_size
    ([[4, 4], 3], 3)
    """

    def __init__(self, cells: Sequence[Any], **common: Any) -> None:
        if not isinstance(cells, (list, tuple)):
            raise ArgumentTypeError(f"cells is {cells!r}.", expected="a list of cells.")
        if not cells:
            raise ArgumentError("cells is empty.", expected="at least one cell.")
        made = [as_cell(cell, "StackedRNNCells") for cell in cells]
        common.setdefault("dtype", getattr(made[0], "dtype", None))
        super().__init__(**common)
        self.cells = made

    @property
    def state_size(self) -> Any:
        """The number of features of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The number of features of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        shape = tuple(apart(input_shape, None)[0])
        for number, cell in enumerate(self.cells):
            if isinstance(cell, Layer):
                cell.check_input(shape)
                build_inside(self, cell, shape, f"RNNCell_{number}")
            elif hasattr(cell, "build"):
                cell.build(shape)
            shape = (shape[0], *as_list(output_size(cell)))

    def get_initial_state(self, batch_size: int) -> list[Any]:
        found = []
        for cell in self.cells:
            own = getattr(cell, "get_initial_state", None)
            found.append(own(batch_size=batch_size) if own else zero_states(cell.state_size, batch_size, self.dtype))
        return list(in_form(found, state_sizes(self), self))

    def call(self, inputs: Any, states: Any = None, training: bool = False) -> Any:
        """One step of every cell. States may also follow the input in a list, and then come back so."""
        x, given = apart(inputs, states)
        given = self.get_initial_state(x.shape[0]) if given is None else given
        given = in_form(given, state_sizes(self), self)
        new = []
        for cell, one in zip(self.cells, given, strict=True):
            x, after = called(cell, x, as_list(one), training)
            new.append(after)
        return as_given(inputs, (x, in_form(new, state_sizes(self), self)))


def called(cell: Any, step_input: Any, states: Any, training: bool) -> tuple[Any, Any]:
    """A step of any cell, its states in a list."""
    call = cell if callable(cell) else cell.call
    takes = getattr(cell, "takes", None)
    settings = {"training": training} if takes is not None and takes("training") else {}
    output, new = call(step_input, states, **settings)
    return output, as_list(new)


def output_size(cell: Any) -> Any:
    """The number of features of a cell's output: its first state's, if it does not say."""
    size = getattr(cell, "output_size", None)
    return flatten(cell.state_size)[0] if size is None else size


def as_cell(cell: Any, owner: str) -> Any:
    """A cell from an object or a config. Raises ArgumentTypeError for what cannot be one."""
    if isinstance(cell, Mapping):
        cell = deserialize("layers", cell, Layer)
    missing = [name for name in ("call", "state_size") if not hasattr(cell, name)]
    if missing or isinstance(cell, type):
        raise ArgumentTypeError(
            f"{owner} was given {cell!r} as a cell{f', which has no {missing[0]}' if missing else ''}.",
            expected="an object with call(inputs, states) and state_size, such as LSTMCell(10).",
        )
    return cell
