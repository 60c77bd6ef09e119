"""Cases of random numbers, against the hash of ``lamina.ops.random`` in Python's own integers."""

from __future__ import annotations

import math
import statistics
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import Array, bools, empty, normal, values
from lamina.testing.table import case

_MASK: Final = 0xFFFFFFFF
_WEYL: Final = 0x9E3779B1
_DRAWS: Final = {
    "uniform": -1,
    "normal": -2,
    "standard_normal": -3,
    "truncated_normal": -4,
    "randint": -8,
    "bernoulli": -9,
}


def _mix(x: int) -> int:
    """The finalizer lowbias32."""
    x ^= x >> 16
    x = (x * 0x7FEB352D) & _MASK
    x ^= x >> 15
    x = (x * 0x846CA68B) & _MASK
    return x ^ (x >> 16)


def bits(seed: Any, start: int, count: int) -> list[int]:
    """``count`` numbers below 2^32 of the stream of a seed."""
    key, draw = (int(s) & _MASK for s in seed)
    first = _mix((key + _WEYL) & _MASK)
    second = _mix((draw * _WEYL + first) & _MASK)
    inner = (_mix((i * _WEYL + first) & _MASK) for i in range(start, start + count))
    return [_mix((x + second) & _MASK) for x in inner]


def _own(function: str, seed: int) -> tuple[int, int]:
    """The seed that a function makes of an int."""
    return seed, _DRAWS[function]


def uniform(seed: Any, shape: tuple[int, ...], dtype: str = "float32") -> Array:
    """Numbers in [0, 1): as many top bits of the hash as the dtype's fraction has."""
    count = math.prod(shape)
    if dtype == "float64":
        pairs = zip(bits(seed, 0, count), bits(seed, count, count), strict=True)
        numbers = [((high >> 5) * 2**26 + (low >> 6)) / 2**53 for high, low in pairs]
    else:
        kept = {"float32": 24, "float16": 11, "bfloat16": 8}[dtype]
        numbers = [(b >> (32 - kept)) / 2**kept for b in bits(seed, 0, count)]
    return np.array(numbers, np.float64).reshape(shape)


def standard_normal(seed: Any, shape: tuple[int, ...], dtype: str = "float32") -> Array:
    """Box and Muller's transform of the hash in float64."""
    count = math.prod(shape)
    pairs = (count + 1) // 2
    radii = [math.sqrt(-2.0 * math.log((b + 0.5) / 2**32)) for b in bits(seed, 0, pairs)]
    angles = [2.0 * math.pi * b / 2**32 for b in bits(seed, pairs, pairs)]
    numbers = [r * math.cos(a) for r, a in zip(radii, angles, strict=True)]
    numbers += [r * math.sin(a) for r, a in zip(radii, angles, strict=True)]
    return np.array(numbers[:count], np.float64).reshape(shape)


def integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Array:
    """The hash scaled to a range: 32 bits of it, or 64 for more than 2^16 integers."""
    count, span = math.prod(shape), high - low
    if span <= 2**16:
        return np.array([low + (b * span >> 32) for b in bits(seed, 0, count)], int).reshape(shape)
    pairs = zip(bits(seed, 0, count), bits(seed, count, count), strict=True)
    return np.array([low + (((a << 32) + b) * span >> 64) for a, b in pairs], int).reshape(shape)


def _rounded(numbers: Array) -> Array:
    return np.rint(numbers).astype(int)


def _truncated(shape: tuple[int, ...], seed: int, dtype: str = "float32") -> Array:
    inverse = statistics.NormalDist().inv_cdf
    mass = math.erf(math.sqrt(2.0))
    drawn = uniform(_own("truncated_normal", seed), shape, "float64").ravel()
    return np.array([inverse(0.5 + mass * (u - 0.5)) for u in drawn.tolist()]).reshape(shape)


for _seed in (values([1, 0], "int32"), values([-5, 7], "int32"), values([2147483647, 2147483647], "int32")):
    for _dtype in ("float32", "float64"):
        case("random_uniform", [_seed], shape=(3, 5), dtype=_dtype, reference=uniform, loose=0.0)
        case("random_normal", [_seed], shape=(3, 5), dtype=_dtype, reference=standard_normal)
    case("random_integers", [_seed], shape=(4, 4), low=-3, high=12, reference=integers)
    case("random_integers", [_seed], shape=(4, 4), low=-3, high=3 * 2**29, reference=integers)
