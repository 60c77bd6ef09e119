"""What update rules are made of: checked settings, averages, and a rule for one parameter applied to all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lamina import ops
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float

EPSILON: Final = 1e-7
"""What keeps quotients finite, where nothing else is asked for."""


def checked_share(value: Any, name: str) -> float:
    """A share of an average that is kept: from 0 up to, but not, 1. Raises ArgumentTypeError or ArgumentError."""
    return as_float(value, name, minimum=0.0, below=1.0)


def checked_epsilon(value: Any, name: str = "epsilon") -> float:
    """A small number from 0 up, EPSILON for None. Raises ArgumentTypeError or ArgumentError."""
    return as_float(EPSILON if value is None else value, name, minimum=0.0)


def each(
    rule: Callable[..., tuple[Tensor, ...]],
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    slots: Mapping[str, Sequence[Tensor]],
) -> tuple[list[Tensor], dict[str, list[Tensor]]]:
    """New parameters and slots by a rule for one: of p, g and its slots in their order, it gives new p and slots.

    >>> three, one = ops.scalar(3.0), ops.scalar(1.0)
    >>> new, slots = each(lambda p, g, m: (p - g, m + g), [three], [one], {"m": [one]})
    >>> new[0].item(), slots["m"][0].item()
    (2.0, 2.0)
    """
    results = [rule(*given) for given in zip(parameters, gradients, *slots.values(), strict=True)]
    columns = [list(column) for column in zip(*results, strict=True)]
    return columns[0], dict(zip(slots, columns[1:], strict=True))


def mixed(old: Tensor, new: Tensor, share: float) -> Tensor:
    """share * old + (1 - share) * new."""
    return ops.add(ops.multiply(old, share), ops.multiply(new, 1.0 - share))


def moved(old: Tensor, new: Tensor, share: float) -> Tensor:
    """The same as ``mixed``, computed as old + (new - old) * (1 - share), which leaves equal numbers as they are."""
    return ops.add(old, ops.multiply(ops.subtract(new, old), 1.0 - share))


def gathered_share(step: Tensor, share: float, dtype: str) -> Tensor:
    """1 - share^t: the weight of all that an average that started at 0 has seen by step t.

    By expm1, since share^t is near 1 at first.

    >>> round(gathered_share(ops.scalar(2), 0.9, "float32").item(), 6)
    0.19
    """
    logarithm = math.log(share) if share > 0.0 else -math.inf
    found = ops.negative(ops.expm1(ops.multiply(ops.cast(step, "float32"), logarithm)))
    return found if dtype == "float32" else ops.cast(found, dtype)


def root_mean_square(x: Tensor) -> Tensor:
    """sqrt(mean(x^2)), a scalar."""
    return ops.sqrt(ops.mean(ops.square(x)))
