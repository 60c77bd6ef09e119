"""The densely connected layer."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.arguments import positive
from lamina.layers.checks import check_one, check_size
from lamina.layers.kernel import KernelLayer
from lamina.layers.plain_weights import PlainWeights
from lamina.runtime.tensor import Tensor


class Dense(KernelLayer, PlainWeights):
    """Densely connected layer: y = activation(x @ kernel + bias).

    Input (..., features), output (..., units). Weights: ``kernel`` (features, units), ``bias`` (units,). The settings
    are those of ``KernelLayer`` and ``PlainWeights``. Raises ShapeError for an input of fewer than two axes, or of
    other features than at the first call, ArgumentError for ``units`` below 1.

    >>> layer = Dense(2, kernel_initializer="ones", name="d")
    >>> layer(ops.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[6.0, 6.0]]
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.units: int = positive(units, "units")

    def check_input(self, input_shape: Any) -> None:
        check_one(self, input_shape)
        if len(input_shape) < 2:
            raise ShapeError(
                f"Dense got an input of shape {input_shape}.", expected="at least two axes: (batch, features)."
            )
        if self.built:
            check_size(self, input_shape, -1, self.features)

    def build(self, input_shape: Any) -> None:
        self.features: Any = input_shape[-1]
        self.add_kernel((self.features, self.units))
        self.add_bias(self.units)

    def call(self, x: Tensor) -> Tensor:
        rows = x if x.ndim == 2 else ops.reshape(x, (-1, self.features))
        y = self.with_bias(ops.matmul(rows, self.kernel))
        y = y if x.ndim == 2 else ops.reshape(y, (*x.shape[:-1], self.units))
        result: Tensor = self.activation(y)
        return result
