"""Adafactor."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError
from lamina.optimizers.clipping import positive
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import each, root_mean_square
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_bool, as_float


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern 2018, arXiv:1804.04235), as Keras has it: mean squares by rows and columns.

    b = 1 - t^beta_2_decay and s = g^2 + epsilon_1 at step t. A Variable of two and more axes keeps the means r and c
    of s over its last and last but one axis, averaged over the steps with share b, and v = r * c / mean(r); others
    average s itself. With u = g / sqrt(v), w = w - a * u / max(1, rms(u) / clip_threshold) where
    a = max(epsilon_2, rms(w)) * rate, and with ``relative_step`` the rate is at most 1 / sqrt(t). v is kept, as Keras
    keeps it, so that state can be exchanged. The other settings are those of ``Optimizer``.

    >>> w = Variable([1.0])
    >>> Adafactor(0.5).minimize(lambda: (w * w).sum())
    >>> round(float(w.numpy()[0]), 4)
    0.5
    """

    own_settings: ClassVar[tuple[str, ...]] = (
        "beta_2_decay",
        "epsilon_1",
        "epsilon_2",
        "clip_threshold",
        "relative_step",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, **settings)
        self.beta_2_decay: float = as_float(beta_2_decay, "beta_2_decay")
        if self.beta_2_decay > 0.0:
            raise ArgumentError(f"beta_2_decay is {beta_2_decay}.", expected="a number up to 0.")
        self.epsilon_1: float = as_float(epsilon_1, "epsilon_1", minimum=0.0)
        self.epsilon_2: float = as_float(epsilon_2, "epsilon_2", minimum=0.0)
        found = positive(clip_threshold, "clip_threshold")
        self.clip_threshold: float = 1.0 if found is None else found
        self.relative_step: bool = as_bool(relative_step, "relative_step")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("r", "c", "v")

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        if slot not in ("r", "c"):
            return super().initial_slot(slot, variable)
        if variable.ndim < 2:
            return ops.zeros((), "int32")  # not used: Keras has something in its place
        shape = variable.shape
        return ops.zeros(shape[:-1] if slot == "r" else (*shape[:-2], shape[-1]), variable.dtype)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        count = ops.cast(step, rate.dtype)
        if self.relative_step:
            rate = ops.minimum(rate, ops.rsqrt(count))
        share = ops.power(count, self.beta_2_decay)  # of what is new

        def rule(p: Tensor, g: Tensor, r: Tensor, c: Tensor, v: Tensor) -> tuple[Tensor, ...]:
            squares = ops.add(ops.square(g), self.epsilon_1)
            if p.ndim < 2:
                v = _moved(v, squares, share)
            else:
                r, c = (_moved(old, ops.mean(squares, axis=axis), share) for old, axis in ((r, -1), (c, -2)))
                rows = ops.divide(r, ops.mean(r, axis=-1, keepdims=True))
                v = ops.multiply(ops.expand_dims(rows, -1), ops.expand_dims(c, -2))
            change = ops.divide(g, ops.sqrt(v))
            excess = ops.maximum(1.0, ops.divide(root_mean_square(change), self.clip_threshold))
            size = ops.multiply(ops.maximum(self.epsilon_2, root_mean_square(p)), rate)
            return ops.subtract(p, ops.multiply(change, ops.divide(size, excess))), r, c, v

        return each(rule, parameters, gradients, slots)


def _moved(old: Tensor, new: Tensor, share: Tensor) -> Tensor:
    """The average that takes a share of the new; the new itself where the share is 1."""
    return ops.add(ops.multiply(old, ops.subtract(1.0, share)), ops.multiply(new, share))
