"""Optimizers that scale each weight's step by the size of its gradients so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from lamina import ops
from lamina.optimizers.forms import InTwoForms
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each, gathered_share, mixed, moved
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_bool, as_float


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): a = a + g^2, w = w - rate * g / sqrt(a + epsilon).

    The accumulator a starts at ``initial_accumulator_value``. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adagrad(0.5, initial_accumulator_value=0.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.initial_accumulator_value: float = as_float(
            initial_accumulator_value, "initial_accumulator_value", minimum=0.0
        )
        self.epsilon: float = checked_epsilon(epsilon)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("accumulator",)

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        if slot == "accumulator":
            return ops.full_like(variable, self.initial_accumulator_value)
        return super().initial_slot(slot, variable)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        def rule(p: Tensor, g: Tensor, total: Tensor) -> tuple[Tensor, ...]:
            total = ops.add(total, ops.square(g))
            scaled = ops.divide(g, ops.sqrt(ops.add(total, self.epsilon)))
            return ops.subtract(p, ops.multiply(rate, scaled)), total

        return each(rule, parameters, gradients, slots)


class Adadelta(InTwoForms):
    """Adadelta (Zeiler 2012, arXiv:1212.5701): steps in the proportion of past steps to past gradients.

    a = rho * a + (1 - rho) * g^2, d = g * sqrt(u + epsilon) / sqrt(a + epsilon), u = rho * u + (1 - rho) * d^2,
    w = w - rate * d. ``form="tensorflow.js"`` computes d from a as it was before the step. The other settings are
    those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adadelta(1.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.9986
    """

    own_settings: ClassVar[tuple[str, ...]] = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-7,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.rho: float = checked_share(rho, "rho")
        self.epsilon: float = checked_epsilon(epsilon)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("accum_grad", "accum_var")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        def rule(p: Tensor, g: Tensor, old: Tensor, past: Tensor) -> tuple[Tensor, ...]:
            new = mixed(old, ops.square(g), self.rho)
            squares = old if self.as_tensorflow_js else new
            scale = ops.divide(ops.sqrt(ops.add(past, self.epsilon)), ops.sqrt(ops.add(squares, self.epsilon)))
            change = ops.multiply(g, scale)
            return ops.subtract(p, ops.multiply(rate, change)), new, mixed(past, ops.square(change), self.rho)

        return each(rule, parameters, gradients, slots)


class RMSprop(InTwoForms):
    """RMSprop (Hinton 2012): v = rho * v + (1 - rho) * g^2, m = momentum * m + rate * g / sqrt(v + epsilon), w = w - m.

    ``centered`` takes the square of the mean gradient off v before the root, so that v is a variance;
    ``form="tensorflow.js"`` then takes epsilon off it, too, where Keras adds it. The other settings are those of
    ``Optimizer``.

    >>> w = Variable([1.0])
    >>> RMSprop(0.1, rho=0.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.9
    """

    own_settings: ClassVar[tuple[str, ...]] = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.rho: float = checked_share(rho, "rho")
        self.momentum: float = as_float(momentum, "momentum", minimum=0.0)
        self.epsilon: float = checked_epsilon(epsilon)
        self.centered: bool = as_bool(centered, "centered")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return tuple(slot for slot in self.saved_slot_names if slot != "momentum" or self._keeps_steps)

    @property
    def _keeps_steps(self) -> bool:
        return self.as_tensorflow_js or self.momentum > 0.0

    @property
    def saved_slot_names(self) -> tuple[str, ...]:
        return ("rms", "momentum", "mg") if self.centered else ("rms", "momentum")

    @property
    def slot_blocks(self) -> tuple[tuple[str, ...], ...]:
        return tuple((slot,) for slot in self.slot_names)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        def rule(p: Tensor, g: Tensor, *kept: Tensor) -> tuple[Tensor, ...]:
            old = dict(zip(slots, kept, strict=True))
            new = {"rms": mixed(old["rms"], ops.square(g), self.rho)}
            if self.centered:
                new["mg"] = mixed(old["mg"], g, self.rho)
            change = ops.divide(ops.multiply(rate, g), ops.sqrt(self._spread(new)))
            if self._keeps_steps:
                change = new["momentum"] = ops.add(ops.multiply(old["momentum"], self.momentum), change)
            return ops.subtract(p, change), *(new[slot] for slot in slots)

        return each(rule, parameters, gradients, slots)

    def _spread(self, means: Mapping[str, Tensor]) -> Tensor:
        """What the root is taken of."""
        if not self.centered:
            return ops.add(means["rms"], self.epsilon)
        squared = ops.square(means["mg"])
        if self.as_tensorflow_js:
            return ops.subtract(means["rms"], ops.add(squared, self.epsilon))
        return ops.add(ops.subtract(means["rms"], squared), self.epsilon)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """As for every optimizer; TensorFlow.js calls rho ``decay``."""
        return super().from_config({"rho" if key == "decay" else key: value for key, value in config.items()})


class Adamax(Optimizer):
    """Adamax (Kingma and Ba 2014, arXiv:1412.6980): Adam with the largest gradient in place of the mean square.

    m = m + (g - m) * (1 - beta_1), u = max(beta_2 * u, |g|), w = w - rate / (1 - beta_1^t) * m / (u + epsilon) at
    step t. ``decay`` divides the rate by 1 + decay * (t - 1), as in TensorFlow.js. The other settings are those of
    ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adamax(0.5).minimize(lambda: (w * w).sum())
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
        decay: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_1: float = checked_share(beta_1, "beta_1")
        self.beta_2: float = checked_share(beta_2, "beta_2")
        self.epsilon: float = checked_epsilon(epsilon)
        self.decay: float = as_float(decay, "decay", minimum=0.0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m", "u")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        alpha = ops.divide(rate, gathered_share(step, self.beta_1, rate.dtype))
        if self.decay:
            before = ops.subtract(ops.cast(step, rate.dtype), 1.0)
            alpha = ops.divide(alpha, ops.add(1.0, ops.multiply(before, self.decay)))

        def rule(p: Tensor, g: Tensor, m: Tensor, u: Tensor) -> tuple[Tensor, ...]:
            m, u = moved(m, g, self.beta_1), ops.maximum(ops.multiply(u, self.beta_2), ops.abs(g))
            return ops.subtract(p, ops.divide(ops.multiply(alpha, m), ops.add(u, self.epsilon))), m, u

        return each(rule, parameters, gradients, slots)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **({"decay": self.decay} if self.decay else {})}
