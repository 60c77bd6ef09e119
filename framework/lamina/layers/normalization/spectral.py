"""Normalization of the weights of another layer."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import ops
from lamina.errors import ArgumentTypeError
from lamina.layers.arguments import positive
from lamina.layers.normalization.unit import to_length_one
from lamina.layers.wrapper import Wrapper
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class SpectralNormalization(Wrapper):
    """Calls ``layer`` in training with its kernel divided by its largest singular value.

    (Miyato et al. 2018, arXiv:1802.05957.) The value is found by ``power_iterations`` steps of the power method, from a
    vector that goes on from call to call: the weight ``vector_u`` (1, columns), of the ``kernel`` or the ``embeddings``
    as a matrix with its last axis as columns. The weight itself stays as it is, and outside training it is used so.
    Gradients flow through the division, and take the vectors of the power method as given.

    Input and output are those of the layer. Raises ArgumentTypeError for a layer that has neither a kernel nor
    embeddings, ArgumentError for less than one step.

    >>> import lamina
    >>> layer = SpectralNormalization(lamina.layers.Dense(1, use_bias=False, kernel_initializer="ones"))
    >>> layer(ops.ones((1, 4))).tolist(), layer(ops.ones((1, 4)), training=True).tolist()
    ([[4.0]], [[2.0]])
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **common: Any) -> None:
        super().__init__(layer, **common)
        self.power_iterations: int = positive(power_iterations, "power_iterations")

    def build(self, input_shape: Any) -> None:
        self.build_wrapped(self.layer, input_shape, self.layer.name)
        kernel = self._kernel()
        self.vector_u: Variable = self.add_weight(
            (1, kernel.shape[-1]), "truncated_normal", trainable=False, name="vector_u"
        )

    def _name_of_kernel(self) -> str:
        for name in ("kernel", "embeddings"):
            if isinstance(getattr(self.layer, name, None), Variable):
                return name
        raise ArgumentTypeError(
            f"SpectralNormalization wraps the {type(self.layer).__name__} {self.layer.name!r}.",
            expected="a layer with a weight named 'kernel' or 'embeddings'.",
        )

    def _kernel(self) -> Variable:
        found: Variable = getattr(self.layer, self._name_of_kernel())
        return found

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return self.layer(x)
        name, kernel = self._name_of_kernel(), self._kernel()
        setattr(self.layer, name, self._normalized(kernel))
        try:
            return self.layer(x)
        finally:
            setattr(self.layer, name, kernel)

    def _normalized(self, kernel: Variable) -> Tensor:
        matrix = ops.reshape(kernel, (prod(kernel.shape[:-1]), kernel.shape[-1]))
        fixed, u = ops.stop_gradient(matrix), self.vector_u.value
        for _ in range(self.power_iterations):
            v = to_length_one(ops.matmul(u, fixed, transpose_b=True))
            u = to_length_one(ops.matmul(v, fixed))
        value = ops.matmul(ops.matmul(v, matrix), u, transpose_b=True)
        self.vector_u.assign(u)
        return ops.reshape(ops.divide_no_nan(matrix, value), kernel.shape)

    def own_weights(self) -> list[Variable]:
        """The kernel, which comes first although it is the layer's, and ``vector_u``."""
        return [self._kernel(), *super().own_weights()] if self.built else super().own_weights()

    def _weights_and_flags(self) -> list[tuple[Variable, bool]]:
        of_layer = {id(v): trained and self._trainable for v, trained in self.layer._weights_and_flags()}
        return [(v, of_layer.get(id(v), trained)) for v, trained in super()._weights_and_flags()]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)
