"""Random bits as a hash of (key, draw, position) in 32-bit integers: the same on every backend, in any order.

Two rounds of the finalizer "lowbias32" (Wellons 2018, found by search for low bias) over a Weyl sequence.
"""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable

WEYL = 0x9E3779B1
KEPT = {"float32": 24, "float16": 11, "bfloat16": 8}
SINGLE_WORD = 2**16  # up to this many integers one hash will do: each is likely to within 2^-16 of its share

# ln(1 + f) = f - s (f - z L(z)) with s = f / (2 + f), sin(t) = t + t z S(z), cos(t) = 1 + z C(z), each with z the
# square of s or t, |t| <= pi / 4 and sqrt(1/2) - 1 <= f <= sqrt(2) - 1: the polynomials of fdlibm (Sun 1993).
LN_2 = math.log(2.0)
PI_2_32 = math.pi * 2.0**-32
LOGARITHM = (0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784,
             0.1818357216161805, 0.15313837699209373, 0.14798198605116586)  # fmt: skip
SINE = (-0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-06,
        -2.5050760253406863e-08, 1.58969099521155e-10)  # fmt: skip
COSINE = (-0.5, 0.0416666666666666, -0.001388888888887411, 2.480158728947673e-05, -2.7557314351390663e-07,
          2.087572321298175e-09, -1.1359647557788195e-11)  # fmt: skip


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
        key, draw = xp.astype(seed[0], xp.uint32), xp.astype(seed[1], xp.uint32)  # as keys() does: no wait for a device
        first = mixed(key + constant(WEYL))
        second = mixed(draw * constant(WEYL) + first)
        positions = xp.astype(xp.arange(offset, offset + count, dtype=xp.int64), xp.uint32)
        return mixed(mixed(positions * constant(WEYL) + first) + second)

    @kernels("random_uniform")
    def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
        count = math.prod(shape)
        if dtype == "float64":
            high = xp.astype(bits(seed, count) >> constant(5), xp.float64)
            low = xp.astype(bits(seed, count, count) >> constant(6), xp.float64)
            values = (high * 67108864.0 + low) * 2.0**-53
        else:
            kept = KEPT[dtype]
            values = xp.astype(bits(seed, count) >> constant(32 - kept), xp.float32) * 2.0**-kept
        return xp.reshape(xp.astype(values, getattr(xp, dtype)), shape)

    @kernels("random_normal")
    def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
        count = math.prod(shape)
        pairs = (count + 1) // 2
        values = xp.concat(on_circle(xp, bits(seed, pairs, pairs), radii(xp, bits(seed, pairs))))[:count]
        if dtype != "float64":
            values = xp.astype(values, xp.float32)  # half precision comes from here everywhere
        return xp.reshape(xp.astype(values, getattr(xp, dtype)), shape)

    @kernels("random_integers")
    def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
        count, span, word = math.prod(shape), xp.asarray(high - low, dtype=xp.uint64), xp.asarray(32, dtype=xp.uint64)
        product = xp.astype(bits(seed, count), xp.uint64) * span
        if high - low > SINGLE_WORD:
            product = product + (xp.astype(bits(seed, count, count), xp.uint64) * span >> word)
        values = xp.astype(product >> word, xp.int64) + low
        return xp.reshape(xp.astype(values, xp.int32), shape)

    return kernels


def horner(coefficients: tuple[float, ...], z: Any) -> Any:
    """The polynomial of z by Horner's rule: every backend rounds after each product and each sum."""
    value = z * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        value = (value + coefficient) * z
    return value + coefficients[0]


def radii(xp: Any, x: Any) -> Any:
    """sqrt(-2 ln u) of u = (x + 1/2) / 2^32."""
    number = xp.astype(x, xp.float64) + 0.5
    exponent = xp.floor(xp.log2(number) + 0.5)  # never in doubt: no half of an integer is near sqrt(1/2) 2^n
    power = xp.ones_like(exponent, dtype=xp.int64) << (33 - xp.astype(exponent, xp.int64))
    f = number * xp.astype(power, xp.float64) * 2.0**-33 - 1.0
    s = f / (f + 2.0)
    z = s * s
    square = (f - (f - horner(LOGARITHM, z) * z) * s + (exponent - 32.0) * LN_2) * -2.0
    return square * (1.0 / xp.sqrt(square))  # no plain root: Torch's is not rounded correctly on every processor


def on_circle(xp: Any, x: Any, radius: Any) -> tuple[Any, Any]:
    """radius * cos(t) and radius * sin(t) of t = 2 pi x / 2^32, by half its distance from a quarter turn."""
    radius = radius * (1.0 - 2.0 * xp.astype(x >> xp.asarray(31, dtype=xp.uint32), xp.float64))
    half = (1073741824.0 - xp.astype(x & xp.asarray(0x7FFFFFFF, dtype=xp.uint32), xp.float64)) * PI_2_32
    z = half * half
    s = horner(SINE, z) * z * half + half
    c = horner(COSINE, z) * z + 1.0
    return s * c * 2.0 * radius, (c + s) * (c - s) * radius
