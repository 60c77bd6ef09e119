"""Random numbers: functions of an explicit seed, the same on every backend.

A seed is a pair of int32: a key and the number of the draw. Bits come from hashing (key, draw, position), so a stream
needs no memory and splits freely; a ``SeedGenerator`` is a Variable that counts the draws, so replayed steps draw anew.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

import numpy as np

from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import ArgumentError
from lamina.ops.elementwise import add, cast, clip, divide, erf, exp, less, multiply, square, subtract
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Spec, as_int, as_shape

_SEED = {"seed": ("int32",)}


class SeedGenerator:
    """A stream of seeds: each draw takes the next. ``seed`` None takes one from the operating system.

    >>> a, b = SeedGenerator(7), SeedGenerator(7)
    >>> a.next().tolist() == b.next().tolist(), a.next().tolist() == a.next().tolist()
    (True, False)
    """

    def __init__(self, seed: int | None = None, name: str = "seed_generator") -> None:
        self.seed = int.from_bytes(os.urandom(4), "little") >> 1 if seed is None else as_int(seed, "seed")
        self.state = Variable(_pair(self.seed, 0), trainable=False, name=f"{name}/state")

    def next(self) -> Tensor:
        """The next seed, shape (2,), int32."""
        seed = self.state.value
        self.state.assign(add(seed, to_tensor(_pair(0, 1), backend=self.state.backend)))
        return seed


def _pair(key: int, draw: int) -> np.ndarray[Any, Any]:
    return np.array([key & 0xFFFFFFFF, draw], np.uint32).view(np.int32)


_DEFAULT: ContextVar[SeedGenerator | None] = ContextVar("lamina_seed_generator", default=None)


def default_generator() -> SeedGenerator:
    """The generator of this thread or task from which draws without a seed take theirs."""
    generator = _DEFAULT.get()
    if generator is None:
        generator = SeedGenerator()
        _DEFAULT.set(generator)
    return generator


def set_seed(seed: int) -> None:
    """Starts the stream of this thread or task from which draws without a seed take theirs.

    >>> set_seed(1); a = uniform((2,)).tolist()
    >>> set_seed(1); a == uniform((2,)).tolist()
    True
    """
    _DEFAULT.set(SeedGenerator(as_int(seed, "seed")))


def _seed_tensor(seed: Any) -> Tensor:
    if seed is None:
        return default_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (Tensor, Variable)):
        return to_tensor(seed)
    return to_tensor(_pair(as_int(seed, "seed"), 0))


def _drawn(seed: Any, shape: Any, dtype: str) -> Spec:
    return Spec(shape, dtype)


def _settings(seed: Tensor, shape: Any, dtype: Any) -> dict[str, Any]:
    wanted = canonical_dtype(dtype)
    if wanted not in FLOATING:
        raise ArgumentError(f"random numbers of dtype {wanted}.", expected=f"one of {', '.join(FLOATING)}.")
    return {"shape": as_shape(shape), "dtype": wanted}


@op(result=_drawn, dtypes=_SEED, effect="random", public=False)
def random_uniform(seed: TensorLike, shape: Any, dtype: Any = "float32") -> Tensor:
    """Uniform numbers in [0, 1): the top bits of a hash, equal on every backend.

    >>> random_uniform([1, 0], (0,)).tolist()
    []
    """


@op(result=_drawn, dtypes=_SEED, effect="random", public=False)
def random_normal(seed: TensorLike, shape: Any, dtype: Any = "float32") -> Tensor:
    """Standard normal numbers by Box and Muller's transform in float64, equal on every backend within 1 ulp.

    >>> random_normal([1, 0], (0,)).tolist()
    []
    """


random_uniform.settings(_settings)
random_normal.settings(_settings)


@op(result=lambda seed, shape, low, high: Spec(shape, "int32"), dtypes=_SEED, effect="random", public=False)
def random_integers(seed: TensorLike, shape: Any, low: int, high: int) -> Tensor:
    """Integers from low up to but without high, each equally likely within 2^-32, equal on every backend.

    >>> random_integers([1, 0], (0,), 0, 10).tolist()
    []
    """


@random_integers.settings
def _(seed: Tensor, shape: Any, low: Any, high: Any) -> dict[str, Any]:
    first, last = as_int(low, "low"), as_int(high, "high")
    if not -(2**31) <= first < last <= 2**31:
        raise ArgumentError(f"randint: low is {first} and high is {last}.", expected="low < high within int32.")
    return {"shape": as_shape(shape), "low": first, "high": last}


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Numbers in [minval, maxval), each equally likely. ``seed`` is an int, a SeedGenerator, or None for the default.

    >>> uniform((2,), seed=3).tolist() == uniform((2,), seed=3).tolist()
    True
    """
    drawn = random_uniform(_seed_tensor(seed), shape, dtype)
    if (minval, maxval) == (0.0, 1.0):
        return drawn
    return add(multiply(drawn, float(maxval) - float(minval)), float(minval))


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Normal numbers with a mean and a standard deviation. ``seed`` as for ``uniform``.

    >>> normal((3,), seed=3).shape
    (3,)
    """
    return add(multiply(random_normal(_seed_tensor(seed), shape, dtype), float(stddev)), float(mean))


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None
) -> Tensor:
    """Normal numbers within two standard deviations of the mean, by inverting the distribution function.

    The inverse error function is found by Newton's method on ``erf``, so it is exact to the dtype.

    >>> bool((truncated_normal((100,), seed=3).abs() <= 2.0).all())
    True
    """
    bound = 0.9544997361036416  # erf(2 / sqrt(2)): the mass within two standard deviations
    p = multiply(subtract(multiply(random_uniform(_seed_tensor(seed), shape, "float64"), 2.0), 1.0), bound)
    x = multiply(p, 0.8862269254527579)
    for _ in range(12):
        slope = multiply(exp(multiply(square(x), -1.0)), 1.1283791670955126)
        x = clip(subtract(x, divide(subtract(erf(x), p), slope)), -1.4142135623730951, 1.4142135623730951)
    return cast(add(multiply(x, float(stddev) * 1.4142135623730951), float(mean)), dtype)


def randint(shape: Any, minval: int, maxval: int, seed: Any = None) -> Tensor:
    """Integers from minval up to but without maxval, as int32. ``seed`` as for ``uniform``.

    >>> bool((randint((9,), 2, 4, seed=1) < 4).all())
    True
    """
    return random_integers(_seed_tensor(seed), shape, minval, maxval)


def bernoulli(shape: Any, probability: float = 0.5, seed: Any = None) -> Tensor:
    """True with a probability, as bool. ``seed`` as for ``uniform``.

    >>> bernoulli((2,), 1.0, seed=1).tolist()
    [True, True]
    """
    if not 0.0 <= probability <= 1.0:
        raise ArgumentError(f"bernoulli: probability is {probability}.", expected="a number between 0 and 1.")
    return less(random_uniform(_seed_tensor(seed), shape, "float32"), float(probability))


def permutation(count: int, seed: Any = None) -> np.ndarray[Any, Any]:
    """The numbers 0 to count - 1 in random order, as a NumPy array: what shuffles training data.

    >>> sorted(permutation(4, seed=1).tolist())
    [0, 1, 2, 3]
    """
    keys = random_uniform(_seed_tensor(seed), (count,), "float64").numpy()
    order: np.ndarray[Any, Any] = np.argsort(keys, kind="stable")
    return order