_seed = values([1, 0], "int32")
case("random_uniform", [_seed], shape=(), reference=uniform)
case("random_normal", [_seed], shape=(0, 3), reference=standard_normal)
case("random_integers", [_seed], shape=(9,), low=-(2**31), high=2**31, reference=integers)
case("random_uniform", [_seed], shape=(2,), dtype="int32", raises=ArgumentError)
case("random_normal", [_seed], shape=(2,), dtype="bool", raises=ArgumentError)
case("random_uniform", [normal(2)], shape=(2,), raises=DTypeError)
case("random_integers", [_seed], shape=(2,), low=3, high=3, raises=ArgumentError)

case("random.uniform", [(4,)], minval=-1.0, maxval=3.0, seed=5,
     reference=lambda shape, minval, maxval, seed: uniform(_own("uniform", seed), shape) * 4.0 - 1.0)  # fmt: skip
case("random.uniform", [(9,)], minval=-2, maxval=2.5, seed=5, dtype="int32",
     reference=lambda shape, minval, maxval, seed, dtype: integers(_own("uniform", seed), shape, -2, 3))  # fmt: skip
case("random.uniform", [(2,)], minval=2.0, maxval=1.0, raises=ArgumentError)
case("random.uniform", [(2,)], dtype="bool", raises=ArgumentError)
case("random.uniform", [(2,)], seed=1.5, raises=ArgumentTypeError)
case("random.uniform", [(2, 2.5)], raises=ArgumentTypeError)
case("random.normal", [(5,)], mean=2.0, stddev=0.5, seed=5,
     reference=lambda shape, mean, stddev, seed: standard_normal(_own("normal", seed), shape) * 0.5 + 2.0)  # fmt: skip
case("random.normal", [(9,)], stddev=5.0, seed=5, dtype="int32",
     reference=lambda shape, stddev, seed, dtype: _rounded(standard_normal((seed, -2), shape) * 5.0))  # fmt: skip
case("random.normal", [(2,)], stddev=-1.0, raises=ArgumentError)
case("random.standard_normal", [(5,)], seed=5,
     reference=lambda shape, seed: standard_normal(_own("standard_normal", seed), shape))  # fmt: skip
case("random.standard_normal", [(2,)], dtype="bool", raises=ArgumentError)
case("random.truncated_normal", [(40,)], seed=5, reference=_truncated)
case("random.truncated_normal", [(40,)], seed=5, dtype="float64", reference=_truncated, loose=100.0)
case("random.randint", [(6,), 2, 9], seed=5,
     reference=lambda shape, a, b, seed: integers(_own("randint", seed), shape, a, b))  # fmt: skip
case("random.randint", [(2,), 0, 300], dtype="uint8", raises=ArgumentError)
case("random.bernoulli", [(9,)], probability=0.3, seed=5,
     reference=lambda shape, probability, seed: uniform((seed, -9), shape) < np.float32(probability))  # fmt: skip
case("random.bernoulli", [(2,)], probability=1.5, raises=ArgumentError)
case("random.gamma", [(2,), 0.0], raises=ArgumentError)
case("random.gamma", [(2,), 1.0], beta=-1.0, raises=ArgumentError)
case("random.multinomial", [values([[0.0, -1e4, -1e4], [-1e4, -1e4, 0.0]]), 4], seed=5,
     reference=lambda logits, count, seed: np.repeat([[0], [2]], count, axis=1))  # fmt: skip
case("random.multinomial", [values([0.0, 1.0]), 3], seed=5, normalized=True,
     reference=lambda p, count, seed, normalized: np.ones(count, int))  # fmt: skip
case("random.multinomial", [empty(0, 3), 2], seed=5, reference=lambda logits, count, seed: np.zeros((0, 2), int))
case("random.multinomial", [normal(1), 2], raises=ShapeError)
case("random.multinomial", [normal(2, 3, 4), 2], raises=ShapeError)
case("random.multinomial", [bools(3), 2], raises=DTypeError)
case("random.multinomial", [normal(3), -1], raises=ArgumentError)
