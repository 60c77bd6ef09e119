"""What functions are to 60 digits, in Python's decimal numbers, and how far from it a float is.

The limits at infinity are those of the function, not what its formula gives: 0 times infinity is 0 where the first
factor is exactly 0, and the largest of some numbers less itself is 0.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

DIGITS = decimal.Context(prec=60, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[decimal.InvalidOperation])
"""For ``decimal.localcontext``: too large a number is infinite, too small a one 0, and what has no value raises."""

ZERO, ONE = Decimal(0), Decimal(1)
Numbers = Sequence[Decimal]


def exact(x: np.ndarray) -> list[Decimal]:
    """The elements as they are."""
    return [Decimal(float(value)) for value in x.ravel()]


def times(weight: Decimal, value: Decimal) -> Decimal:
    """The product, 0 if the weight is."""
    return weight * value if weight else ZERO


def sigmoid(x: Decimal) -> Decimal:
    return ONE / (ONE + (-x).exp()) if x >= 0 else x.exp() / (ONE + x.exp())


def log1p(x: Decimal) -> Decimal:
    """By its series where the sum with 1 would lose digits."""
    if abs(x) > Decimal("1e-15"):
        return (ONE + x).ln() if x > -1 else Decimal("-Infinity")
    return x - x * x / 2 + x * x * x / 3 - x**4 / 4


def expm1(x: Decimal) -> Decimal:
    if abs(x) > Decimal("1e-15"):
        return x.exp() - ONE
    return x + x * x / 2 + x * x * x / 6 + x**4 / 24


def softplus(x: Decimal) -> Decimal:
    return max(x, ZERO) + log1p((-abs(x)).exp())


def erf(x: Decimal) -> Decimal:
    """By its series, which needs no more than these terms below 10; beyond it is 1 to hundreds of digits."""
    if abs(x) >= 10:
        return ONE.copy_sign(x)
    with decimal.localcontext() as context:
        context.prec = 120
        term = total = x
        for n in range(1, 700):
            term = -term * x * x / n
            total += term / (2 * n + 1)
        return total * 2 / pi().sqrt()


def pi() -> Decimal:
    """By Machin's formula."""

    def arctan(n: int) -> Decimal:
        terms = ((-1) ** k / (Decimal(2 * k + 1) * Decimal(n) ** (2 * k + 1)) for k in range(100))
        return sum(terms, ZERO)

    return 4 * (4 * arctan(5) - arctan(239))


def shifted(x: Numbers) -> list[Decimal]:
    """The numbers less the largest of them."""
    peak = max(x)
    return [ZERO if value == peak else value - peak for value in x]


def log_total(x: Numbers) -> Decimal:
    """The logarithm of the sum of exponentials of numbers of which the largest is 0."""
    others = list(x)
    others.remove(ZERO)
    return log1p(sum((value.exp() for value in others), ZERO))


def logsumexp(x: Numbers) -> Decimal:
    return max(x) if max(x).is_infinite() else max(x) + log_total(shifted(x))


def log_softmax(x: Numbers) -> list[Decimal]:
    return [value - log_total(shifted(x)) for value in shifted(x)]


def softmax(x: Numbers) -> list[Decimal]:
    return [value.exp() for value in log_softmax(x)]


def softmax_cross_entropy(labels: Numbers, logits: Numbers) -> Decimal:
    return -sum((times(z, y) for z, y in zip(labels, log_softmax(logits), strict=True)), ZERO)


def sigmoid_cross_entropy(z: Decimal, x: Decimal) -> Decimal:
    return times(ONE - z, max(x, ZERO)) + times(z, max(-x, ZERO)) + log1p((-abs(x)).exp())


def norm(x: Numbers) -> Decimal:
    return sum((value * value for value in x), ZERO).sqrt()


def variance(x: Numbers) -> Decimal:
    mean = sum(x, ZERO) / len(x)
    return sum(((value - mean) ** 2 for value in x), ZERO) / len(x)


def each(function: Callable[[Decimal], Decimal]) -> Callable[[Numbers], list[Decimal]]:
    """The function of each element."""
    return lambda x: [function(value) for value in x]


def ulps(found: float, wanted: Decimal, dtype: np.dtype) -> float:
    """How many units in the last place of the wanted number lie between it and the one found.

    Beyond the largest number of the dtype that one will do for infinity, also times a weight of at least 1e-4.
    """
    limits = np.finfo(dtype)
    largest = Decimal(float(limits.max))
    if abs(wanted) >= largest:
        right = abs(Decimal(found)) > largest / 10001 and (found > 0) == (wanted > 0)
        return 0.0 if right else math.inf
    if not math.isfinite(found):
        return math.inf
    exponent = math.frexp(float(wanted))[1] - limits.nmant - 1
    unit = max(Decimal(2) ** exponent, Decimal(float(limits.smallest_subnormal)))
    return float(abs(Decimal(found) - wanted) / unit)
