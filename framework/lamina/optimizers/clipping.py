"""Limits on gradients, before an update uses them."""

from __future__ import annotations

from collections.abc import Sequence

from lamina import ops
from lamina.errors import ArgumentError
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float


class Clipping:
    """At most one limit: ``clipnorm`` for each gradient's norm, ``global_clipnorm`` for the norm of all together,
    ``clipvalue`` for each element's absolute value.

    >>> [g.tolist() for g in Clipping(clipvalue=1.0)([ops.tensor([-3.0, 0.5])])]
    [[-1.0, 0.5]]
    """

    def __init__(
        self, clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None
    ) -> None:
        given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        limits = {name: positive(value, name) for name, value in given.items()}
        if sum(limit is not None for limit in limits.values()) > 1:
            raise ArgumentError(
                f"the gradients are to be clipped in several ways: {limits}.",
                expected="at most one of clipnorm, clipvalue and global_clipnorm.",
            )
        self.clipnorm: float | None = limits["clipnorm"]
        self.clipvalue: float | None = limits["clipvalue"]
        self.global_clipnorm: float | None = limits["global_clipnorm"]

    def __call__(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The gradients within the limit."""
        if self.clipnorm is not None:
            return [_scaled(g, ops.sum(ops.square(g)), self.clipnorm) for g in gradients]
        if self.global_clipnorm is not None:
            total = _total([ops.sum(ops.square(g)) for g in gradients])
            return [_scaled(g, total, self.global_clipnorm) for g in gradients]
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        return list(gradients)


def positive(value: float | None, name: str) -> float | None:
    """None, or a number above 0. Raises ArgumentTypeError or ArgumentError for anything else."""
    if value is None:
        return None
    number = as_float(value, name, minimum=0.0)
    if number == 0.0:
        raise ArgumentError(f"{name} is 0.", expected="a positive number, or None.")
    return number


def _scaled(gradient: Tensor, squares: Tensor, limit: float) -> Tensor:
    """g * limit / max(norm, limit): NaN and infinite norms stay visible."""
    norm = ops.sqrt(squares)
    return ops.multiply(gradient, ops.cast(ops.divide(limit, ops.maximum(norm, limit)), gradient.dtype))


def _total(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = ops.add(total, part)
    return total
