"""Streams of random numbers as users draw from them; the numbers themselves are the conformance kit's."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from backends_here import here, scope
from lamina import initializers, layers
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


@pytest.mark.parametrize("recorded", [False, True])
def test_the_default_stream_goes_on_where_numbers_are_wanted(recorded: bool) -> None:
    def drawn(x: Any) -> Any:
        return x + lamina.random.uniform((2,))

    draw = lamina.function(drawn) if recorded else drawn
    lamina.random.set_seed(9)
    with scope("numpy"):
        expected = [drawn(lamina.zeros((2,))).tolist() for _ in range(24)]
    lamina.random.set_seed(9)
    found = []
    for count, name in ((6, "torch"), (1, "numpy"), (5, "torch"), (12, "numpy")):
        with scope(name):
            made = [draw(lamina.zeros((2,))) for _ in range(count)]
        assert {x.backend.name for x in made} == {name}
        found += [x.tolist() for x in made]
    assert found == expected


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


BACKENDS = ("numpy", "torch", "array_api_strict")
LARGE = 100_003  # several blocks of the NumPy kernels, and an odd number
EQUAL: dict[str, Callable[[], Any]] = {
    "uniform": lambda: lamina.random.uniform((LARGE,), seed=3),
    "uniform, float64": lambda: lamina.random.uniform((LARGE,), dtype="float64", seed=3),
    "uniform between bounds": lambda: lamina.random.uniform((LARGE,), -0.3, 7.7, seed=3),
    "uniform, int32": lambda: lamina.random.uniform((LARGE,), -5, 5, "int32", seed=3),
    "bernoulli": lambda: lamina.random.bernoulli((LARGE,), 0.3, seed=3),
    "randint": lambda: lamina.random.randint((LARGE,), -4, 10, seed=3),
    "randint of many": lambda: lamina.random.randint((LARGE,), -(2**31), 2**30 + 7, seed=3),
    "randint, uint8": lambda: lamina.random.randint((LARGE,), 0, 256, seed=3, dtype="uint8"),
    "normal": lambda: lamina.random.normal((LARGE,), 1.5, 0.3, seed=3),
    "normal, float64": lambda: lamina.random.normal((LARGE,), 1.5, 0.3, "float64", seed=3),
    "normal, int32": lambda: lamina.random.normal((LARGE,), 0.0, 9.0, "int32", seed=3),
    "standard_normal": lambda: lamina.random.standard_normal((LARGE,), seed=3),
    "truncated_normal": lambda: lamina.random.truncated_normal((LARGE,), 1.0, 0.3, seed=3),
    "truncated_normal, float64": lambda: lamina.random.truncated_normal((LARGE,), dtype="float64", seed=3),
    "multinomial": lambda: lamina.random.multinomial([[0.0, 1.0, 2.0], [1.0, -1.0, 0.5]], 5000, seed=3),
    "permutation": lambda: lamina.tensor(lamina.random.permutation(5000, seed=3)),
    "shuffle": lambda: lamina.random.shuffle(np.arange(600.0).reshape(300, 2), seed=3),
}


def on_each_backend(make: Callable[[], Any]) -> list[np.ndarray]:
    found = []
    for name in here(*BACKENDS):
        with lamina.backend_scope(name):
            found.append(make().numpy())
    return found


@pytest.mark.parametrize("name", EQUAL)
def test_a_seed_gives_the_same_bits_on_every_backend(name: str) -> None:
    first, *others = on_each_backend(EQUAL[name])
    for other in others:
        assert other.dtype == first.dtype
        np.testing.assert_array_equal(other.view(np.uint8), first.view(np.uint8))


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.5, 300.0])
def test_gamma_numbers_agree_within_one_unit_in_the_last_place(alpha: float) -> None:
    first, *others = on_each_backend(lambda: lamina.random.gamma((20_001,), alpha, 2.0, seed=3))
    for other in others:
        np.testing.assert_array_max_ulp(other, first, maxulp=1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("draw", ["uniform", "standard_normal", "truncated_normal"])
def test_half_precision_agrees_where_there_is_any(draw: str, dtype: str) -> None:
    found = []
    for name in here("numpy", "torch"):
        with lamina.backend_scope(name):
            found.append(getattr(lamina.random, draw)((LARGE,), dtype=dtype, seed=3).numpy())
    np.testing.assert_array_equal(found[0].view(np.uint16), found[1].view(np.uint16))


RANDOM = [
    initializers.RandomNormal, initializers.RandomUniform, initializers.TruncatedNormal, initializers.GlorotNormal,
    initializers.GlorotUniform, initializers.HeNormal, initializers.HeUniform, initializers.LecunNormal,
    initializers.LecunUniform,
]  # fmt: skip


@pytest.mark.parametrize("initializer", RANDOM)
def test_initial_weights_agree_everywhere(initializer: Callable[..., Any]) -> None:
    first, *others = on_each_backend(lambda: initializer(seed=3)((30, 20)))
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_orthogonal_weights_agree_everywhere() -> None:
    first, *others = on_each_backend(lambda: initializers.Orthogonal(seed=3)((30, 20)))
    for other in others:
        np.testing.assert_allclose(other, first, rtol=0, atol=1e-6)


def test_dropout_masks_agree_everywhere_and_change() -> None:
    masks = []
    for name in here(*BACKENDS):
        with lamina.backend_scope(name):
            dropout = layers.Dropout(0.4, seed=3)
            masks.append([dropout(lamina.ones((50, 20)), training=True).numpy() for _ in range(2)])
    for first, second in masks:
        np.testing.assert_array_equal(first, masks[0][0])
        np.testing.assert_array_equal(second, masks[0][1])
        assert (first != second).any()


DRAWS: dict[str, Callable[[Any], Any]] = {
    "uniform": lambda seed: lamina.random.uniform((64,), seed=seed),
    "truncated_normal": lambda seed: lamina.random.truncated_normal((64,), seed=seed),
    "normal": lambda seed: lamina.random.normal((64,), seed=seed),
    "standard_normal": lambda seed: lamina.random.standard_normal((64,), seed=seed),
    "randint": lambda seed: lamina.random.randint((64,), 0, 2**16, seed=seed),
    "gamma": lambda seed: lamina.random.gamma((64,), 0.5, seed=seed),
    "bernoulli": lambda seed: lamina.random.bernoulli((64,), seed=seed),
    "multinomial": lambda seed: lamina.random.multinomial([0.0, 0.0, 0.0], 64, seed=seed),
    "permutation": lambda seed: lamina.tensor(lamina.random.permutation(64, seed=seed)),
    "shuffle": lambda seed: lamina.random.shuffle(np.arange(64), seed=seed),
}


class Streams:
    """Hears which seeds the draws of backends get."""

    def __init__(self) -> None:
        self.seeds: list[tuple[int, ...]] = []

    def draws(self, monkeypatch: pytest.MonkeyPatch) -> None:
        functions = lamina.get_backend().kernels.functions
        for name in ("random_uniform", "random_normal", "random_integers"):
            monkeypatch.setitem(functions, name, self._heard(functions[name]))

    def _heard(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def heard(seed: Any, **attrs: Any) -> Any:
            self.seeds.append(tuple(int(s) for s in seed))
            return kernel(seed, **attrs)

        return heard


def test_no_two_calls_share_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """One int, for every function as an int, in a generator of each kind, and as the thread's seed."""
    with lamina.backend_scope("numpy"):
        streams = Streams()
        streams.draws(monkeypatch)
        generator = SeedGenerator(7)
        lamina.random.set_seed(7)
        for draw in DRAWS.values():
            for seed in (7, generator, generator, None, None):
                draw(seed)
    assert len(streams.seeds) == 5 * (len(DRAWS) + 2)  # a gamma draw of alpha < 1 needs three streams
    assert len(set(streams.seeds)) == len(streams.seeds)


