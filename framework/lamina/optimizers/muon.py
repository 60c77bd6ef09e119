"""Muon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.optimizers.adam import adam_step
from lamina.optimizers.optimizer import Optimizer, Slots, Tensors, Update
from lamina.optimizers.rules import checked_epsilon, checked_share, each
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_bool, as_float, as_int


class Muon(Optimizer):
    """Muon (Jordan et al. 2024), as Keras has it: matrices take steps that are nearly orthogonal, the rest Adam's.

    For a matrix, m = momentum * m + g, d = g + momentum * m (d = m without ``nesterov``), o = d with all singular
    values brought near 1 by ``ns_steps`` steps of x = a * x + (b * x x^T + c * (x x^T)^2) x, the numbers being
    ``muon_a``, ``muon_b`` and ``muon_c``, and w = w - rate * rms_rate * sqrt(max(rows, columns)) * o; with ``rms_rate``
    None the factor is sqrt(max(1, rows / columns)). Variables of another rank, those whose name matches a regular
    expression of ``exclude_layers``, and with ``exclude_embeddings`` those with "embedding" in their name take the
    steps of ``Adam`` with ``adam_beta_1``, ``adam_beta_2``, ``epsilon``, ``adam_lr_ratio`` times the rate, and the
    weight decay ``adam_weight_decay``. The other settings are those of ``Optimizer``.

    >>> w = Variable([[3.0, 0.0], [0.0, 1.0]])
    >>> Muon(0.1, weight_decay=None, rms_rate=None).minimize(lambda: (w * w).sum())
    >>> (w.numpy() * 10.0).round().tolist()
    [[29.0, 0.0], [0.0, 9.0]]
    """

    own_settings: ClassVar[tuple[str, ...]] = (
        "adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "exclude_layers", "exclude_embeddings", "muon_a",
        "muon_b", "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate",
    )  # fmt: skip

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float | None = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **settings)
        self.adam_beta_1: float = checked_share(adam_beta_1, "adam_beta_1")
        self.adam_beta_2: float = checked_share(adam_beta_2, "adam_beta_2")
        self.adam_weight_decay: float | None = _optional(adam_weight_decay, "adam_weight_decay")
        self.epsilon: float = checked_epsilon(epsilon)
        self.exclude_layers: list[str] = _patterns(exclude_layers)
        self.exclude_embeddings: bool = as_bool(exclude_embeddings, "exclude_embeddings")
        self.muon_a: float = as_float(muon_a, "muon_a")
        self.muon_b: float = as_float(muon_b, "muon_b")
        self.muon_c: float = as_float(muon_c, "muon_c")
        self.adam_lr_ratio: float = as_float(adam_lr_ratio, "adam_lr_ratio", minimum=0.0)
        self.momentum: float = as_float(momentum, "momentum", minimum=0.0)
        self.ns_steps: int = as_int(ns_steps, "ns_steps", minimum=1)
        self.nesterov: bool = as_bool(nesterov, "nesterov")
        self.rms_rate: float | None = _optional(rms_rate, "rms_rate")

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("momentum", "m", "v")

    def slot_names_of(self, variable: Variable) -> tuple[str, ...]:
        return ("m", "v") if self._takes_adam(variable) else ("momentum",)

    def _takes_adam(self, variable: Variable) -> bool:
        embedding = self.exclude_embeddings and "embedding" in variable.name.lower()
        excluded = any(re.search(pattern, variable.name) for pattern in self.exclude_layers)
        return variable.ndim != 2 or embedding or excluded

    def weight_decay_of(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self._takes_adam(variable) else self.weight_decay

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        if "momentum" not in slots:
            return self._adam(parameters, gradients, slots, rate, step)

        def rule(p: Tensor, g: Tensor, m: Tensor) -> tuple[Tensor, ...]:
            m = ops.add(ops.multiply(m, self.momentum), g)
            direction = self._orthogonal(ops.add(g, ops.multiply(m, self.momentum)) if self.nesterov else m)
            return ops.subtract(p, ops.multiply(direction, ops.multiply(rate, self._scale(*p.shape)))), m

        return each(rule, parameters, gradients, slots)

    def _scale(self, rows: int, columns: int) -> float:
        """What the step of a matrix is multiplied by, so that it is about as large as Adam's."""
        if self.rms_rate is None:
            return float(max(1.0, rows / columns) ** 0.5)
        return float(max(rows, columns) ** 0.5) * self.rms_rate

    def _orthogonal(self, x: Tensor) -> Tensor:
        """x with its singular values near 1, by a polynomial of odd degree that is applied again and again."""
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = ops.divide(x, ops.add(ops.sqrt(ops.sum(ops.square(x))), 1e-7))
        for _ in range(self.ns_steps):
            square = ops.matmul(x, x, transpose_b=True)
            mixed = ops.add(ops.multiply(square, self.muon_b), ops.multiply(ops.matmul(square, square), self.muon_c))
            x = ops.add(ops.multiply(x, self.muon_a), ops.matmul(mixed, x))
        return ops.transpose(x) if tall else x

    def _adam(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        corrected = ops.multiply(rate, ops.bias_correction(step, self.adam_beta_1, self.adam_beta_2, rate.dtype))
        alpha = ops.multiply(corrected, self.adam_lr_ratio)
        return adam_step(parameters, gradients, slots, alpha, self.adam_beta_1, self.adam_beta_2, self.epsilon)


def _optional(value: float | None, name: str) -> float | None:
    return None if value is None else as_float(value, name, minimum=0.0)


def _patterns(value: Any) -> list[str]:
    """Regular expressions as a list. Raises ArgumentTypeError or ArgumentError for anything else."""
    if isinstance(value, str) or not all(isinstance(pattern, str) for pattern in value or ()):
        raise ArgumentTypeError(f"exclude_layers is {value!r}.", expected="a list of regular expressions, or None.")
    for pattern in value or ():
        try:
            re.compile(pattern)
        except re.error as error:
            raise ArgumentError(f"exclude_layers has {pattern!r}, which is no regular expression: {error}.") from error
    return list(value or ())
