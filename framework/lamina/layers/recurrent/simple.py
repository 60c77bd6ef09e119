"""The simplest recurrent layer: its output is its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.layers.recurrent.cell import StepCell, UnitsCell
from lamina.layers.recurrent.own_cell import OwnCellRNN
from lamina.runtime.tensor import Tensor


class SimpleRNNCell(UnitsCell):
    """One step of ``SimpleRNN``: h = activation(x @ kernel + h @ recurrent_kernel + bias).

    ``call(inputs, states)`` takes (batch, features) and [h], and returns h and [h]. Weights: ``kernel`` (features,
    units), ``recurrent_kernel`` (units, units), ``bias`` (units,). Settings are those of ``UnitsCell``. As Keras. The
    settings of the weights and of dropout are those of ``StepCell``, which says what is raised.

    >>> cell = SimpleRNNCell(2, kernel_initializer="ones", activation="linear")
    >>> h, states = cell(ops.ones((1, 3)), [ops.zeros((1, 2))])
    >>> h.tolist()
    [[3.0, 3.0]]
    """

    def step(self, projected: Tensor, states: Sequence[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        h = self.dropped_state(states[0], training)
        y: Tensor = self.activation(projected + ops.matmul(h, self.recurrent_kernel))
        return y, [y]


class SimpleRNN(OwnCellRNN):
    """Fully connected recurrent layer: h = activation(x_t @ kernel + h @ recurrent_kernel + bias) (Elman 1990).

    Input (batch, time, features); output (batch, units), or (batch, time, units) with ``return_sequences``. Weights as
    of ``SimpleRNNCell``; settings are its own and those of ``RNN``. As Keras. The settings of the weights and of
    dropout are those of ``StepCell``. Raises ShapeError for an input of other than three axes, ArgumentError for states
    or settings that do not fit.

    >>> SimpleRNN(4)(ops.zeros((2, 3, 5))).shape
    (2, 4)
    """

    cell_class: ClassVar[type[StepCell]] = SimpleRNNCell

    def __init__(self, units: int, activation: Any = "tanh", use_bias: bool = True, **common: Any) -> None:
        super().__init__(units=units, activation=activation, use_bias=use_bias, **common)