@pytest.mark.parametrize("name", DRAWS)
def test_each_function_follows_its_seed(name: str) -> None:
    draw = DRAWS[name]
    assert draw(7).tolist() == draw(7).tolist() != draw(8).tolist()
    generator = SeedGenerator(7)
    first, second = draw(generator).tolist(), draw(generator).tolist()
    assert first != second
    assert draw(SeedGenerator(7)).tolist() == first


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", [name for name in DRAWS if name not in ("permutation", "shuffle")])
def test_replayed_steps_draw_new_numbers(name: str, backend: str) -> None:
    draw = DRAWS[name]
    with scope(backend):
        generator, eager = SeedGenerator(7), SeedGenerator(7)
        step = lamina.function(lambda: draw(generator))
        found = [step().tolist() for _ in range(6)]
        assert found == [draw(eager).tolist() for _ in range(6)]
    assert len({tuple(numbers) for numbers in found}) == 6


def test_no_number_reaches_the_upper_bound() -> None:
    """The largest number below 1, times a narrow range, would round up to its end."""
    drawn = lamina.random.uniform((200_000,), 1000.0, 1000.001, seed=1).numpy()
    assert drawn.max() < np.float32(1000.001)
    assert drawn.min() == 1000.0
    assert lamina.random.uniform((3,), 2.0, 2.0, seed=1).tolist() == [2.0, 2.0, 2.0]


