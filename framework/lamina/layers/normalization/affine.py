"""What normalizing layers share: a scale and an offset afterwards, and axes."""

from __future__ import annotations

from typing import Any

from lamina import constraints, initializers, ops, regularizers
from lamina.layers.arguments import flag, number
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor


class AffineNormalization(Layer):
    """Base of layers that scale by ``gamma`` and shift by ``beta`` after they have normalized.

    ``scale`` and ``center`` say which of the two weights there are; ``beta_initializer``, ``beta_regularizer`` and
    ``beta_constraint``, and ``gamma_initializer``, ``gamma_regularizer`` and ``gamma_constraint``, are theirs, by name,
    object or config. ``epsilon`` is added to variances, so that none is 0.
    """

    supports_masking = True
    lends_settings = True

    def __init__(
        self,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.epsilon: float = number(epsilon, "epsilon", minimum=0)
        self.center: bool = flag(center, "center")
        self.scale: bool = flag(scale, "scale")
        self.beta_initializer: Any = initializers.get(beta_initializer)
        self.gamma_initializer: Any = initializers.get(gamma_initializer)
        self.beta_regularizer: Any = regularizers.get(beta_regularizer)
        self.gamma_regularizer: Any = regularizers.get(gamma_regularizer)
        self.beta_constraint: Any = constraints.get(beta_constraint)
        self.gamma_constraint: Any = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None

    def add_gamma(self, shape: tuple[int, ...], always: bool = False) -> None:
        """Makes the weight ``gamma``, if there is one."""
        if self.scale or always:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
                name="gamma",
            )  # fmt: skip

    def add_beta(self, shape: tuple[int, ...]) -> None:
        """Makes the weight ``beta``, if there is one."""
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )  # fmt: skip


def standardized(x: Tensor, axes: tuple[int, ...], epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) over axes.

    The first of the numbers is subtracted before the mean is taken, so that equal ones give exactly 0.

    >>> standardized(ops.tensor([1.0, 3.0]), (0,), 0.0).tolist()
    [-1.0, 1.0]
    """
    first = x[tuple(slice(0, 1) if a in axes else slice(None) for a in range(x.ndim))]
    moved = ops.subtract(x, ops.stop_gradient(first))
    centered = ops.subtract(moved, ops.mean(moved, axes, keepdims=True))
    variance = ops.mean(ops.square(centered), axes, keepdims=True)
    return ops.multiply(centered, ops.rsqrt(ops.add(variance, epsilon)))
