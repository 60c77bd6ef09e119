"""What a cell is: one step of a recurrent layer, with states; and what the built-in ones have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.errors import ArgumentError
from lamina.layers.arguments import positive, rate
from lamina.layers.checks import check_axes, check_size
from lamina.layers.kernel import KernelLayer
from lamina.layers.layer import Layer
from lamina.layers.recurrent.states import (
    apart,
    as_given,
    as_list,
    check_states,
    map_shapes,
    shape_leaves,
    state_shapes,
    zero_states,
)
from lamina.layers.weights import random_stream
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int


class RNNCell(Layer):
    """Base of cells: a layer whose ``call(inputs, states)`` does one step and returns the output and the next states.

    ``state_size`` is the number of features of the state, or a list with one for each of several states, which then
    come in a list. ``output_size`` is that of the output, if it is not the first state's. A cell need not inherit this:
    any Layer with ``state_size`` will do, and so will an object with ``state_size`` and ``call``. Shapes are its own
    affair: the first axis of inputs and states is the batch. Raises nothing by itself.

    >>> import lamina
    >>> class Leaky(RNNCell):
    ...     state_size = 2
    ...     def call(self, inputs, states):
    ...         y = inputs + states[0] * 0.5
    ...         return y, [y]
    >>> lamina.layers.RNN(Leaky())(lamina.ones((1, 3, 2))).tolist()
    [[1.75, 1.75]]
    """

    state_size: Any

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """States of zeros."""
        return zero_states(self.state_size, batch_size, self.dtype)


class DropoutRNNCell:
    """Masks for dropout that stay the same for all steps of a sequence; a cell inherits it.

    The cell has ``dropout``, ``recurrent_dropout`` and a ``seed_generator``. Outside a recurrent layer every call of a
    cell draws anew.
    """

    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed_generator: Any = None
    _masks: dict[str, Tensor] | None = None

    def get_dropout_mask(self, step_input: Tensor) -> Tensor | None:
        """What the inputs are multiplied with, of the shape of ``step_input``; None without dropout."""
        return self._mask("inputs", self.dropout, step_input)

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Tensor | None:
        """What the state is multiplied with, of the shape of ``step_input``; None without dropout."""
        return self._mask("states", self.recurrent_dropout, step_input)

    def reset_dropout_mask(self) -> None:
        """Lets the next mask for inputs be drawn anew."""
        (self._masks or {}).pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Lets the next mask for states be drawn anew."""
        (self._masks or {}).pop("states", None)

    @contextmanager
    def one_sequence(self) -> Iterator[None]:
        """Inside the block masks are drawn once."""
        before, self._masks = self._masks, {}
        try:
            yield
        finally:
            self._masks = before

    def _mask(self, kind: str, fraction: float, like: Tensor) -> Tensor | None:
        if not fraction:
            return None
        known = (self._masks or {}).get(kind)
        if known is not None:
            return known
        if fraction < 1:
            mask = ops.dropout(ops.ones(like.shape, like.dtype), fraction, seed=self.seed_generator)
        else:
            mask = ops.zeros(like.shape, like.dtype)
        if self._masks is not None:
            self._masks[kind] = mask
        return mask


