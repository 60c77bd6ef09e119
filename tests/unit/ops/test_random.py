"""Streams of random numbers as users draw from them; the numbers themselves are the conformance kit's."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.ops.random import SeedGenerator


def test_a_seed_gives_the_same_numbers() -> None:
    assert lamina.random.normal((4,), seed=1).tolist() == lamina.random.normal((4,), seed=1).tolist()
    assert lamina.random.normal((4,), seed=1).tolist() != lamina.random.normal((4,), seed=2).tolist()


def test_the_default_stream_starts_anew_with_set_seed() -> None:
    lamina.random.set_seed(9)
    first = [lamina.random.uniform((2,)).tolist() for _ in range(3)]
    lamina.random.set_seed(9)
    assert [lamina.random.uniform((2,)).tolist() for _ in range(3)] == first
    assert len({tuple(draw) for draw in first}) == 3


def test_threads_have_default_streams_of_their_own() -> None:
    lamina.random.set_seed(9)
    expected = lamina.random.uniform((2,)).tolist()
    lamina.random.set_seed(9)
    other = threading.Thread(target=lambda: lamina.random.uniform((2,)))
    other.start()
    other.join()
    assert lamina.random.uniform((2,)).tolist() == expected


def test_a_generator_counts_its_draws_in_a_variable() -> None:
    generator = SeedGenerator(5)
    first = lamina.random.uniform((2,), seed=generator)
    saved = generator.state.numpy()
    second = lamina.random.uniform((2,), seed=generator)
    generator.state.assign(saved)
    assert lamina.random.uniform((2,), seed=generator).tolist() == second.tolist() != first.tolist()


@pytest.mark.parametrize("seed", [0, -1, 2**31, 2**40])
def test_any_int_is_a_seed(seed: int) -> None:
    assert lamina.random.uniform((2,), seed=seed).shape == (2,)


def test_what_is_no_seed() -> None:
    with pytest.raises(ArgumentTypeError, match=r"seed is 1\.5"):
        lamina.random.uniform((2,), seed=1.5)


def test_ranges() -> None:
    drawn = lamina.random.uniform((1000,), -2.0, 3.0, seed=1).numpy()
    assert -2.0 <= drawn.min() < -1.9
    assert 2.9 < drawn.max() < 3.0
    integers = lamina.random.randint((1000,), 2, 5, seed=1).numpy()
    assert sorted(set(integers.tolist())) == [2, 3, 4]
    assert abs(lamina.random.truncated_normal((1000,), seed=1).numpy()).max() <= 2.0
    with pytest.raises(ArgumentError, match="low is 5 and high is 5"):
        lamina.random.randint((2,), 5, 5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes(dtype: str) -> None:
    for draw in (lamina.random.uniform, lamina.random.normal, lamina.random.truncated_normal):
        assert draw((2, 3), dtype=dtype, seed=1).dtype == dtype


def test_a_permutation_shuffles() -> None:
    order = lamina.random.permutation(100, seed=3)
    assert sorted(order.tolist()) == list(range(100))
    assert order.tolist() != list(range(100))
    np.testing.assert_array_equal(order, lamina.random.permutation(100, seed=3))


def test_bernoulli_takes_a_probability() -> None:
    assert abs(float(lamina.random.bernoulli((5000,), 0.25, seed=2).cast("float32").mean()) - 0.25) < 0.02
    with pytest.raises(ArgumentError, match=r"probability is 1\.5"):
        lamina.random.bernoulli((2,), 1.5)
