"""``python -m benchmarks.random_numbers``: what lamina's random numbers cost, and how random they look."""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lamina
from benchmarks import machine, random_quality
from benchmarks.table import aligned, number
from lamina import random

MILLION = 10**6
Draw = Callable[[], Any]


def draws(count: int) -> dict[str, tuple[Draw, Draw]]:
    """By name, a draw of ours and NumPy's own for the same."""
    own = np.random.default_rng(1)
    ours = random.SeedGenerator(1)
    shape = (count,)
    return {
        "uniform": (lambda: random.uniform(shape, seed=ours), lambda: own.random(shape, np.float32)),
        "uniform, float64": (lambda: random.uniform(shape, dtype="float64", seed=ours), lambda: own.random(shape)),
        "normal": (lambda: random.standard_normal(shape, seed=ours), lambda: own.standard_normal(shape, np.float32)),
        "integers below 10": (
            lambda: random.randint(shape, 0, 10, seed=ours), lambda: own.integers(0, 10, shape, np.int32)),
        "integers below 10^6": (
            lambda: random.randint(shape, 0, MILLION, seed=ours), lambda: own.integers(0, MILLION, shape, np.int32)),
        "Bernoulli": (lambda: random.bernoulli(shape, 0.3, seed=ours), lambda: own.random(shape, np.float32) < 0.3),
        "truncated normal": (lambda: random.truncated_normal(shape, seed=ours), lambda: _truncated(own, count)),
        "gamma": (lambda: random.gamma(shape, 2.0, seed=ours), lambda: own.standard_gamma(2.0, shape, np.float32)),
    }  # fmt: skip


def _truncated(generator: np.random.Generator, count: int) -> Any:
    """As TensorFlow does it: draw again what lies outside."""
    x = generator.standard_normal(count, np.float32)
    while (outside := np.flatnonzero(np.abs(x) > 2.0)).size:
        x[outside] = generator.standard_normal(outside.size, np.float32)
    return x


def cost(count: int, rounds: int) -> str:
    """The table of times: draws take turns, and the ratio is the median of those of each round."""
    lines = [["numbers", "lamina ms", "NumPy ms", "lamina / NumPy", "min-max"]]
    for name, pair in draws(count).items():
        times = [[_seconds(draw) for draw in pair] for _ in range(rounds + 2)][2:]
        ratios = sorted(ours / theirs for ours, theirs in times)
        middles = [statistics.median(column) * 1e3 for column in zip(*times, strict=True)]
        lines.append([name, *map(number, middles), number(statistics.median(ratios)),
                      f"{number(ratios[0])}-{number(ratios[-1])}"])  # fmt: skip
    return aligned(lines)


def _seconds(draw: Draw) -> float:
    start = time.perf_counter()
    draw()
    return time.perf_counter() - start


def quality(count: int, seed: int) -> dict[str, dict[str, float]]:
    """The p-values of every kind of number, by kind and test."""
    low, high = -(2**31), 2**31
    words = random.randint((count,), low, high, seed=seed).numpy()
    sizes = (count // 64, 64)
    seeds = np.stack([random.randint((64,), low, high, seed=seed + i).numpy() for i in range(sizes[0])])
    generator = random.SeedGenerator(seed)
    later = np.stack([random.randint((64,), low, high, seed=generator).numpy() for _ in range(sizes[0])])
    return {
        "uniform": random_quality.of_uniform(random.uniform((count,), seed=seed).numpy()),
        "uniform, float64": random_quality.of_uniform(random.uniform((count,), dtype="float64", seed=seed + 1).numpy()),
        "normal": random_quality.of_normal(random.standard_normal((count,), seed=seed).numpy()),
        "bits": random_quality.of_bits(words),
        "seeds one after the other": random_quality.of_streams(seeds),
        "draws one after the other": random_quality.of_streams(later),
        "made of them": _derived(count, seed),
    }


def _derived(count: int, seed: int) -> dict[str, float]:
    """Chi-square of what is made of the draws: each distribution function gives uniform numbers."""
    mass = math.erf(math.sqrt(2.0))
    cut = random.truncated_normal((count,), dtype="float64", seed=seed)
    gamma = random.gamma((count,), 2.0, dtype="float64", seed=seed).numpy()
    half = random.gamma((count,), 0.5, dtype="float64", seed=seed)
    true = int(random.bernoulli((count,), 0.3, seed=seed).numpy().sum())
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    chosen = random.multinomial(np.log(weights), count // 4, seed=seed).numpy()
    orders = [tuple(random.permutation(4, seed=seed + i)) for i in range(2400)]
    return {
        "integers below 10": random_quality.even(np.bincount(random.randint((count,), 0, 10, seed=seed).numpy())),
        "integers below 3 * 2^29, modulo 3": random_quality.even(
            np.bincount(random.randint((count,), 0, 3 * 2**29, seed=seed).numpy() % 3)),
        "Bernoulli(0.3)": random_quality.two_sided((true - 0.3 * count) / math.sqrt(0.21 * count)),
        "truncated normal": random_quality.spread((lamina.erf(cut * math.sqrt(0.5)).numpy() / mass + 1.0) / 2.0),
        "gamma(2)": random_quality.spread(1.0 - (1.0 + gamma) * np.exp(-gamma)),
        "gamma(0.5)": random_quality.spread(lamina.erf(half.sqrt()).numpy()),
        "multinomial": random_quality.chi_square(np.bincount(chosen, minlength=4), weights * chosen.size),
        "permutations of 4": random_quality.even(np.unique(orders, axis=0, return_counts=True)[1]),
    }  # fmt: skip


def report(found: dict[str, dict[str, float]]) -> str:
    """The table of p-values, and how the smallest compares with what so many tests would show anyway."""
    lines = [["numbers", "test", "p"]]
    lines += [[kind, name, f"{p:.3f}"] for kind, values in found.items() for name, p in values.items()]
    values = [p for kinds in found.values() for p in kinds.values()]
    chance = 1.0 - (1.0 - min(values)) ** len(values)
    summary = f"{len(values)} tests; the smallest p is {min(values):.4f}. Of so many, one is that small with a chance"
    return f"{aligned(lines)}\n\n{summary} of {chance:.2f}."


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.random_numbers", description=__doc__)
    parser.add_argument("--count", type=int, default=MILLION, help="how many numbers (default: a million)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds that are timed (default: 15)")
    parser.add_argument("--seed", type=int, default=1, help="the seed whose numbers are tested (default: 1)")
    asked = parser.parse_args()
    print(machine.line(machine.describe()), end="\n\n")
    print(cost(asked.count, asked.rounds), end="\n\n")
    print(report(quality(asked.count, asked.seed)))


if __name__ == "__main__":
    main()
