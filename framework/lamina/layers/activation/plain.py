"""Any activation function as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import activations
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor


class Activation(Layer):
    """Applies an activation function, given by name or as a function of a tensor; None is ``linear``.

    Input and output have the same shape, unless the function changes it. Raises UnknownNameError for a name that no
    activation has.

    >>> from lamina import ops
    >>> Activation("relu")(ops.tensor([-2.0, 1.0])).tolist()
    [0.0, 1.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **common: Any) -> None:
        super().__init__(**common)
        self.activation: Callable[..., Any] = activations.get(activation)

    def call(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(x)
        return result
