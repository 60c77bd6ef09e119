"""Whether numbers look random: p-values of moments, chi-square, correlations and bits.

A p-value is the chance that numbers of the right kind look so odd or odder. Of good numbers one in a thousand is below
0.001; of bad ones it has many zeros.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def two_sided(z: float) -> float:
    """The p-value of a standard normal number."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def chi_square(counts: Array, expected: Any) -> float:
    """The p-value of counts in cells, by Wilson and Hilferty's transform (1931); too even is as odd as too uneven."""
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    freedom = counts.size - 1
    width = 2.0 / (9.0 * freedom)
    return two_sided(((statistic / freedom) ** (1.0 / 3.0) - (1.0 - width)) / math.sqrt(width))


def even(counts: Array) -> float:
    """The p-value of counts in cells that are equally likely."""
    return chi_square(counts, counts.sum() / counts.size)


def moments(x: Array, mean: float, central: Sequence[float]) -> dict[str, float]:
    """The p-values of mean, variance, skewness and kurtosis; ``central`` are the moments of order 2 to 8."""
    order = dict(zip(range(2, 9), central, strict=True))
    deviations = x.astype(np.float64) - mean
    root = math.sqrt(x.size)
    found = {"mean": two_sided(float(deviations.mean()) * root / math.sqrt(order[2]))}
    for name, k in (("variance", 2), ("skewness", 3), ("kurtosis", 4)):
        error = math.sqrt(order[2 * k] - order[k] ** 2)
        found[name] = two_sided((float((deviations**k).mean()) - order[k]) * root / error)
    return found


def correlation(x: Array, y: Array) -> float:
    """The p-value of the correlation of two arrays that should have none."""
    return two_sided(float(np.corrcoef(x.astype(np.float64), y.astype(np.float64))[0, 1]) * math.sqrt(x.size))


def spread(u: Array, cells: int = 256) -> float:
    """The p-value of numbers in [0, 1) in equal cells."""
    return even(np.bincount((u.astype(np.float64) * cells).astype(np.int64), minlength=cells))


def pairs(u: Array, cells: int = 64) -> float:
    """The p-value of neighbours as points of the unit square, in equal cells."""
    cut = (u.astype(np.float64) * cells).astype(np.int64)[: u.size // 2 * 2]
    return even(np.bincount((cut[::2] * cells + cut[1::2]).astype(np.int64), minlength=cells * cells))


def of_uniform(u: Array) -> dict[str, float]:
    """The p-values of numbers that should be uniform in [0, 1)."""
    central = [0.0 if k % 2 else 0.5**k / (k + 1) for k in range(2, 9)]
    found = moments(u, 0.5, central)
    return found | {
        "chi-square": spread(u), "pairs": pairs(u),
        "lag 1": correlation(u[:-1], u[1:]), "lag 2": correlation(u[:-2], u[2:]),
    }  # fmt: skip


def of_normal(x: Array) -> dict[str, float]:
    """The p-values of numbers that should be standard normal."""
    found = moments(x, 0.0, [1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0])
    edges = [statistics.NormalDist().inv_cdf(k / 256) for k in range(1, 256)]
    counts = np.bincount(np.searchsorted(edges, x), minlength=256)
    half = x.size // 2
    return found | {
        "chi-square": even(counts), "halves": correlation(x[:half], x[half : 2 * half]),
        "squares of halves": correlation(x[:half] ** 2, x[half : 2 * half] ** 2),
        "lag 1": correlation(x[:-1], x[1:]), "lag 2": correlation(x[:-2], x[2:]),
    }  # fmt: skip


def of_bits(words: Array) -> dict[str, float]:
    """The p-values of 32-bit integers: ones in each bit, ones in each word, and bytes."""
    bits = np.unpackbits(words.view(np.uint8).reshape(-1, 4), axis=1)
    z = (bits.sum(0) - len(words) / 2) / math.sqrt(len(words) / 4)
    binomial = np.array([math.comb(32, k) for k in range(33)]) / 2.0**32 * len(words)
    ones = np.bincount(bits.sum(1).astype(np.int64), minlength=33)
    return {
        "bits": two_sided((float(z @ z) - 32.0) / 8.0),
        "ones in a word": chi_square(ones[4:29], binomial[4:29] / binomial[4:29].sum() * ones[4:29].sum()),
        "low bytes": even(np.bincount((words.view(np.uint32) & 0xFF).astype(np.int64), minlength=256)),
    }


def of_streams(words: Array) -> dict[str, float]:
    """The p-values of neighbouring streams, a row each: whether rows, columns and their differences look random."""
    changed = of_bits((words[1:] ^ words[:-1]).ravel())
    u = words.view(np.uint32).astype(np.float64) / 2.0**32
    return {
        "first of each": spread(u[:, 0], 64), "across": correlation(u[:-1].ravel(), u[1:].ravel()),
        "shifted across": correlation(u[:-1, 1:].ravel(), u[1:, :-1].ravel()),
        "changed bits": changed["bits"], "changed bits in a word": changed["ones in a word"],
    }  # fmt: skip
