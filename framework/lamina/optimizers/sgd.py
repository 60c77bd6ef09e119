"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_float


class SGD(Optimizer):
    """Gradient descent: w = w - rate * g; with momentum m = momentum * m - rate * g and w = w + m.

    ``nesterov`` looks ahead: w = w + momentum * m - rate * g. The other settings are those of ``Optimizer``.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> SGD(0.5).minimize(lambda: (w * w).sum())
    >>> w.numpy().tolist()
    [0.0]
    """

    own_settings: ClassVar[tuple[str, ...]] = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.momentum: float = as_float(momentum, "momentum", minimum=0.0)
        self.nesterov: bool = as_bool(nesterov, "nesterov")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        if not self.momentum:
            return [ops.subtract(p, ops.multiply(g, rate)) for p, g in zip(parameters, gradients, strict=True)], {}
        count = len(parameters)
        found = ops.momentum_update(
            rate,
            *parameters,
            *gradients,
            *slots["momentum"],
            count=count,
            momentum=self.momentum,
            nesterov=self.nesterov,
        )
        return list(found[:count]), {"momentum": list(found[count:])}


class Momentum(Optimizer):
    """Gradient descent with momentum as TensorFlow.js has it: m = momentum * m + g, w = w - rate * m.

    ``use_nesterov`` looks ahead: w = w - rate * (g + momentum * m). With a constant rate it takes the same steps as
    ``SGD(rate, momentum)``; its state is that of a model saved by TensorFlow.js.

    >>> from lamina import Variable
    >>> w = Variable([1.0])
    >>> Momentum(0.5, 0.9).minimize(lambda: (w * w).sum())
    >>> w.numpy().tolist()
    [0.0]
    """

    own_settings: ClassVar[tuple[str, ...]] = ("momentum", "use_nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.9,
        use_nesterov: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.momentum: float = as_float(momentum, "momentum", minimum=0.0)
        self.use_nesterov: bool = as_bool(use_nesterov, "use_nesterov")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("momentum",)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        pairs = zip(slots["momentum"], gradients, strict=True)
        moved = [ops.add(ops.multiply(m, self.momentum), g) for m, g in pairs]
        steps = moved
        if self.use_nesterov:
            steps = [ops.add(g, ops.multiply(m, self.momentum)) for m, g in zip(moved, gradients, strict=True)]
        new = [ops.subtract(p, ops.multiply(s, rate)) for p, s in zip(parameters, steps, strict=True)]
        return new, {"momentum": moved}
