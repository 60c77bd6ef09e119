"""LAMB."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each, gathered_share, moved
from lamina.runtime.tensor import Tensor


class Lamb(Optimizer):
    """LAMB (You et al. 2019, arXiv:1904.00962): Adam's direction, with a step as long as the weights are large.

    m and v as in ``Adam``, d = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon),
    w = w - rate * |w| / |d| * d with the norms of the whole Variable; their quotient is 1 where one of them is 0. The
    other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Lamb(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon")

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

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        seen_m, seen_v = (gathered_share(step, beta, rate.dtype) for beta in (self.beta_1, self.beta_2))

        def rule(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
            m, v = moved(m, g, self.beta_1), moved(v, ops.square(g), self.beta_2)
            scale = ops.add(ops.sqrt(ops.divide(v, seen_v)), self.epsilon)
            direction = ops.divide(ops.divide(m, seen_m), scale)
            return ops.subtract(p, ops.multiply(direction, ops.multiply(rate, _trust(p, direction)))), m, v

        return each(rule, parameters, gradients, slots)


def _trust(parameter: Tensor, direction: Tensor) -> Tensor:
    """The quotient of the norms, a scalar; 1 where one of them is 0."""
    of_weights, of_step = (ops.sqrt(ops.sum(ops.square(x))) for x in (parameter, direction))
    both = ops.logical_and(ops.greater(of_weights, 0.0), ops.greater(of_step, 0.0))
    return ops.where(both, ops.divide(of_weights, ops.where(both, of_step, 1.0)), 1.0)
