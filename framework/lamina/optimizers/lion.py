"""Lion."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_share, each, mixed
from lamina.runtime.tensor import Tensor


class Lion(Optimizer):
    """Lion (Chen et al. 2023, arXiv:2302.06675): steps of one size, in the direction of signs.

    w = w - rate * sign(beta_1 * m + (1 - beta_1) * g), then m = beta_2 * m + (1 - beta_2) * g. Rates are smaller than
    Adam's by 3 to 10 times. The other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Lion(0.25).minimize(lambda: (w * w).sum())
    >>> w.numpy().tolist()
    [0.75]
    """

    own_settings: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2")

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **settings: Any) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_1: float = checked_share(beta_1, "beta_1")
        self.beta_2: float = checked_share(beta_2, "beta_2")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m",)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        def rule(p: Tensor, g: Tensor, m: Tensor) -> tuple[Tensor, ...]:
            direction = ops.sign(mixed(m, g, self.beta_1))
            return ops.subtract(p, ops.multiply(direction, rate)), mixed(m, g, self.beta_2)

        return each(rule, parameters, gradients, slots)
