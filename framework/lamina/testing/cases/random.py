"""Cases of random numbers, against the hash of ``lamina.ops.random`` in Python's own integers."""

from __future__ import annotations

import math
import statistics
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError
from lamina.testing.inputs import Array, normal, values
from lamina.testing.table import case

_MASK: Final = 0xFFFFFFFF
_WEYL: Final = 0x9E3779B1


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
    """The hash scaled to a range."""
    return np.array([low + (b * (high - low) >> 32) for b in bits(seed, 0, math.prod(shape))], int).reshape(shape)


def _truncated(shape: tuple[int, ...], seed: int, dtype: str = "float32") -> Array:
    inverse = statistics.NormalDist().inv_cdf
    mass = math.erf(math.sqrt(2.0))
    drawn = uniform((seed, 0), shape, "float64").ravel()
    return np.array([inverse(0.5 + mass * (u - 0.5)) for u in drawn.tolist()]).reshape(shape)


for _seed in (values([1, 0], "int32"), values([-5, 7], "int32"), values([2147483647, 2147483647], "int32")):
    for _dtype in ("float32", "float64"):
        case("random_uniform", [_seed], shape=(3, 5), dtype=_dtype, reference=uniform, loose=0.0)
        case("random_normal", [_seed], shape=(3, 5), dtype=_dtype, reference=standard_normal)
    case("random_integers", [_seed], shape=(4, 4), low=-3, high=12, reference=integers)
_seed = values([1, 0], "int32")
case("random_uniform", [_seed], shape=(), reference=uniform)
case("random_normal", [_seed], shape=(0, 3), reference=standard_normal)
case("random_integers", [_seed], shape=(9,), low=-(2**31), high=2**31, reference=integers)
case("random_uniform", [_seed], shape=(2,), dtype="int32", raises=ArgumentError)
case("random_normal", [_seed], shape=(2,), dtype="bool", raises=ArgumentError)
case("random_uniform", [normal(2)], shape=(2,), raises=DTypeError)
case("random_integers", [_seed], shape=(2,), low=3, high=3, raises=ArgumentError)

case("random.uniform", [(4,)], minval=-1.0, maxval=3.0, seed=5,
     reference=lambda shape, minval, maxval, seed: uniform((seed, 0), shape) * 4.0 - 1.0)  # fmt: skip
case("random.normal", [(5,)], mean=2.0, stddev=0.5, seed=5,
     reference=lambda shape, mean, stddev, seed: standard_normal((seed, 0), shape) * 0.5 + 2.0)  # fmt: skip
case("random.truncated_normal", [(40,)], seed=5, reference=_truncated)
case("random.truncated_normal", [(40,)], seed=5, dtype="float64", reference=_truncated, loose=100.0)
case("random.randint", [(6,), 2, 9], seed=5, reference=lambda shape, a, b, seed: integers((5, 0), shape, a, b))
case("random.bernoulli", [(9,)], probability=0.3, seed=5,
     reference=lambda shape, probability, seed: uniform((seed, 0), shape) < np.float32(probability))  # fmt: skip
case("random.bernoulli", [(2,)], probability=1.5, raises=ArgumentError)
case("random.uniform", [(2,)], seed=1.5, raises=ArgumentTypeError)
