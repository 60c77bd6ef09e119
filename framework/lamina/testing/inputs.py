"""Inputs of cases: what shape, what kind of values; the values are always the same ones.

An input without a dtype of its own is floating and takes the width a check runs in.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lamina.runtime.convert import numpy_dtype

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]


@dataclass(frozen=True)
class Input:
    """A description of one array. ``fixed`` is its dtype, or None for 'the floating dtype of the check'."""

    label: str
    shape: tuple[int, ...]
    draw: Draw = field(repr=False, compare=False)
    fixed: str | None = None
    strided: bool = False

    def array(self, position: int, dtype: str, salt: int = 0) -> Array:
        """The values at a position among a case's inputs; another ``salt`` gives other values of the same kind."""
        seed = zlib.crc32(f"{self.label} {self.shape} {position} {salt}".encode())
        values = self.draw(np.random.default_rng(seed), self.shape)
        return np.asarray(values).astype(self.fixed or numpy_dtype(dtype), copy=False)

    def __str__(self) -> str:
        sizes = ", ".join(str(size) for size in self.shape)
        return f"{self.label}({sizes})"


def _normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(generator.standard_normal(shape))


def _complex(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(generator.standard_normal(shape) + 1j * generator.standard_normal(shape))


def normal(*shape: int) -> Input:
    """Standard normal numbers."""
    return Input("normal", shape, _normal)


def empty(*shape: int) -> Input:
    """No elements: one of the sizes must be 0."""
    if 0 not in shape:
        raise ValueError(f"empty{shape} has elements")
    return Input("empty", shape, _normal)


def positive(*shape: int) -> Input:
    """Numbers between 0.5 and 2.5: safe for logarithms, roots and as divisors."""
    return between(0.5, 2.5, *shape, label="positive")


def between(low: float, high: float, *shape: int, label: str = "between") -> Input:
    """Numbers between two bounds, each equally likely."""
    return Input(label, shape, lambda generator, size: generator.uniform(low, high, size))


def distinct(*shape: int) -> Input:
    """Numbers at least 0.1 apart and 0.05 from 0, in random order: safe for maxima and kinks."""

    def draw(generator: np.random.Generator, size: tuple[int, ...]) -> Array:
        count = int(np.prod(size))
        steps = np.arange(count) - count // 2 + 0.5
        return np.asarray(generator.permutation(steps * 0.1).reshape(size))

    return Input("distinct", shape, draw)


def probabilities(*shape: int) -> Input:
    """Positive numbers that add up to 1 along the last axis."""

    def draw(generator: np.random.Generator, size: tuple[int, ...]) -> Array:
        weights = generator.uniform(0.1, 1.0, size)
        return np.asarray(weights / weights.sum(-1, keepdims=True))

    return Input("probabilities", shape, draw)


def complex_normal(*shape: int) -> Input:
    """Complex numbers whose parts are standard normal, as complex128."""
    return Input("complex_normal", shape, _complex, fixed="complex128")


def ints(*shape: int, low: int = -5, high: int = 6, dtype: str = "int32") -> Input:
    """Integers from low up to but without high."""
    label = "ints" if dtype == "int32" else dtype
    return Input(label, shape, lambda generator, size: generator.integers(low, high, size), fixed=dtype)


def bools(*shape: int) -> Input:
    """True and false."""
    return Input("bools", shape, lambda generator, size: generator.integers(0, 2, size) == 1, fixed="bool")


def values(given: Any, dtype: str | None = None) -> Input:
    """Exactly these values; of lists of floats the dtype stays open."""
    array = np.asarray(given)
    fixed = dtype or (None if array.dtype.kind == "f" and not isinstance(given, np.ndarray) else str(array.dtype))
    label = f"values{array.tolist()}".replace(" ", "") if array.size < 9 else "values"
    return Input(label, array.shape, lambda generator, size: array, fixed=fixed)


def strings(given: Any) -> Input:
    """These strings."""
    array = np.asarray(given, object)
    return Input(f"strings{array.tolist()}", array.shape, lambda generator, size: array, fixed="object")


def non_contiguous(*shape: int) -> Input:
    """Normal numbers in an array whose elements do not lie in row-major order."""
    return Input("non_contiguous", shape, _normal, strided=True)


def broadcasting(make: Callable[..., Input] = normal) -> Sequence[tuple[Input, Input]]:
    """Pairs whose shapes broadcast: a scalar, a row, a column against a row, size 1 inside, and nothing at all."""
    shapes: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
        ((2, 3), (2, 3)),
        ((2, 3), ()),
        ((), (3,)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((2, 1, 3), (4, 1)),
        ((1,), (1,)),
        ((0, 3), (1, 3)),
    )
    return [(make(*a), make(*b)) for a, b in shapes]