class StepCell(DropoutRNNCell, RNNCell, KernelLayer):
    """Base of the built-in cells: weights for the inputs and for the state, and dropout.

    What the inputs give is computed by ``project`` and may be so for all steps at once; ``step`` does the rest.
    ``dropout`` is the fraction of the inputs, ``recurrent_dropout`` that of the state, which are set to 0 in training.
    ``seed`` makes these masks reproducible. The settings of the weights are those of ``KernelLayer``, and
    ``recurrent_initializer``, ``recurrent_regularizer`` and ``recurrent_constraint`` those of the ``recurrent_kernel``.
    Raises ArgumentError for ``units`` below 1 or a share outside 0 to 1, ShapeError for an input that does not fit.
    """

    lends_settings = True
    gates: ClassVar[int] = 1
    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {"implementation": (0, 1, 2)}

    def __init__(
        self,
        activation: Any = "tanh",
        use_bias: bool = True,
        recurrent_initializer: Any = "orthogonal",
        recurrent_regularizer: Any = None,
        recurrent_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.recurrent_initializer: Any = initializers.get(recurrent_initializer)
        self.recurrent_regularizer: Any = regularizers.get(recurrent_regularizer)
        self.recurrent_constraint: Any = constraints.get(recurrent_constraint)
        self.dropout: float = rate(dropout, "dropout")
        self.recurrent_dropout: float = rate(recurrent_dropout, "recurrent_dropout")
        self.seed: int | None = None if seed is None else as_int(seed, "seed")
        if self.dropout or self.recurrent_dropout:
            self.seed_generator: Any = random_stream(self.seed, self.name)

    def add_recurrent_kernel(self, shape: tuple[int, ...]) -> None:
        """Makes the weight ``recurrent_kernel``."""
        self.recurrent_kernel: Variable = self.add_weight(
            shape, self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip

    @abstractmethod
    def project(self, x: Tensor) -> Tensor:
        """What the inputs give, of one step, or of many: then the time follows the batch."""

    @abstractmethod
    def step(self, projected: Tensor, states: Sequence[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        """The output and the next states."""

    def runs_at_once(self, x: Tensor, training: bool, masked: bool) -> bool:
        """Whether the steps of x are better done by ``all_steps``, which then gives the same as ``step`` for each."""
        return False

    def all_steps(self, x: Tensor, states: Sequence[Tensor], mask: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """The outputs of all steps, the time after the batch, and the last states, in one call of an op.

        Where ``mask``, (batch, time), is False, the states stay as they are.
        """
        raise ArgumentError(f"{type(self).__name__} takes its steps one by one.")

    def first_states(self, x: Tensor) -> list[Any]:
        """States of zeros for the input of one step."""
        return self.get_initial_state(x.shape[0])

    def call(self, inputs: Any, states: Any = None, training: bool = False) -> Any:
        """One step. States may also follow the input in a list, and then come back so."""
        x, given = apart(inputs, states)
        found_states = as_list(self.first_states(x) if given is None else given)
        if given is not None:
            wanted = shape_leaves(map_shapes(lambda shape: (x.shape[0], *shape), state_shapes(self, x.shape[1:])))
            check_states([state.shape for state in found_states], wanted, self)
        mask = self.get_dropout_mask(x) if training else None
        found = self.step(self.project(x if mask is None else x * mask), found_states, training)
        return as_given(inputs, found)

    def dropped_state(self, h: Tensor, training: bool) -> Tensor:
        """The state after dropout."""
        mask = self.get_recurrent_dropout_mask(h) if training else None
        return h if mask is None else h * mask


class UnitsCell(StepCell):
    """Base of cells whose state are ``units`` features, and whose inputs are multiplied with a matrix."""

    lends_settings = True

    def __init__(self, units: int, activation: Any = "tanh", use_bias: bool = True, **common: Any) -> None:
        super().__init__(activation, use_bias, **common)
        self.units: int = positive(units, "units")
        self.state_size: Any = self.units
        self.output_size: int = self.units

    def check_input(self, input_shape: Any) -> None:
        shape, states = apart(input_shape, None)
        check_axes(self, shape, "(batch, features)")
        if self.built:
            check_size(self, shape, -1, self.kernel.shape[0])
        if states is not None:
            check_states(states, [(shape[0], size) for size in as_list(self.state_size)], self)

    def build(self, input_shape: Any) -> None:
        features = apart(input_shape, None)[0][-1]
        width = self.gates * self.units
        self.add_kernel((features, width))
        self.add_recurrent_kernel((self.units, width))
        self.add_biases(width)

    def add_biases(self, width: int) -> None:
        """Makes the weight ``bias``, if there is one."""
        self.add_bias(width)

    def project(self, x: Tensor) -> Tensor:
        """x @ kernel + bias."""
        rows = x if x.ndim == 2 else ops.reshape(x, (-1, x.shape[-1]))
        y = self.with_bias(ops.matmul(rows, self.kernel))
        return y if x.ndim == 2 else ops.reshape(y, (*x.shape[:-1], y.shape[-1]))


class GatedCell(UnitsCell):
    """Base of cells whose gates have an activation of their own, ``recurrent_activation``."""

    lends_settings = True

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **common)
        self.recurrent_activation: Callable[..., Any] = activations.get(recurrent_activation)

    def is_usual(self, kind: type[GatedCell], x: Tensor, training: bool) -> bool:
        """Whether this takes the steps of x as the cell ``kind`` does with the settings of which there is an op."""
        usual = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        return usual and type(self).step is kind.step and x.shape[1] > 0 and not (training and self.recurrent_dropout)
