"""Follow the regularized leader."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import each
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_float


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013), as Keras has it: weights that L1 makes exactly 0.

    With n' = n + g^2 and k = -learning_rate_power: z = z + g - (n'^k - n^k) / rate * w, then w = (clip(z, -l1, l1) - z)
    / (n'^k / rate + 2 * (l2 + beta / (2 * rate))) and n = n'. With ``l2_shrinkage_regularization_strength`` s, z gets g
    + 2 * s * w in place of g. l1 and l2 are ``l1_regularization_strength`` and ``l2_regularization_strength``; n starts
    at ``initial_accumulator_value``. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Ftrl(0.5, initial_accumulator_value=0.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.learning_rate_power: float = as_float(learning_rate_power, "learning_rate_power")
        if self.learning_rate_power > 0.0:
            raise ArgumentError(f"learning_rate_power is {learning_rate_power}.", expected="a number up to 0.")
        self.initial_accumulator_value: float = as_float(
            initial_accumulator_value, "initial_accumulator_value", minimum=0.0
        )
        self.l1_regularization_strength: float = as_float(
            l1_regularization_strength, "l1_regularization_strength", minimum=0.0
        )
        self.l2_regularization_strength: float = as_float(
            l2_regularization_strength, "l2_regularization_strength", minimum=0.0
        )
        self.l2_shrinkage_regularization_strength: float = as_float(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength", minimum=0.0
        )
        self.beta: float = as_float(beta, "beta", minimum=0.0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("accumulator", "linear")

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        if slot == "accumulator":
            return ops.full_like(variable, self.initial_accumulator_value)
        return super().initial_slot(slot, variable)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        l1, shrinkage = self.l1_regularization_strength, self.l2_shrinkage_regularization_strength
        l2 = ops.add(ops.divide(self.beta, rate), 2.0 * self.l2_regularization_strength)

        def rule(p: Tensor, g: Tensor, squares: Tensor, linear: Tensor) -> tuple[Tensor, ...]:
            total = ops.add(squares, ops.square(g))
            curvature = ops.divide(ops.power(total, -self.learning_rate_power), rate)
            before = ops.divide(ops.power(squares, -self.learning_rate_power), rate)
            shrunk = ops.add(g, ops.multiply(p, 2.0 * shrinkage)) if shrinkage else g
            linear = ops.subtract(ops.add(linear, shrunk), ops.multiply(ops.subtract(curvature, before), p))
            beyond = ops.subtract(ops.clip(linear, -l1, l1), linear)
            return ops.divide(beyond, ops.add(curvature, l2)), total, linear

        return each(rule, parameters, gradients, slots)
