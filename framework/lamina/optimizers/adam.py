"""Adam."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014, arXiv:1412.6980), in Keras's form.

    m = m + (g - m) * (1 - beta_1), v = v + (g^2 - v) * (1 - beta_2), w = w - alpha * m / (sqrt(v) + epsilon) with
    alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t. ``amsgrad`` divides by the largest v so far (Reddi et
    al. 2018). The other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Adam(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        name: str = "adam",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.beta_1 = as_float(beta_1, "beta_1", minimum=0.0, below=1.0)
        self.beta_2 = as_float(beta_2, "beta_2", minimum=0.0, below=1.0)
        self.epsilon = as_float(1e-7 if epsilon is None else epsilon, "epsilon", minimum=0.0)
        self.amsgrad = bool(amsgrad)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        alpha = ops.multiply(rate, ops.bias_correction(step, self.beta_1, self.beta_2, rate.dtype))
        if self.amsgrad:
            return self._amsgrad(parameters, gradients, slots, alpha)
        count = len(parameters)
        found = ops.adam_update(
            alpha,
            *parameters,
            *gradients,
            *slots["m"],
            *slots["v"],
            count=count,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )
        return list(found[:count]), {"m": list(found[count : 2 * count]), "v": list(found[2 * count :])}

    def _amsgrad(self, parameters: Tensors, gradients: Tensors, slots: Slots, alpha: Tensor) -> Update:
        new: list[Tensor] = []
        updated: dict[str, list[Tensor]] = {"m": [], "v": [], "vhat": []}
        for p, g, m, v, largest in zip(parameters, gradients, slots["m"], slots["v"], slots["vhat"], strict=True):
            m = ops.add(m, ops.multiply(ops.subtract(g, m), 1.0 - self.beta_1))
            v = ops.add(v, ops.multiply(ops.subtract(ops.square(g), v), 1.0 - self.beta_2))
            largest = ops.maximum(largest, v)
            new.append(ops.subtract(p, ops.divide(ops.multiply(m, alpha), ops.add(ops.sqrt(largest), self.epsilon))))
            for name, value in zip(updated, (m, v, largest), strict=True):
                updated[name].append(value)
        return new, updated

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
