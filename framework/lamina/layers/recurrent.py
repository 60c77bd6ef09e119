"""Recurrent layers: steps over time, written in ops."""

from __future__ import annotations

from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.layers.arguments import flag, positive, rate
from lamina.layers.checks import check_axes, check_size
from lamina.layers.kernel import KernelLayer
from lamina.layers.weights import random_stream
from lamina.runtime.tensor import Tensor


class LSTM(KernelLayer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

    With [i, f, g, o] = x_t @ kernel + h @ recurrent_kernel + bias:
    c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c).
    Input (batch, time, features); output (batch, units), or (batch, time, units) with ``return_sequences``; with
    ``return_state`` also h and c. Weights: ``kernel`` (features, 4 * units), ``recurrent_kernel`` (units, 4 * units),
    ``bias`` (4 * units,). Where a mask is False the state and the output stay as they were. Initial
    states [h, c] are given as ``initial_state``, or after the input in a list.

    >>> LSTM(4)(ops.zeros((2, 3, 5))).shape
    (2, 4)
    """

    supports_masking = True
    elsewhere = {
        "stateful": (False,),
        "unroll": (False, True),
        "implementation": (0, 1, 2),
        "time_major": (False,),
        "use_cudnn": (False, True, "auto"),
        "zero_output_for_mask": (False,),
    }

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        recurrent_initializer: Any = "orthogonal",
        unit_forget_bias: bool = True,
        recurrent_regularizer: Any = None,
        recurrent_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.units = positive(units, "units")
        self.recurrent_activation = activations.get(recurrent_activation)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.unit_forget_bias = flag(unit_forget_bias, "unit_forget_bias")
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.dropout, self.recurrent_dropout = rate(dropout, "dropout"), rate(recurrent_dropout, "recurrent_dropout")
        self.seed = seed
        self.return_sequences = flag(return_sequences, "return_sequences")
        self.return_state = flag(return_state, "return_state")
        self.go_backwards = flag(go_backwards, "go_backwards")
        if self.dropout or self.recurrent_dropout:
            self._generator = random_stream(seed, self.name)

    def check_input(self, input_shape: Any) -> None:
        input_shape = _first(input_shape)
        check_axes(self, input_shape, "(batch, time, features)")
        if self.built:
            check_size(self, input_shape, -1, self.kernel.shape[0])

    def build(self, input_shape: Any) -> None:
        input_shape = _first(input_shape)
        width = 4 * self.units
        self.add_kernel((input_shape[-1], width))
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.add_bias(width, self._initial_bias)

    def _initial_bias(self, shape: Any, dtype: str = "float32") -> Tensor:
        """The bias initializer, with ones for the forget gate (Jozefowicz et al. 2015)."""
        u = self.units
        if not self.unit_forget_bias:
            plain: Tensor = self.bias_initializer(shape, dtype=dtype)
            return plain
        parts = [
            self.bias_initializer((u,), dtype=dtype),
            ops.ones((u,), dtype),
            self.bias_initializer((2 * u,), dtype=dtype),
        ]
        return ops.concatenate(parts)

    def call(self, inputs: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x, states = (inputs[0], inputs[1:]) if isinstance(inputs, (list, tuple)) else (inputs, None)
        initial_state = initial_state or states
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        batch, time, features = x.shape
        if initial_state is None:
            h = c = ops.zeros((batch, self.units), x.dtype)
        else:
            h, c = initial_state
        x_scale, h_scale = self._dropout_masks(x, training)
        projected = ops.matmul(ops.reshape(x * x_scale if x_scale is not None else x, (-1, features)), self.kernel)
        projected = self.with_bias(projected)
        steps = ops.unstack(ops.reshape(projected, (batch, time, 4 * self.units)), 1)
        masks = ops.unstack(mask, 1) if mask is not None else [None] * time
        outputs: list[Tensor] = []
        for t in reversed(range(time)) if self.go_backwards else range(time):
            new_h, new_c = self._step(steps[t], h * h_scale if h_scale is not None else h, c)
            if masks[t] is not None:
                keep = ops.expand_dims(masks[t], -1)
                new_h, new_c = ops.where(keep, new_h, h), ops.where(keep, new_c, c)
            h, c = new_h, new_c
            outputs.append(h)
        result = ops.stack(outputs, 1) if self.return_sequences else h
        return [result, h, c] if self.return_state else result

    def _step(self, projected: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        z = projected + ops.matmul(h, self.recurrent_kernel)
        i, f, g, o = ops.split(z, 4, axis=1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        return self.recurrent_activation(o) * self.activation(c), c

    def _dropout_masks(self, x: Tensor, training: bool) -> tuple[Tensor | None, Tensor | None]:
        """One mask for the inputs and one for the states, shared by all steps of a sequence."""
        shapes = ((self.dropout, (x.shape[0], 1, x.shape[2])), (self.recurrent_dropout, (x.shape[0], self.units)))
        masks: list[Tensor | None] = []
        for fraction, shape in shapes:
            if not training or not fraction:
                masks.append(None)
                continue
            kept = ops.random.uniform(shape, seed=self._generator) >= fraction
            masks.append(kept.cast(x.dtype) * (1.0 / (1.0 - fraction) if fraction < 1 else 0.0))
        return masks[0], masks[1]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        found = mask if self.return_sequences else None
        return [found, None, None] if self.return_state else found


def _first(shapes: Any) -> Any:
    """The shape of the input itself, when initial states follow it in a list."""
    return shapes[0] if isinstance(shapes, list) else shapes
