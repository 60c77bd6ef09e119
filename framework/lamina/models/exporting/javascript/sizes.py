"""Numbers that vary with the sizes of a layer's inputs, as expressions of these sizes in JavaScript.

A number is known by its value at each recording. The expression that gives all of them, the simplest first, stands for
it; where there is none, the number cannot be written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any, Final

from lamina.errors import SerializationError

_LARGEST_STEP: Final = 8


class Size(str):
    """An expression in JavaScript that gives a whole number, or another number."""

    __slots__ = ()


def merged(values: Sequence[Any], names: Mapping[str, Sequence[int]]) -> Any:
    """One setting of an op, given its values at each recording: itself if they agree, else with Sizes in it.

    ``names`` are the sizes that may occur, by name. Raises SerializationError for what cannot be expressed.

    >>> merged([(2, 26), (2, 48)], {"n0": (13, 24)})
    (2, 'n0 * 2')
    """
    first = values[0]
    if all(repr(v) == repr(first) for v in values):
        return first
    if isinstance(first, (list, tuple)) and all(isinstance(v, type(first)) and len(v) == len(first) for v in values):
        return type(first)(merged(column, names) for column in zip(*values, strict=True))
    if all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        found = next(_whole(values, names), None)
    elif all(isinstance(v, (int, float)) for v in values):
        found = next(_real(values, names), None)
    else:
        found = None
    if found is None:
        shown = ", ".join(map(repr, values))
        raise SerializationError(
            f"one of its numbers follows from unknown sizes of its inputs in a way that is not found ({shown}).",
            fix="give the shape of its inputs in full.",
        )
    return found


def _whole(values: Sequence[int], names: Mapping[str, Sequence[int]]) -> Iterator[Size]:
    """Expressions that give whole numbers."""
    for name, sizes in names.items():
        if list(sizes) == list(values):
            yield Size(name)
    yield from _products(values, names)
    for name, sizes in names.items():
        yield from _affine(values, name, sizes)
    for name, sizes in names.items():
        yield from _steps(values, name, sizes)


def _products(values: Sequence[int], names: Mapping[str, Sequence[int]]) -> Iterator[Size]:
    """A product of up to three sizes, times or divided by a number."""
    for count in (1, 2, 3):
        for chosen in combinations_with_replacement(names, count):
            products = [math.prod(row) for row in zip(*(names[name] for name in chosen), strict=True)]
            factors = {Fraction(v, p) for v, p in zip(values, products, strict=True)}
            if len(factors) == 1 and (factor := factors.pop()) != 0:
                times = f" * {factor.numerator}" if factor.numerator != 1 else ""
                over = f" / {factor.denominator}" if factor.denominator != 1 else ""
                yield Size(" * ".join(chosen) + times + over)


def _affine(values: Sequence[int], name: str, sizes: Sequence[int]) -> Iterator[Size]:
    slope = Fraction(values[1] - values[0], sizes[1] - sizes[0])
    if slope and slope.denominator == 1:
        rest = {v - slope.numerator * s for v, s in zip(values, sizes, strict=True)}
        if len(rest) == 1:
            yield Size(f"({_times(slope.numerator, name)} + {rest.pop()})")


def _times(factor: int, name: str) -> str:
    return name if factor == 1 else f"{factor} * {name}"


def _steps(values: Sequence[int], name: str, sizes: Sequence[int]) -> Iterator[Size]:
    """Whole steps in a size, as strides make: floor((size + shift) / step) + offset."""
    for step in range(2, _LARGEST_STEP + 1):
        for shift in range(step):
            rest = {v - (s + shift) // step for v, s in zip(values, sizes, strict=True)}
            if len(rest) == 1:
                yield Size(f"(Math.floor(({name} + {shift}) / {step}) + {rest.pop()})")


def _real(values: Sequence[float], names: Mapping[str, Sequence[int]]) -> Iterator[Size]:
    """A number times a size, its root, or one over these."""
    forms = {"{}": 1.0, "1 / {}": -1.0, "Math.sqrt({})": 0.5, "1 / Math.sqrt({})": -0.5}
    for name, sizes in names.items():
        for form, power in forms.items():
            factors = [float(v) / s**power for v, s in zip(values, sizes, strict=True)]
            if all(math.isclose(f, factors[0], rel_tol=1e-6) for f in factors) and factors[0]:
                yield Size(f"{factors[0]!r} * ({form.format(name)})")
