"""lamina's numbers pass the tests of randomness, and numbers that are not random do not."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import random_numbers, random_quality

COUNT = 2**16
FINE = 1e-4
"""With fixed seeds nothing here is left to chance; some 50 good p-values are all above this 99.5 times of 100."""


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("seed", [1, -7])
def test_laminas_numbers_look_random(seed: int) -> None:
    found = random_numbers.quality(COUNT, seed)
    assert {(kind, name): p for kind, tests in found.items() for name, p in tests.items() if p < FINE} == {}


def test_good_numbers_pass() -> None:
    numbers = generator()
    found = random_quality.of_uniform(numbers.random(COUNT)) | random_quality.of_normal(numbers.standard_normal(COUNT))
    words = numbers.integers(0, 2**32, COUNT, np.uint32)
    found |= random_quality.of_bits(words) | random_quality.of_streams(words.reshape(-1, 64))
    assert min(found.values()) > FINE


def randu() -> np.ndarray:
    """IBM's generator of the sixties, whose triples lie on 15 planes: its neighbours' low bits give it away."""
    words, x = np.empty(COUNT, np.uint32), 1
    for i in range(COUNT):
        words[i] = x = x * 65539 % 2**31
    return words


UNIFORM = {
    "shifted": (lambda u: (u + 0.01) % 1.0 * 0.99, "mean"),
    "narrow": (lambda u: 0.5 + (u - 0.5) * 0.98, "variance"),
    "skew": (lambda u: u**1.02, "skewness"),
    "humped": (lambda u: (u + np.roll(u, 1)) / 2, "kurtosis"),
    "coarse": (lambda u: np.floor(u * 1000) / 1000, "chi-square"),
    "sorted": (np.sort, "lag 1"),
    "paired": (lambda u: np.repeat(u[::2], 2), "pairs"),
    "period": (lambda u: np.repeat(u.reshape(-1, 2)[::2], 2, 0).ravel(), "lag 2"),
    "too even": (lambda u: (np.arange(u.size) + 0.5) / u.size, "chi-square"),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_bad_uniform_numbers_fail(name: str) -> None:
    spoil, test = UNIFORM[name]
    assert random_quality.of_uniform(spoil(generator().random(COUNT)))[test] < FINE


NORMAL = {
    "three uniform ones": (lambda x: 2.0 * generator().random((COUNT, 3)).sum(1) - 3.0, "kurtosis"),
    "cut": (lambda x: np.clip(x, -2, 2), "variance"),
    "one angle": (lambda x: np.concatenate([x[: COUNT // 2], x[: COUNT // 2]]), "halves"),
    "one radius": (lambda x: np.concatenate([x[: COUNT // 2], -np.abs(x[: COUNT // 2])]), "squares of halves"),
    "rounded": (lambda x: np.round(x, 1), "chi-square"),
}


@pytest.mark.parametrize("name", NORMAL)
def test_bad_normal_numbers_fail(name: str) -> None:
    spoil, test = NORMAL[name]
    assert random_quality.of_normal(spoil(generator().standard_normal(COUNT)))[test] < FINE


def test_a_linear_congruence_fails() -> None:
    found = random_quality.of_bits(randu())
    assert found["bits"] < FINE
    assert found["low bytes"] < FINE


def test_streams_that_overlap_fail() -> None:
    words = generator().integers(0, 2**32, COUNT, np.uint32)
    overlapping = np.lib.stride_tricks.sliding_window_view(words[:1087], 64).copy()
    assert random_quality.of_streams(overlapping)["shifted across"] < FINE


def test_streams_that_hardly_differ_fail() -> None:
    words = generator().integers(0, 2**32, 64, np.uint32)
    counted = words[None] + np.arange(1024, dtype=np.uint32)[:, None]
    found = random_quality.of_streams(counted)
    assert found["across"] < FINE
    assert found["changed bits"] < FINE


def test_a_hash_without_mixing_fails() -> None:
    words = np.arange(COUNT, dtype=np.uint32) * np.uint32(0x9E3779B1)
    assert random_quality.of_uniform(words / 2.0**32)["chi-square"] < FINE


def test_p_values_are_evenly_spread() -> None:
    numbers = generator()
    values = [random_quality.even(np.bincount(numbers.integers(0, 50, 5000), minlength=50)) for _ in range(400)]
    assert random_quality.spread(np.array(values), 10) > FINE


def test_the_tables() -> None:
    assert "uniform" in random_numbers.cost(64, 3)
    assert "2 tests; the smallest p is 0.2500" in random_numbers.report({"bits": {"a": 0.25, "b": 0.5}})
