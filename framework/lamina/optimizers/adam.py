"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.optimizers.forms import InTwoForms
from lamina.optimizers.optimizer import Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each, gathered_share, moved
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool


class Adam(InTwoForms):
    """Adam (Kingma and Ba 2014, arXiv:1412.6980), in Keras's form.

    m = m + (g - m) * (1 - beta_1), v = v + (g^2 - v) * (1 - beta_2), w = w - alpha * m / (sqrt(v) + epsilon) with
    alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t. ``amsgrad`` divides by the largest v so far (Reddi et
    al. 2018). ``form="tensorflow.js"`` adds epsilon to the root of v / (1 - beta_2^t), as the paper's first form
    does, which shows where gradients are tiny. The other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Adam(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_1: float = checked_share(beta_1, "beta_1")
        self.beta_2: float = checked_share(beta_2, "beta_2")
        self.epsilon: float = checked_epsilon(epsilon)
        self.amsgrad: bool = as_bool(amsgrad, "amsgrad")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    @property
    def slot_blocks(self) -> tuple[tuple[str, ...], ...]:
        return (("m", "v"), ("vhat",))

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        alpha = ops.multiply(rate, ops.bias_correction(step, self.beta_1, self.beta_2, rate.dtype))
        if self.amsgrad or self.as_tensorflow_js:
            return self._by_parts(parameters, gradients, slots, alpha, step)
        return adam_step(parameters, gradients, slots, alpha, self.beta_1, self.beta_2, self.epsilon)

    def _by_parts(self, parameters: Tensors, gradients: Tensors, slots: Slots, alpha: Tensor, step: Tensor) -> Update:
        epsilon: Any = self.epsilon
        if self.as_tensorflow_js:  # alpha has the correction of v already, which must not reach epsilon
            epsilon = ops.multiply(ops.sqrt(gathered_share(step, self.beta_2, alpha.dtype)), self.epsilon)

        def rule(p: Tensor, g: Tensor, m: Tensor, v: Tensor, *largest: Tensor) -> tuple[Tensor, ...]:
            m, v = moved(m, g, self.beta_1), moved(v, ops.square(g), self.beta_2)
            largest = tuple(ops.maximum(old, v) for old in largest)
            scale = ops.add(ops.sqrt(largest[0] if largest else v), epsilon)
            return ops.subtract(p, ops.divide(ops.multiply(m, alpha), scale)), m, v, *largest

        return each(rule, parameters, gradients, slots)


def adam_step(
    parameters: Tensors,
    gradients: Tensors,
    slots: Slots,
    alpha: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Update:
    """The steps of Keras's Adam for all parameters in one op; alpha has the corrections of both moments."""
    count = len(parameters)
    found = ops.adam_update(
        alpha,
        *parameters,
        *gradients,
        *slots["m"],
        *slots["v"],
        count=count,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )
    return list(found[:count]), {"m": list(found[count : 2 * count]), "v": list(found[2 * count :])}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101).

    Before each step of ``Adam``, w = w - rate * weight_decay * w. ``exclude_from_weight_decay`` leaves Variables out;
    call it before the first step.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> AdamW(0.5, weight_decay=0.1).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.45
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **settings)
