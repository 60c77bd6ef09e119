"""AdamW without a schedule."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each, gathered_share, moved
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose weights are averages, in place of a falling rate (Defazio et al. 2024, arXiv:2405.15682).

    The weights w lie between z, which takes Adam's steps, and the mean x of all z so far:
    v = v + (g^2 - v) * (1 - beta_2), z = z - rate * g / (sqrt(v / (1 - beta_2^t)) + epsilon), x = x + (z - x) / t,
    w = beta_1 * x + (1 - beta_1) * z at step t. In the first ``warmup_steps`` the rate grows in a line. x is not kept:
    it follows from w and z. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> ScheduleFreeAdamW(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-8,
        warmup_steps: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_1: float = checked_share(beta_1, "beta_1")
        if self.beta_1 == 0.0:
            raise ArgumentError("beta_1 is 0.", expected="a share above 0: weights have to hold the mean.")
        self.beta_2: float = checked_share(beta_2, "beta_2")
        self.epsilon: float = checked_epsilon(epsilon)
        self.warmup_steps: int = as_int(warmup_steps, "warmup_steps", minimum=0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("z", "v")

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        return variable.value if slot == "z" else super().initial_slot(slot, variable)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        count = ops.cast(step, rate.dtype)
        if self.warmup_steps:
            rate = ops.multiply(rate, ops.minimum(ops.divide(count, float(self.warmup_steps)), 1.0))
        seen, later = gathered_share(step, self.beta_2, rate.dtype), 1.0 - self.beta_1

        def rule(p: Tensor, g: Tensor, z: Tensor, v: Tensor) -> tuple[Tensor, ...]:
            mean = ops.divide(ops.subtract(p, ops.multiply(z, later)), self.beta_1)
            v = moved(v, ops.square(g), self.beta_2)
            scale = ops.add(ops.sqrt(ops.divide(v, seen)), self.epsilon)
            z = ops.subtract(z, ops.divide(ops.multiply(g, rate), scale))
            mean = ops.add(mean, ops.divide(ops.subtract(z, mean), count))
            return ops.add(ops.multiply(mean, self.beta_1), ops.multiply(z, later)), z, v

        return each(rule, parameters, gradients, slots)
