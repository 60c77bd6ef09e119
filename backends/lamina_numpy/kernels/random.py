"""The shared hash of (key, draw, position), a block at a time in buffers that stay in the processor's cache.

The numbers are those of ``lamina_arrayapi.kernels.random`` to the last bit.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.random import COSINE, KEPT, LN_2, LOGARITHM, PI_2_32, SINE, SINGLE_WORD, WEYL, keys
from lamina_numpy.dtypes import numpy_dtype

kernels = KernelTable()
BLOCK = 32768
_SQRT_HALF = np.int64(0x3FE6A09E667F3BCD)  # the bits of the float64 nearest to the root of one half

_U16, _U15 = np.asarray(16, np.uint32), np.asarray(15, np.uint32)
_FIRST, _SECOND = np.asarray(0x7FEB352D, np.uint32), np.asarray(0x846CA68B, np.uint32)


@functools.cache
def _steps() -> Any:
    """The positions of one block, times the step of the Weyl sequence."""
    return np.arange(BLOCK, dtype=np.uint32) * np.asarray(WEYL, np.uint32)


def _mix(x: Any, t: Any) -> None:
    """The finalizer, in place; ``t`` is room for shifts."""
    np.right_shift(x, _U16, t)
    np.bitwise_xor(x, t, x)
    np.multiply(x, _FIRST, x)
    np.right_shift(x, _U15, t)
    np.bitwise_xor(x, t, x)
    np.multiply(x, _SECOND, x)
    np.right_shift(x, _U16, t)
    np.bitwise_xor(x, t, x)


class Stream:
    """The hashes of one seed, written into the caller's buffer."""

    def __init__(self, seed: Any, largest: int) -> None:
        self.first, second = keys(int(seed[0]), int(seed[1]))
        self.second = np.asarray(second, np.uint32)
        self.room = np.empty(min(largest, BLOCK), np.uint32)

    def fill(self, x: Any, position: int) -> Any:
        """The hashes of the positions from ``position`` on, as many as ``x`` holds."""
        room = self.room[: x.size]
        np.add(_steps()[: x.size], np.asarray(position * WEYL + self.first & 0xFFFFFFFF, np.uint32), x)
        _mix(x, room)
        np.add(x, self.second, x)
        _mix(x, room)
        return x


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def _buffers(count: int, *dtypes: Any) -> list[Any]:
    return [np.empty(min(count, BLOCK), dtype) for dtype in dtypes]


@kernels("random_uniform")
def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    values = np.empty(count, np.float64 if dtype == "float64" else np.float32)
    stream = Stream(seed, count)
    (bits,) = _buffers(count, np.uint32)
    if dtype == "float64":
        _fill_double(stream, bits, values)
    else:
        kept = KEPT[dtype]
        lost, scale = np.asarray(32 - kept, np.uint32), np.asarray(2.0**-kept, np.float32)
        for block in _blocks(count):
            x = stream.fill(bits[: block.stop - block.start], block.start)
            np.right_shift(x, lost, x)
            np.multiply(x.view(np.int32), scale, values[block], dtype=np.float32, casting="unsafe")
    return values.astype(numpy_dtype(dtype), copy=False).reshape(shape)


def _fill_double(stream: Stream, bits: Any, values: Any) -> None:
    """53 bits of two hashes each."""
    (low,) = _buffers(values.size, np.float64)
    for block in _blocks(values.size):
        x, y, target = bits[: block.stop - block.start], low[: block.stop - block.start], values[block]
        np.right_shift(stream.fill(x, block.start), np.uint32(5), x)
        np.multiply(x.view(np.int32), 67108864.0, target)
        np.right_shift(stream.fill(x, values.size + block.start), np.uint32(6), x)
        np.copyto(y, x.view(np.int32))
        np.add(target, y, target)
        np.multiply(target, 2.0**-53, target)


