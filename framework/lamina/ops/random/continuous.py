"""Uniform, normal and gamma distributions."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any, Final

from lamina.dtypes import FLOATING, INTEGER, canonical_dtype
from lamina.errors import ArgumentError
from lamina.ops.elementwise import (
    add,
    cast,
    divide,
    exp,
    greater,
    less,
    log,
    logical_and,
    maximum,
    minimum,
    multiply,
    round,
    rsqrt,
    square,
    subtract,
    where,
)
from lamina.ops.random.discrete import drawn_integers
from lamina.ops.random.draws import random_normal, random_uniform
from lamina.ops.random.seeds import further_seed, seed_for
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_shape

_DIGITS: Final = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Numbers in [minval, maxval), each equally likely.

    ``seed`` is an int, which always gives the same numbers, a ``SeedGenerator``, or None for the thread's own. An
    integer ``dtype`` gives the integers from minval up to but without maxval.

    Raises ArgumentError if minval is above maxval, or ``dtype`` is neither floating nor integer.

    >>> uniform((2,), seed=3).tolist() == uniform((2,), seed=3).tolist()
    True
    """
    wanted = _numeric(dtype, "bernoulli draws booleans.")
    if not minval <= maxval:
        raise ArgumentError(f"uniform: minval is {minval} and maxval is {maxval}.", expected="minval <= maxval.")
    numbers = seed_for("uniform", seed)
    if wanted in INTEGER:
        return drawn_integers(numbers, shape, math.ceil(minval), math.ceil(maxval), wanted)
    drawn = random_uniform(numbers, shape, wanted)
    if (minval, maxval) == (0.0, 1.0):
        return drawn
    spread = add(multiply(drawn, float(maxval) - float(minval)), float(minval))
    return minimum(spread, _below(float(maxval), wanted)) if minval < maxval else spread


def _below(bound: float, dtype: str) -> float:
    """The largest number of a dtype below a bound and below its rounded form: rounding a sum must not reach it."""
    fraction, exponent = math.frexp(bound)
    step = 2.0 ** (exponent - _DIGITS[dtype] - (fraction == 0.5))
    steps = bound / step
    return (min(math.ceil(steps), builtins.round(steps)) - 1) * step if bound else 0.0


def _numeric(dtype: Any, fix: str | None = None) -> str:
    wanted = canonical_dtype(dtype)
    if wanted not in FLOATING + INTEGER:
        raise ArgumentError(
            f"random numbers of dtype {wanted}.", expected=f"one of {', '.join(FLOATING + INTEGER)}.", fix=fix
        )
    return wanted


def _real(dtype: str) -> str:
    """The dtype to draw in."""
    return "float32" if dtype in INTEGER else dtype


def _as_asked(values: Tensor, dtype: str) -> Tensor:
    """Numbers in the dtype that the user asked for: integers are the nearest ones, halves come from float32."""
    if dtype in FLOATING[:2]:
        return cast(cast(values, "float32"), dtype)
    return cast(round(values) if dtype in INTEGER else values, dtype)


def _spread(drawn: Tensor, mean: float, stddev: float) -> Tensor:
    if not stddev >= 0.0:
        raise ArgumentError(f"stddev is {stddev}.", expected="a number that is not negative.")
    return add(multiply(drawn, float(stddev)), float(mean))


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Normal numbers with a mean and a standard deviation. ``seed`` as for ``uniform``.

    An integer ``dtype`` gives the nearest integers. Raises ArgumentError if stddev is negative, or for another dtype.

    >>> normal((3,), seed=3).shape
    (3,)
    """
    wanted = _numeric(dtype)
    drawn = random_normal(seed_for("normal", seed), shape, _real(wanted))
    return _as_asked(_spread(drawn, mean, stddev), wanted)


def standard_normal(shape: Any, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1. ``seed`` and ``dtype`` as for ``normal``; raises as it does.

    >>> standard_normal((3,), seed=3).shape
    (3,)
    """
    wanted = _numeric(dtype)
    return _as_asked(random_normal(seed_for("standard_normal", seed), shape, _real(wanted)), wanted)


