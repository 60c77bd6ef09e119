"""Gated recurrent units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.layers.arguments import flag
from lamina.layers.recurrent.cell import GatedCell, StepCell
from lamina.layers.recurrent.own_cell import OwnCellRNN
from lamina.ops.gated import gru, gru_gates
from lamina.ops.masked import masked_gru
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class GRUCell(GatedCell):
    """One step of ``GRU``.

    With the thirds [xz, xr, xh] of x @ kernel + bias and [hz, hr, hh] of h @ recurrent_kernel + recurrent bias: z =
    sigmoid(xz + hz), r = sigmoid(xr + hr) and h = z * h + (1 - z) * tanh(xh + r * hh). With ``reset_after`` False the
    reset gate acts before the product, hh = (r * h) @ recurrent_kernel, and there is no recurrent bias.
    ``recurrent_activation`` replaces the sigmoid, ``activation`` tanh. ``call(inputs, states)`` takes (batch, features)
    and [h], and returns h and [h]. Weights: ``kernel`` (features, 3 * units), ``recurrent_kernel`` (units, 3 * units),
    ``bias`` (2, 3 * units), or (3 * units,) with ``reset_after`` False. Settings are those of ``UnitsCell``. As Keras.
    The settings of the weights and of dropout are those of ``StepCell``, which says what is raised.

    >>> h, states = GRUCell(4)(ops.zeros((2, 5)), [ops.zeros((2, 4))])
    >>> h.shape
    (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        reset_after: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **common)
        self.reset_after: bool = flag(reset_after, "reset_after")

    def add_biases(self, width: int) -> None:
        if not self.reset_after:
            self.add_bias(width)
        elif self.use_bias:
            self.bias: Variable = self.add_weight(
                (2, width), self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint,
                name="bias",
            )  # fmt: skip

    def with_bias(self, x: Tensor) -> Tensor:
        if not (self.use_bias and self.reset_after):
            return super().with_bias(x)
        return ops.add(x, self.bias[0])

    def step(self, projected: Tensor, states: Sequence[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        h = states[0]
        recurrent_bias = self.bias[1] if self.use_bias and self.reset_after else None
        z, candidate = gru_gates(
            projected, self.dropped_state(h, training), self.recurrent_kernel, recurrent_bias, self.reset_after,
            self.activation, self.recurrent_activation,
        )  # fmt: skip
        y = candidate + z * (h - candidate)
        return y, [y]

    def runs_at_once(self, x: Tensor, training: bool, masked: bool) -> bool:
        return self.is_usual(GRUCell, x, training) and (masked_gru if masked else gru).runs_as_one([x])

    def all_steps(self, x: Tensor, states: Sequence[Tensor], mask: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        width = 3 * self.units
        bias = self.bias if self.use_bias else ops.zeros((2, width) if self.reset_after else (width,), x.dtype)
        given = x, self.kernel, self.recurrent_kernel, bias, states[0]
        if mask is None:
            outputs = gru(*given, reset_after=self.reset_after)
        else:
            outputs = masked_gru(*given, mask, reset_after=self.reset_after)
        return outputs, [outputs[:, -1]]


class GRU(OwnCellRNN):
    """Gated recurrent units (Cho et al. 2014, arXiv:1406.1078; ``reset_after`` as Chung et al. 2014, arXiv:1412.3555).

    With the thirds [xz, xr, xh] of x_t @ kernel + bias and [hz, hr, hh] of h @ recurrent_kernel + recurrent bias: z =
    sigmoid(xz + hz), r = sigmoid(xr + hr) and h = z * h + (1 - z) * tanh(xh + r * hh). With ``reset_after`` False the
    reset gate acts before the product, hh = (r * h) @ recurrent_kernel, and there is no recurrent bias. Input (batch,
    time, features); output (batch, units), or (batch, time, units) with ``return_sequences``; with ``return_state``
    also h. Weights: ``kernel`` (features, 3 * units), ``recurrent_kernel`` (units, 3 * units), ``bias`` (2, 3 * units),
    or (3 * units,) with ``reset_after`` False. Settings are those of ``GRUCell`` and ``RNN``; ``use_cudnn`` changes
    nothing. As Keras; TensorFlow.js has only ``reset_after`` False. The settings of the weights and of dropout are
    those of ``StepCell``. Raises ShapeError for an input of other than three axes, ArgumentError for states or settings
    that do not fit.

    >>> GRU(4)(ops.zeros((2, 3, 5))).shape
    (2, 4)
    """

    cell_class: ClassVar[type[StepCell]] = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **common: Any,
    ) -> None:
        super().__init__(
            units=units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            reset_after=reset_after, **common,
        )  # fmt: skip
        self.use_cudnn = use_cudnn