@kernels("random_integers")
def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
    count, span = math.prod(shape), np.asarray(high - low, np.uint64)
    values = np.empty(count, np.int32)
    stream = Stream(seed, count)
    bits, wide, more = _buffers(count, np.uint32, np.uint64, np.uint64)
    for block in _blocks(count):
        size = block.stop - block.start
        x, product = bits[:size], wide[:size]
        np.multiply(stream.fill(x, block.start), span, product, dtype=np.uint64)
        if high - low > SINGLE_WORD:
            np.multiply(stream.fill(x, count + block.start), span, more[:size], dtype=np.uint64)
            np.right_shift(more[:size], np.uint64(32), more[:size])
            np.add(product, more[:size], product)
        np.right_shift(product, np.uint64(32), product)
        np.add(product.view(np.int64), np.int64(low), values[block], dtype=np.int64, casting="unsafe")
    return values.reshape(shape)


@kernels("random_normal")
def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    pairs = (count + 1) // 2
    values = np.empty(2 * pairs, np.float64 if dtype == "float64" else np.float32)
    stream = Stream(seed, pairs)
    bits, *rooms = _buffers(pairs, np.uint32, *[np.float64] * 5)
    for block in _blocks(pairs):
        size = block.stop - block.start
        x, (radius, *room) = bits[:size], [b[:size] for b in rooms]
        _radii(stream.fill(x, block.start), radius, *room)
        cosine, sine = _on_circle(stream.fill(x, pairs + block.start), radius, *room)
        np.copyto(values[block], cosine, casting="same_kind")
        np.copyto(values[pairs + block.start : pairs + block.stop], sine, casting="same_kind")
    return values[:count].astype(numpy_dtype(dtype), copy=False).reshape(shape)


def _horner(coefficients: Any, z: Any, out: Any) -> Any:
    np.multiply(z, coefficients[-1], out)
    for c in coefficients[-2:0:-1]:
        np.add(out, c, out)
        np.multiply(out, z, out)
    return np.add(out, coefficients[0], out)


def _radii(x: Any, out: Any, f: Any, s: Any, z: Any, exponent: Any) -> None:
    """sqrt(-2 ln u) of u = (x + 1/2) / 2^32, by the exponent and the fraction near 1 that a number's bits hold."""
    np.copyto(f, x)
    np.add(f, 0.5, f)
    number, whole, scaled = f.view(np.int64), exponent.view(np.int64), z.view(np.int64)
    np.subtract(number, _SQRT_HALF, whole)
    np.right_shift(whole, 52, whole)
    np.left_shift(whole, 52, scaled)
    np.subtract(number, scaled, number)
    np.subtract(whole, 32.0, exponent)
    np.multiply(exponent, LN_2, exponent)
    np.subtract(f, 1.0, f)
    np.add(f, 2.0, s)
    np.divide(f, s, s)
    np.multiply(s, s, z)
    _horner(LOGARITHM, z, out)
    np.multiply(out, z, out)
    np.subtract(f, out, out)
    np.multiply(out, s, out)
    np.subtract(f, out, out)
    np.add(out, exponent, out)
    np.multiply(out, -2.0, out)
    np.sqrt(out, s)
    np.divide(1.0, s, s)
    np.multiply(out, s, out)


def _on_circle(x: Any, radius: Any, half: Any, z: Any, s: Any, c: Any) -> tuple[Any, Any]:
    """radius * cos(t) and radius * sin(t) of t = 2 pi x / 2^32, by half the angle's distance from a quarter turn."""
    sign = (x.view(np.int32) >> np.int32(31)) | np.int32(1)
    np.multiply(radius, sign, radius)
    np.bitwise_and(x, np.uint32(0x7FFFFFFF), x)
    np.subtract(np.int32(0x40000000), x.view(np.int32), sign)
    np.multiply(sign, PI_2_32, half)
    np.multiply(half, half, z)
    _horner(SINE, z, s)
    np.multiply(s, z, s)
    np.multiply(s, half, s)
    np.add(s, half, s)
    _horner(COSINE, z, c)
    np.multiply(c, z, c)
    np.add(c, 1.0, c)
    np.multiply(s, c, half)
    np.add(half, half, half)
    np.multiply(half, radius, half)
    np.subtract(c, s, z)
    np.add(c, s, c)
    np.multiply(c, z, c)
    np.multiply(c, radius, c)
    return half, c
