"""The recurrent layer: a cell over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from lamina import ops
from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, NotBuiltError, ShapeError
from lamina.layers.arguments import flag
from lamina.layers.carrying import CarriedStates
from lamina.layers.input_spec import InputSpec
from lamina.layers.layer import Layer
from lamina.layers.recurrent.loop import run_cell
from lamina.layers.recurrent.stacked import StackedRNNCells, as_cell, output_size
from lamina.layers.recurrent.states import (
    apart,
    as_list,
    check_states,
    in_form,
    map_shapes,
    shape_leaves,
    state_shapes,
    state_sizes,
    zero_states,
)
from lamina.layers.wrapper import build_inside
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure, unflatten


class RNN(Layer):
    """Applies a cell to each step of a sequence, the states going from step to step.

    Input (batch, time, features); output (batch, units), or (batch, time, units) with ``return_sequences``; with
    ``return_state`` a list that also has the last states. ``go_backwards`` takes the steps from the last to the first;
    the outputs come in that order too. ``cell`` is a cell, its config, or a list of cells to be stacked; see
    ``RNNCell`` for cells of your own.

    The first states are zeros, or ``initial_state``, or what follows the input in a list. With ``stateful`` they are
    the last states of the batch before, whose size must then be known and stay; ``reset_states`` forgets them.
    Where a mask is False the states stay as they are and the output repeats the one before; it is 0 with
    ``zero_output_for_mask``. ``unroll`` changes nothing: steps are recorded one by one anyway.

    Weights are those of the cell, under the layer's name. States of stacked cells come as one list for each cell, the
    first cell's first (TensorFlow.js gives them flat, the last cell's first). As Keras. Raises ArgumentTypeError for
    what is no cell, ShapeError for an input of fewer than three axes, ArgumentError for states that do not fit.

    >>> import lamina
    >>> cells = [lamina.layers.LSTMCell(4), lamina.layers.GRUCell(3)]
    >>> RNN(cells, return_sequences=True)(lamina.zeros((2, 5, 6))).shape
    (2, 5, 3)
    """

    supports_masking = True
    lends_settings = True
    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {"time_major": (False,), "implementation": (0, 1, 2)}
    sequence_form: ClassVar[str] = "(batch, time, features)"

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **common: Any,
    ) -> None:
        input_length = common.pop("input_length", None)
        if common.get("input_dim") is not None:
            common.setdefault("input_shape", (input_length, common.pop("input_dim")))
        several = isinstance(cell, (list, tuple))
        made = StackedRNNCells(cell) if several else as_cell(cell, type(self).__name__)
        common.setdefault("dtype", getattr(made, "dtype", None))
        super().__init__(**common)
        self.cell: Any = made
        self.return_sequences: bool = flag(return_sequences, "return_sequences")
        self.return_state: bool = flag(return_state, "return_state")
        self.go_backwards: bool = flag(go_backwards, "go_backwards")
        self.stateful: bool = flag(stateful, "stateful")
        self.unroll: bool = flag(unroll, "unroll")
        self.zero_output_for_mask: bool = flag(zero_output_for_mask, "zero_output_for_mask")

    # -- shapes ----------------------------------------------------------------------------------------------------

    def check_input(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape, states = apart(sequences_shape, initial_state_shape)
        self.check_sequence(shape)
        if shape[1] == 0:
            raise ShapeError(f"{type(self).__name__} got an input of shape {shape}.", expected="at least one step.")
        if states is not None:
            wanted = [(shape[0], *state) for state in shape_leaves(state_shapes(self.cell, shape[2:]))]
            check_states(shape_leaves(states), wanted, self)
        if self.stateful:
            self._check_batch(shape)

    def check_sequence(self, shape: Any) -> None:
        """Refuses an input that has no time, or not what the cell was built for."""
        if len(shape) < 3:
            raise ShapeError(
                f"{type(self).__name__} got an input of shape {shape}.",
                expected=f"at least 3 axes: {self.sequence_form}.",
            )
        if isinstance(self.cell, Layer):
            self.cell.check_input((shape[0], *shape[2:]))

    def _check_batch(self, shape: Any) -> None:
        if shape[0] is None and self._carried is None:
            raise ShapeError(
                f"{type(self).__name__} is stateful and got an input of shape {shape}: the batch size is unknown.",
                expected="a fixed number of examples, whose states are carried on.",
                fix="give the input's shape with it: Input(batch_shape=(32, ...)).",
            )
        if self._carried is not None and shape[0] not in (None, self.carried_batch_size):
            raise ShapeError(
                f"{type(self).__name__} is stateful and got a batch of {shape[0]} examples.",
                expected=f"{self.carried_batch_size}, as many as it carries states of.",
                fix="use batches of one size, which divides the number of examples.",
            )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape, _ = apart(sequences_shape, initial_state_shape)
        step_shape = (shape[0], *shape[2:])
        if isinstance(self.cell, Layer):
            build_inside(self, self.cell, step_shape)
        elif hasattr(self.cell, "build"):
            self.cell.build(step_shape)
        if self.stateful:
            zeros = flatten(self._zeros(shape))
            names = [f"{self.weight_scope or self.name}/state_{i}" for i in range(len(zeros))]
            self._carried = CarriedStates([Variable(z, False, name) for z, name in zip(zeros, names, strict=True)])

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the output, or with ``return_state`` the list of those of the output and of the states."""
        shape, _ = apart(sequences_shape, initial_state_shape)
        states = state_shapes(self.cell, shape[2:])
        output = shape_leaves(states)[0] if hasattr(self.cell, "state_shapes") else as_list(output_size(self.cell))
        whole = (shape[0], shape[1], *output) if self.return_sequences else (shape[0], *output)
        return [whole, *map_shapes(lambda state: (shape[0], *state), states)] if self.return_state else whole

    # -- the call --------------------------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x, given = apart(sequences, initial_state)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        x = x if x.dtype in FLOATING else ops.cast(x, self.dtype)
        passed = run_cell(
            self.cell, x, self._first_states(x, given), mask, training=training,
            backwards=self.go_backwards, zeros=self.zero_output_for_mask,
        )  # fmt: skip
        if self._carried is not None:
            for variable, value in zip(self._carried.variables, flatten(passed.states), strict=True):
                variable.assign(ops.stop_gradient(value))
        result = passed.sequence() if self.return_sequences else passed.last()
        return [result, *passed.states] if self.return_state else result

    def _first_states(self, x: Tensor, given: Any) -> Any:
        if given is not None:
            states = map_structure(to_tensor, as_list(given))
            return in_form(states, state_sizes(self.cell), self)
        if self._carried is not None:
            return unflatten(state_sizes(self.cell), iter([v.value for v in self._carried.variables]))
        return self._zeros(x.shape)

    def _zeros(self, shape: Any) -> Any:
        """First states for an input of a shape."""
        if hasattr(self.cell, "state_shapes"):
            return [ops.zeros((shape[0], *s), self.dtype) for s in self.cell.state_shapes(shape[2:])]
        return self.get_initial_state(shape[0])

    def get_initial_state(self, batch_size: Any) -> Any:
        """The states with which a sequence starts if none are given: as the cell says, or zeros.

        ``batch_size`` is the number of examples, or a tensor with so many.
        """
        count = batch_size.shape[0] if hasattr(batch_size, "shape") else batch_size
        if hasattr(self.cell, "get_initial_state"):
            return as_list(self.cell.get_initial_state(batch_size=count))
        return zero_states(self.cell.state_size, count, self.dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        found = mask if self.return_sequences else None
        return [found, *(None for _ in flatten(state_sizes(self.cell)))] if self.return_state else found

    # -- carried states --------------------------------------------------------------------------------------------

    @property
    def states(self) -> Any:
        """The Variables in which states are carried, in the form of the cell's states; None if there are none."""
        return None if self._carried is None else unflatten(state_sizes(self.cell), iter(self._carried.variables))

    @property
    def state_spec(self) -> list[InputSpec]:
        """What states must be like: one for each state of the cell, in order.

        Raises NotBuiltError if that depends on the input, and the layer is not built.
        """
        if self.built_for is None and hasattr(self.cell, "state_shapes"):
            raise NotBuiltError(f"the layer {self.name!r} has no states yet.", fix="call it, or build it.")
        shape = () if self.built_for is None else apart(self.built_for[0], None)[0][2:]
        return [InputSpec(shape=(None, *state)) for state in shape_leaves(state_shapes(self.cell, shape))]

    def get_states(self) -> Any:
        """The carried states as NumPy arrays."""
        return map_structure(lambda v: v.numpy(), self._stateful().states)

    def set_states(self, states: Any) -> None:
        """Replaces the carried states. Raises ArgumentError or ShapeError if they do not fit."""
        variables = flatten(self._stateful().states)
        values = [to_tensor(value) for value in flatten(as_list(states))]
        check_states([v.shape for v in values], [v.shape for v in variables], self)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(ops.cast(value, variable.dtype))

    def reset_states(self, states: Any = None) -> None:
        """Sets the carried states to 0, or to those given."""
        if states is not None:
            self.set_states(states)
        else:
            super(RNN, self._stateful()).reset_states()

    reset_state = reset_states

    def _stateful(self) -> RNN:
        if self._carried is None:
            raise ArgumentError(
                f"the layer {self.name!r} carries no states.", expected="stateful=True, and a layer that is built."
            )
        return self

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a config. TensorFlow.js repeats the settings of the cell beside it: they are passed over."""
        cell = config.get("cell")
        inner = cell.get("config") if isinstance(cell, Mapping) else None
        repeated = set(inner) - set(cls.setting_names()) if isinstance(inner, Mapping) else set()
        return super().from_config({key: value for key, value in config.items() if key not in repeated})