# The inverse of the normal distribution function at 1/2 + q is q P(v) / Q(v) with v = 1 / sqrt(1/4 - q^2): interpolated
# at Chebyshev's nodes for the middle 95.45 %, where it errs by 2e-17. A test holds it against another inverse.
_MASS: Final = 0.9544997361036416  # erf(2 / sqrt(2)): what lies within two standard deviations
_NUMERATOR: Final = (0.016676338224608733, 3.1939034650613984, 18.163550943743815, 26.186089694140698, 12.8924475599111,
                     2.445539954705501, 0.17716379196546533, 0.004229849849000546, 2.090625510098576e-05)  # fmt: skip
_DENOMINATOR: Final = (1.0, 7.4166132587046105, 14.46277498330269, 10.758389224783377, 3.488718861336948,
                       0.49635980621084697, 0.02878013587428755, 0.0005621829713117714,
                       2.197667442266055e-06)  # fmt: skip


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None
) -> Tensor:
    """Normal numbers within two standard deviations of the mean, by inverting the distribution function.

    ``seed`` and ``dtype`` as for ``normal``.

    >>> bool((truncated_normal((100,), seed=3).abs() <= 2.0).all())
    True
    """
    wanted = _numeric(dtype)
    drawn = random_uniform(seed_for("truncated_normal", seed), shape, "float64")
    q = multiply(subtract(drawn, 0.5), _MASS)
    v = rsqrt(subtract(0.25, square(q)))
    x = multiply(q, divide(_polynomial(_NUMERATOR, v), _polynomial(_DENOMINATOR, v)))
    within = maximum(minimum(_spread(x, 0.0, stddev), 2.0 * float(stddev)), -2.0 * float(stddev))
    return _as_asked(add(within, float(mean)), wanted)


def _polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """By Horner's rule, so that every backend rounds alike."""
    value = multiply(x, coefficients[-1])
    for coefficient in coefficients[-2:0:-1]:
        value = multiply(add(value, coefficient), x)
    return add(value, coefficients[0])


_TRIES: Final = 8


def gamma(shape: Any, alpha: float, beta: float = 1.0, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Gamma numbers of shape alpha and rate beta: mean alpha / beta, variance alpha / beta^2.

    ``seed`` as for ``uniform``.

    By Marsaglia and Tsang's method (2000, ACM TOMS 26:363), which accepts a try with a probability above 0.95. Every
    element has eight tries, so that the work is known beforehand and a recorded step can replay it; the one in 10^10
    for whom all fail becomes the mode. Equal on every backend within 1 ulp of float32.

    An integer ``dtype`` gives the nearest integers. Raises ArgumentError unless alpha and beta are positive.

    >>> bool((gamma((100,), 2.0, seed=3) > 0.0).all())
    True
    """
    wanted, sizes = _numeric(dtype), as_shape(shape)
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0.0 < value < math.inf:
            raise ArgumentError(f"gamma: {name} is {value}.", expected="a positive number.")
    raised = float(alpha) if alpha >= 1.0 else float(alpha) + 1.0
    normals = random_normal(seed_for("gamma", seed), (_TRIES, *sizes), "float64")
    chances = random_uniform(further_seed("gamma", "tries", 1, seed), (_TRIES, *sizes), "float64")
    values = _first_accepted(raised - 1.0 / 3.0, normals, chances)
    if alpha < 1.0:  # Gamma(a) is Gamma(a + 1) u^(1/a)
        u = random_uniform(further_seed("gamma", "boost", 2, seed), sizes, "float64")
        values = multiply(values, exp(divide(log(subtract(1.0, u)), float(alpha))))
    return _as_asked(divide(values, float(beta)), wanted)


def _first_accepted(d: float, normals: Tensor, chances: Tensor) -> Tensor:
    """d (1 + x / sqrt(9 d))^3 of the first normal x that the test of Marsaglia and Tsang accepts, else d."""
    root = add(multiply(normals, 1.0 / math.sqrt(9.0 * d)), 1.0)
    cube = multiply(multiply(root, root), root)
    safe = maximum(cube, 1e-300)
    bound = add(multiply(square(normals), 0.5), multiply(subtract(add(log(safe), 1.0), cube), d))
    accepted = logical_and(greater(root, 0.0), less(log(subtract(1.0, chances)), bound))
    chosen: Any = 1.0
    for attempt in range(_TRIES - 1, -1, -1):
        chosen = where(accepted[attempt], cube[attempt], chosen)
    return multiply(chosen, d)
