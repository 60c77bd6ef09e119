"""Cells of the kind that users write, as the recorded layers of Keras hold them; their classes are in no library."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.layers import RNNCell
from lamina.layers.recurrent import DropoutRNNCell
from lamina.layers.weights import random_stream


class OneStateRNNCell(RNNCell):
    """y = x @ kernel + state @ recurrent_kernel; the output is the state."""

    recurrent_kernels: tuple[str, ...] = ("recurrent_kernel",)

    def __init__(self, units: int, state_size: Any = None, **common: Any) -> None:
        super().__init__(**common)
        self.units = units
        self.given = state_size
        self.state_size = state_size or self.states_of(units)
        self.output_size = units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "state_size": self.given}

    @staticmethod
    def states_of(units: int) -> Any:
        """The sizes of the states if they are not given."""
        return units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent = [self.add_weight((self.units,) * 2, name=name) for name in self.recurrent_kernels]

    def call(self, inputs: Any, states: Any) -> Any:
        projected = ops.matmul(inputs, self.kernel)
        new = [projected + ops.matmul(states[0], kernel) for kernel in self.recurrent]
        return sum(new[1:], new[0]), new


class TwoStatesRNNCell(OneStateRNNCell):
    """Two such states, both made from the first, whose sum is the output."""

    recurrent_kernels = ("recurrent_kernel_1", "recurrent_kernel_2")

    @staticmethod
    def states_of(units: int) -> Any:
        return [units, units]


class RNNCellWithDropout(DropoutRNNCell, OneStateRNNCell):
    """One state, with dropout."""

    def __init__(self, units: int, dropout: float, recurrent_dropout: float, seed: int, **common: Any) -> None:
        super().__init__(units, **common)
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        self.seed_generator = random_stream(seed, self.name)

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        if training:
            inputs = inputs * self.get_dropout_mask(inputs)
            states = [h * self.get_recurrent_dropout_mask(h) for h in states]
        return super().call(inputs, states)


CELLS: Final = {cell.__name__: cell for cell in (OneStateRNNCell, TwoStatesRNNCell, RNNCellWithDropout)}
