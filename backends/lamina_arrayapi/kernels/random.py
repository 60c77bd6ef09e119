"""Random bits as a hash of (key, draw, position) in 32-bit integers: the same on every backend, in any order.

Two rounds of the finalizer "lowbias32" (Wellons 2018, found by search for low bias) over a Weyl sequence.
"""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable

WEYL = 0x9E3779B1


def mix(x: int) -> int:
    """The finalizer on one Python int; the arrays below do the same."""
    x ^= x >> 16
    x = x * 0x7FEB352D & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x846CA68B & 0xFFFFFFFF
    return x ^ x >> 16


def keys(key: int, draw: int) -> tuple[int, int]:
    """The two keys of one stream."""
    first = mix((key & 0xFFFFFFFF) + WEYL & 0xFFFFFFFF)
    return first, mix((draw & 0xFFFFFFFF) * WEYL + first & 0xFFFFFFFF)


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    def constant(value: int) -> Any:
        return xp.asarray(value, dtype=xp.uint32)

    def mixed(x: Any) -> Any:
        x = x ^ x >> constant(16)
        x = x * constant(0x7FEB352D)
        x = x ^ x >> constant(15)
        x = x * constant(0x846CA68B)
        return x ^ x >> constant(16)

    def bits(seed: Any, count: int, offset: int = 0) -> Any:
        first, second = keys(int(seed[0]), int(seed[1]))
        positions = xp.astype(xp.arange(offset, offset + count, dtype=xp.int64), xp.uint32)
        return mixed(mixed(positions * constant(WEYL) + constant(first)) + constant(second))

    @kernels("random_uniform")
    def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
        count = math.prod(shape)
        if dtype == "float64":
            high = xp.astype(bits(seed, count) >> constant(5), xp.float64)
            low = xp.astype(bits(seed, count, count) >> constant(6), xp.float64)
            values = (high * 67108864.0 + low) * 2.0**-53
        else:
            kept = {"float32": 24, "float16": 11, "bfloat16": 8}[dtype]
            values = xp.astype(bits(seed, count) >> constant(32 - kept), xp.float32) * 2.0**-kept
        return xp.reshape(xp.astype(values, getattr(xp, dtype)), shape)

    @kernels("random_normal")
    def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
        count = math.prod(shape)
        pairs = (count + 1) // 2
        radius = xp.sqrt(-2.0 * xp.log((xp.astype(bits(seed, pairs), xp.float64) + 0.5) * 2.0**-32))
        angle = xp.astype(bits(seed, pairs, pairs), xp.float64) * (2.0 * math.pi * 2.0**-32)
        values = xp.concat([radius * xp.cos(angle), radius * xp.sin(angle)])[:count]
        return xp.reshape(xp.astype(values, getattr(xp, dtype)), shape)

    @kernels("random_integers")
    def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
        wide = xp.astype(bits(seed, math.prod(shape)), xp.float64)
        values = xp.floor(wide * ((high - low) * 2.0**-32)) + low
        return xp.reshape(xp.astype(values, xp.int32), shape)

    return kernels