def test_integers_from_uniform_are_equally_likely() -> None:
    counts = np.bincount(lamina.random.uniform((30_000,), -1, 2, "int32", seed=1).numpy() + 1)
    assert abs(counts - 10_000).max() < 400


def test_integers_within_a_dtype() -> None:
    assert lamina.random.randint((4,), 0, 256, seed=1, dtype="uint8").dtype == "uint8"
    with pytest.raises(ArgumentError, match="minval is 0 and maxval is 257"):
        lamina.random.randint((4,), 0, 257, dtype="uint8")
    with pytest.raises(ArgumentError, match="float32"):
        lamina.random.randint((4,), 0, 2, dtype="float32")


def test_truncated_normal_is_exact_in_float64() -> None:
    """Against Newton's method on the error function."""
    drawn = lamina.random.truncated_normal((300,), dtype="float64", seed=5).numpy()
    u = lamina.random.random_uniform([5, -4], (300,), "float64").numpy()
    p = (2.0 * u - 1.0) * math.erf(math.sqrt(2.0))
    for x, wanted in zip((drawn / math.sqrt(2.0)).tolist(), p.tolist(), strict=True):
        error = (math.erf(x) - wanted) / (2.0 / math.sqrt(math.pi) * math.exp(-x * x))
        assert abs(error) < 2e-15


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0, 1e4])
def test_gamma_moments(alpha: float) -> None:
    drawn = lamina.random.gamma((40_000,), alpha, 2.0, "float64", seed=2).numpy()
    assert drawn.mean() == pytest.approx(alpha / 2.0, abs=4.0 * math.sqrt(alpha / 4.0 / 40_000))
    assert drawn.var() == pytest.approx(alpha / 4.0, rel=4.0 * math.sqrt((2.0 + 6.0 / alpha) / 40_000))
    assert (drawn >= 0.0).all()


def test_rows_of_a_multinomial_draw_alone() -> None:
    rows = lamina.random.multinomial(np.zeros((2, 5)), 2000, seed=1).numpy()
    assert rows.dtype == np.int32
    assert abs((rows[0] == rows[1]).mean() - 0.2) < 0.04


def test_multinomial_of_probabilities() -> None:
    drawn = lamina.random.multinomial([0.0, 0.25, 0.75], 8000, seed=1, normalized=True).numpy()
    counts = np.bincount(drawn, minlength=3) / 8000
    np.testing.assert_allclose(counts, [0.0, 0.25, 0.75], atol=0.02)


def test_shuffle_along_an_axis() -> None:
    x = np.arange(60.0).reshape(3, 20)
    shuffled = lamina.random.shuffle(x, seed=1, axis=1).numpy()
    assert (shuffled != x).any()
    np.testing.assert_array_equal(np.sort(shuffled, axis=1), x)
    np.testing.assert_array_equal(shuffled[1] - 20.0, shuffled[0])


def test_numbers_of_the_users_own() -> None:
    numbers = iter(range(6))
    made = lamina.random.rand((2, 3), lambda: next(numbers), "int32")
    assert made.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert made.dtype == "int32"
    assert lamina.random.rand((2,), lambda: 0.5).dtype == "float32"
    assert lamina.random.rand((0,), lambda: 0.5).shape == (0,)


def test_a_seed_may_be_a_pair() -> None:
    seed = SeedGenerator(3).next()
    assert lamina.random.gamma((2,), 0.5, seed=seed).tolist() == lamina.random.gamma((2,), 0.5, seed=seed).tolist()
    with pytest.raises(ArgumentError, match=r"shape \(3,\)"):
        lamina.random.uniform((2,), seed=lamina.tensor([1, 2, 3]))
