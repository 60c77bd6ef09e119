"""The bases of layers that multiply with a kernel and add a bias.

``KernelSettings`` and ``BiasSettings`` bring the weights and what is set about them; ``KernelLayer`` and ``BiasLayer``
also the activation at the end and whether there is a bias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.layers.arguments import flag
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class BiasSettings(Layer):
    """A layer with, if ``use_bias``, a weight ``bias``, or with layers in it that have one.

    ``bias_initializer``, ``bias_regularizer`` and ``bias_constraint`` are those of the bias, by name, object or config;
    None means none.
    """

    lends_settings = True
    use_bias: bool = True

    def __init__(
        self,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.bias_initializer: Any = initializers.get(bias_initializer)
        self.bias_regularizer: Any = regularizers.get(bias_regularizer)
        self.bias_constraint: Any = constraints.get(bias_constraint)

    def add_bias(self, shape: int | tuple[int, ...], initializer: Any = None) -> None:
        """Makes the weight ``bias``, if there is one."""
        if self.use_bias:
            self.bias: Variable = self.add_weight(
                shape, initializer or self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def with_bias(self, x: Tensor) -> Tensor:
        """x + bias along the last axes, if there is a bias."""
        return ops.add(x, self.bias) if self.use_bias else x


class KernelSettings(BiasSettings):
    """A layer with a weight ``kernel`` and, if ``use_bias``, a ``bias``, or with layers in it that have them.

    ``kernel_initializer``, ``kernel_regularizer`` and ``kernel_constraint`` are those of the kernel,
    ``bias_initializer``, ``bias_regularizer`` and ``bias_constraint`` those of the bias, by name, object or config;
    None means none.
    """

    lends_settings = True

    def __init__(
        self,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.kernel_initializer: Any = initializers.get(kernel_initializer)
        self.kernel_regularizer: Any = regularizers.get(kernel_regularizer)
        self.kernel_constraint: Any = constraints.get(kernel_constraint)

    def add_kernel(self, shape: tuple[int, ...]) -> None:
        """Makes the weight ``kernel``."""
        self.kernel: Variable = self.add_weight(
            shape, self.kernel_initializer, regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
            name="kernel",
        )  # fmt: skip


class _Finishing(Layer):
    """What both have that end with a bias and an activation."""

    lends_settings = True

    def __init__(self, activation: Any = None, use_bias: bool = True, **common: Any) -> None:
        super().__init__(**common)
        self.activation: Callable[..., Any] = activations.get(activation)
        self.use_bias: bool = flag(use_bias, "use_bias")


class BiasLayer(_Finishing, BiasSettings):
    """A layer with, if ``use_bias``, a weight ``bias``, and an ``activation`` at the end.

    ``activation`` is a name or a function, None for none. The other settings are those of ``BiasSettings``.
    """


class KernelLayer(_Finishing, KernelSettings):
    """A layer with a ``kernel``, if ``use_bias`` a ``bias``, and an ``activation`` at the end.

    ``activation`` is a name or a function, None for none. ``kernel_initializer``, ``kernel_regularizer`` and
    ``kernel_constraint`` are those of the kernel, ``bias_initializer``, ``bias_regularizer`` and ``bias_constraint``
    those of the bias, by name, object or config; None means none.
    """
