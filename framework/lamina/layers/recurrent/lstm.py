"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from lamina import ops
from lamina.layers.arguments import flag
from lamina.layers.recurrent.cell import GatedCell, StepCell
from lamina.layers.recurrent.own_cell import OwnCellRNN
from lamina.ops.masked import masked_lstm
from lamina.ops.recurrent import lstm, lstm_sequence
from lamina.runtime.tensor import Tensor

Activation = Callable[[Any], Any]

MANY_STEPS: Final = 200
"""Up to so many, recorded one by one, run faster where the backend has no kernel ``lstm``; beyond, recording them takes
long, and much memory."""


def with_forget_bias(initializer: Any, units: int) -> Callable[..., Tensor]:
    """An initializer of a bias for four gates, with ones for the second, the forget gate (Jozefowicz et al. 2015)."""

    def initial(shape: Any, dtype: str = "float32") -> Tensor:
        first, rest = initializer((units,), dtype=dtype), initializer((2 * units,), dtype=dtype)
        return ops.concatenate([first, ops.ones((units,), dtype), rest])

    return initial


def lstm_update(
    gates: Sequence[Tensor], c: Tensor, activation: Activation, recurrent_activation: Activation
) -> tuple[Tensor, list[Tensor]]:
    """The output and the states [h, c] from the gates i, f, g and o before their activations."""
    i, f, g, o = gates
    c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
    h = recurrent_activation(o) * activation(c)
    return h, [h, c]


class LSTMCell(GatedCell):
    """One step of ``LSTM``.

    With [i, f, g, o] = x @ kernel + h @ recurrent_kernel + bias: c = sigmoid(f) * c + sigmoid(i) * tanh(g) and h =
    sigmoid(o) * tanh(c); ``recurrent_activation`` replaces the sigmoid, ``activation`` tanh. ``call(inputs, states)``
    takes (batch, features) and [h, c], and returns h and [h, c]. Weights: ``kernel`` (features, 4 * units),
    ``recurrent_kernel`` (units, 4 * units), ``bias`` (4 * units,), which ``unit_forget_bias`` starts at one for f.
    Settings are those of ``UnitsCell``. As Keras. The settings of the weights and of dropout are those of ``StepCell``,
    which says what is raised.

    >>> h, (h, c) = LSTMCell(4)(ops.zeros((2, 5)), [ops.zeros((2, 4)), ops.zeros((2, 4))])
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **common)
        self.unit_forget_bias: bool = flag(unit_forget_bias, "unit_forget_bias")
        self.state_size: Any = [self.units, self.units]

    def add_biases(self, width: int) -> None:
        self.add_bias(width, with_forget_bias(self.bias_initializer, self.units) if self.unit_forget_bias else None)

    def step(self, projected: Tensor, states: Sequence[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        z = projected + ops.matmul(self.dropped_state(h, training), self.recurrent_kernel)
        return lstm_update(ops.split(z, 4, axis=1), c, self.activation, self.recurrent_activation)

    def runs_at_once(self, x: Tensor, training: bool, masked: bool) -> bool:
        if not self.is_usual(LSTMCell, x, training):
            return False
        return masked_lstm.runs_as_one([x]) if masked else x.shape[1] > MANY_STEPS or lstm.runs_as_one([x])

    def all_steps(self, x: Tensor, states: Sequence[Tensor], mask: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        if mask is None and not lstm.runs_as_one([x]):
            outputs, cells = lstm_sequence(self.project(x), self.recurrent_kernel, h, c)
            return outputs, [outputs[:, -1], cells[:, -1]]
        bias = self.bias if self.use_bias else ops.zeros((4 * self.units,), x.dtype)
        given = x, self.kernel, self.recurrent_kernel, bias, h, c
        outputs, c = lstm(*given) if mask is None else masked_lstm(*given, mask)
        return outputs, [outputs[:, -1], c]


class LSTM(OwnCellRNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

    With [i, f, g, o] = x_t @ kernel + h @ recurrent_kernel + bias: c = sigmoid(f) * c + sigmoid(i) * tanh(g) and h =
    sigmoid(o) * tanh(c); ``recurrent_activation`` replaces the sigmoid, ``activation`` tanh. Input (batch, time,
    features); output (batch, units), or (batch, time, units) with ``return_sequences``; with ``return_state`` also h
    and c. Weights: ``kernel`` (features, 4 * units), ``recurrent_kernel`` (units, 4 * units), ``bias`` (4 * units,).
    Settings are those of ``LSTMCell`` and ``RNN``; ``use_cudnn`` changes nothing. As Keras. The settings of the weights
    and of dropout are those of ``StepCell``. Raises ShapeError for an input of other than three axes, ArgumentError for
    states or settings that do not fit.

    >>> LSTM(4)(ops.zeros((2, 3, 5))).shape
    (2, 4)
    """

    cell_class: ClassVar[type[StepCell]] = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        use_cudnn: bool | str = "auto",
        **common: Any,
    ) -> None:
        super().__init__(
            units=units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            unit_forget_bias=unit_forget_bias, **common,
        )  # fmt: skip
        self.use_cudnn = use_cudnn
