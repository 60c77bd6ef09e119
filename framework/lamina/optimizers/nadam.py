"""Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each, gathered_share, moved
from lamina.runtime.tensor import Tensor

WARMING: Final = 0.96
"""How fast the momentum comes up to beta_1, as in the paper."""


class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016), as Keras has it.

    The momentum at step t is b_t = beta_1 * (1 - 0.96^t / 2), and c_t the product of the first t of these.
    m = m + (g - m) * (1 - beta_1), v = v + (g^2 - v) * (1 - beta_2), then
    w = w - rate * (b_(t+1) * m / (1 - c_(t+1)) + (1 - b_t) * g / (1 - c_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon).
    The product is kept once for all Variables. The other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Nadam(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.4686
    """

    own_settings: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon")
    shared_slots: ClassVar[dict[str, float]] = {"u_product": 1.0}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_1: float = checked_share(beta_1, "beta_1")
        self.beta_2: float = checked_share(beta_2, "beta_2")
        self.epsilon: float = checked_epsilon(epsilon)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m", "v")

    def _momentum(self, count: Tensor) -> Tensor:
        return ops.multiply(ops.subtract(1.0, ops.multiply(ops.power(WARMING, count), 0.5)), self.beta_1)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        count = ops.cast(step, "float32")
        now, later = self._momentum(count), self._momentum(ops.add(count, 1.0))
        product = ops.multiply(slots["u_product"][0], now)
        of_m = ops.divide(later, ops.subtract(1.0, ops.multiply(product, later)))
        of_g = ops.divide(ops.subtract(1.0, now), ops.subtract(1.0, product))
        share_m, share_g = (ops.multiply(rate, ops.cast(share, rate.dtype)) for share in (of_m, of_g))
        seen = gathered_share(step, self.beta_2, rate.dtype)

        def rule(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
            m, v = moved(m, g, self.beta_1), moved(v, ops.square(g), self.beta_2)
            scale = ops.add(ops.sqrt(ops.divide(v, seen)), self.epsilon)
            ahead = ops.add(ops.multiply(m, share_m), ops.multiply(g, share_g))
            return ops.subtract(p, ops.divide(ahead, scale)), m, v

        new, updated = each(rule, parameters, gradients, {slot: slots[slot] for slot in ("m", "v")})
        return new, {**updated, "u_product": [product]}
