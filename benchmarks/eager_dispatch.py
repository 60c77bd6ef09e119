"""``python -m benchmarks.eager_dispatch``: what an eager op costs more than NumPy's own call on the same arrays.

NumPy's call and lamina's are timed in turns, so that what disturbs the machine disturbs both. Each turn is repeated
until it takes a hundredth of a second; the lowest turn of each counts, because disturbance only adds.
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import lamina
from benchmarks import machine
from benchmarks.table import aligned, number

TURN = 0.01
"""Seconds that a turn takes at least."""

SIZES = {"10": 10, "a million": 1_000_000}
"""How many elements; a matrix product has square matrices of about as many."""


class Pair(NamedTuple):
    """One computation twice: as NumPy's own call, and as an op."""

    name: str
    numpy: Callable[[], Any]
    lamina: Callable[[], Any]


def pairs(size: int) -> list[Pair]:
    """What is measured, on arrays of so many elements."""
    side = round(size**0.5)
    a, b = (np.random.default_rng(seed).standard_normal(size, dtype=np.float32) for seed in (1, 2))
    p, q = (values[: side * side].reshape(side, side) for values in (a, b))
    x, y, m, n = (lamina.tensor(values) for values in (a, b, p, q))
    zero = np.float32(0)
    return [
        Pair("add(x, y)", lambda: np.add(a, b), lambda: lamina.add(x, y)),
        Pair("x + y", lambda: a + b, lambda: x + y),
        Pair("x + 1.0", lambda: a + 1.0, lambda: x + 1.0),
        Pair("matmul(x, y)", lambda: np.matmul(p, q), lambda: lamina.matmul(m, n)),
        Pair("relu(x)", lambda: np.maximum(a, zero), lambda: lamina.relu(x)),
        Pair("sum(x)", lambda: np.add.reduce(a), lambda: lamina.sum(x)),
    ]


def measure(pair: Pair, rounds: int) -> tuple[float, float]:
    """Seconds per call of NumPy and of lamina: the lowest of the rounds."""
    calls = max(1, int(TURN / timeit.timeit(pair.lamina, number=3) * 3))
    turns = [(timeit.timeit(pair.numpy, number=calls), timeit.timeit(pair.lamina, number=calls)) for _ in range(rounds)]
    theirs, ours = (min(column) / calls for column in zip(*turns, strict=True))
    return theirs, ours


def lines(size: str, rounds: int) -> list[Sequence[str]]:
    """The rows of the table for one size."""
    found = []
    for pair in pairs(SIZES[size]):
        theirs, ours = measure(pair, rounds)
        more = f"{1e6 * (ours - theirs):.2f}"
        found.append([pair.name, size, number(1e6 * theirs), number(1e6 * ours), more, number(ours / theirs)])
    return found


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.eager_dispatch", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31, help="turns of each (default 31)")
    rounds = parser.parse_args().rounds
    print(machine.line(machine.describe()), end="\n\n")
    with lamina.backend_scope("numpy"):
        rows = [row for size in SIZES for row in lines(size, rounds)]
    print(aligned([["op", "elements", "NumPy us", "lamina us", "more us", "lamina / NumPy"], *rows]))


if __name__ == "__main__":
    main()
