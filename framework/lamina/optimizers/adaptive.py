"""Optimizers that scale each weight's step by the size of its gradients so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_float


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): a = a + g^2, w = w - rate * g / sqrt(a + epsilon).

    The accumulator a starts at ``initial_accumulator_value``. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adagrad(0.5, initial_accumulator_value=0.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        name: str = "adagrad",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.initial_accumulator_value = as_float(initial_accumulator_value, "initial_accumulator_value", minimum=0.0)
        self.epsilon = _epsilon(epsilon)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("accumulator",)

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        if slot == "accumulator":
            return ops.full_like(variable, self.initial_accumulator_value)
        return super().initial_slot(slot, variable)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        sums = [ops.add(a, ops.square(g)) for a, g in zip(slots["accumulator"], gradients, strict=True)]
        new = [
            ops.subtract(p, ops.multiply(rate, ops.divide(g, ops.sqrt(ops.add(a, self.epsilon)))))
            for p, g, a in zip(parameters, gradients, sums, strict=True)
        ]
        return new, {"accumulator": sums}

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012, arXiv:1212.5701): steps in the proportion of past steps to past gradients.

    a = rho * a + (1 - rho) * g^2, d = g * sqrt(u + epsilon) / sqrt(a + epsilon), u = rho * u + (1 - rho) * d^2,
    w = w - rate * d. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adadelta(1.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.9986
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-7,
        name: str = "adadelta",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.rho = as_float(rho, "rho", minimum=0.0)
        self.epsilon = _epsilon(epsilon)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("accum_grad", "accum_var")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        new: list[Tensor] = []
        updated: dict[str, list[Tensor]] = {"accum_grad": [], "accum_var": []}
        for p, g, a, u in zip(parameters, gradients, slots["accum_grad"], slots["accum_var"], strict=True):
            a = _average(a, ops.square(g), self.rho)
            scale = ops.divide(ops.sqrt(ops.add(u, self.epsilon)), ops.sqrt(ops.add(a, self.epsilon)))
            change = ops.multiply(g, scale)
            new.append(ops.subtract(p, ops.multiply(rate, change)))
            updated["accum_grad"].append(a)
            updated["accum_var"].append(_average(u, ops.square(change), self.rho))
        return new, updated

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012): v = rho * v + (1 - rho) * g^2, m = momentum * m + rate * g / sqrt(v + epsilon), w = w - m.

    ``centered`` takes the square of the mean gradient off v before the root, so that v is a variance. The other
    settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> RMSprop(0.1, rho=0.0).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        name: str = "rmsprop",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.rho = as_float(rho, "rho", minimum=0.0)
        self.momentum = as_float(momentum, "momentum", minimum=0.0)
        self.epsilon = _epsilon(epsilon)
        self.centered = bool(centered)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("rms", "momentum", "mg") if self.centered else ("rms", "momentum")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        new: list[Tensor] = []
        updated: dict[str, list[Tensor]] = {slot: [] for slot in self.slot_names}
        for i, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            v = _average(slots["rms"][i], ops.square(g), self.rho)
            spread = v
            if self.centered:
                mean = _average(slots["mg"][i], g, self.rho)
                updated["mg"].append(mean)
                spread = ops.subtract(v, ops.square(mean))
            step_size = ops.divide(ops.multiply(rate, g), ops.sqrt(ops.add(spread, self.epsilon)))
            m = ops.add(ops.multiply(slots["momentum"][i], self.momentum), step_size)
            new.append(ops.subtract(p, m))
            updated["rms"].append(v)
            updated["momentum"].append(m)
        return new, updated

    def get_config(self) -> dict[str, Any]:
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}

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

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        decay: float = 0.0,
        name: str = "adamax",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.beta_1 = as_float(beta_1, "beta_1", minimum=0.0, below=1.0)
        self.beta_2 = as_float(beta_2, "beta_2", minimum=0.0, below=1.0)
        self.epsilon = _epsilon(epsilon)
        self.decay = as_float(decay, "decay", minimum=0.0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("m", "u")

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        count = ops.cast(step, rate.dtype)
        rate = ops.divide(rate, ops.subtract(1.0, ops.power(self.beta_1, count)))
        if self.decay:
            rate = ops.divide(rate, ops.add(1.0, ops.multiply(ops.subtract(count, 1.0), self.decay)))
        new: list[Tensor] = []
        updated: dict[str, list[Tensor]] = {"m": [], "u": []}
        for p, g, m, u in zip(parameters, gradients, slots["m"], slots["u"], strict=True):
            m = _average(m, g, self.beta_1)
            u = ops.maximum(ops.multiply(u, self.beta_2), ops.abs(g))
            new.append(ops.subtract(p, ops.divide(ops.multiply(rate, m), ops.add(u, self.epsilon))))
            updated["m"].append(m)
            updated["u"].append(u)
        return new, updated

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own, **({"decay": self.decay} if self.decay else {})}


def _epsilon(value: float | None) -> float:
    return as_float(1e-7 if value is None else value, "epsilon", minimum=0.0)


def _average(old: Tensor, new: Tensor, share: float) -> Tensor:
    """The moving average that keeps a share of the old."""
    return ops.add(ops.multiply(old, share), ops.multiply(new, 1.0 - share))
