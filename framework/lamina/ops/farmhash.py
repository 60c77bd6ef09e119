"""FarmHash's Fingerprint64 (Pike and Alakuijala 2014, github.com/google/farmhash): one number for any bytes, for ever.

Pure Python on whole numbers; no arrays.
"""

from __future__ import annotations

from typing import Final

_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_SEED: Final = 81

Pair = tuple[int, int]


def fingerprint64(data: bytes) -> int:
    """The 64-bit fingerprint of some bytes, as an unsigned number.

    >>> fingerprint64(b"test")
    8581389452482819506
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    return _up_to_64(data, size) if size <= 64 else _longer(data, size)


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _rotate(value: int, shift: int) -> int:
    value &= _MASK
    return (value >> shift | value << (64 - shift)) & _MASK


def _mix(value: int) -> int:
    value &= _MASK
    return value ^ (value >> 47)


def _pair(u: int, v: int, factor: int) -> int:
    """Two words mixed into one."""
    u, v = u & _MASK, v & _MASK
    a = _mix((u ^ v) * factor)
    return _mix((v ^ a) * factor) * factor & _MASK


def _up_to_16(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _pair(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if size >= 4:
        return _pair(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _halves(data: bytes, size: int) -> tuple[int, int, int, int]:
    """What the first and the last 16 bytes give: two words, the first one's share, the factor."""
    factor = _K2 + 2 * size
    first = _K1 if size <= 32 else _K2
    a, b = _word(data, 0) * first, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    return _rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, a, factor


def _up_to_32(data: bytes, size: int) -> int:
    y, z, _, factor = _halves(data, size)
    return _pair(y, z, factor)


def _up_to_64(data: bytes, size: int) -> int:
    y, z, a, factor = _halves(data, size)
    z = _pair(y, z, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    return _pair(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _weak(data: bytes, start: int, a: int, b: int) -> Pair:
    """Four words from ``start`` on, mixed into a pair."""
    w, x, y, z = (_word(data, start + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    return (a + z) & _MASK, (b + _rotate(a, 44) + c) & _MASK


def _round(
    data: bytes, at: int, state: tuple[int, int, int, Pair, Pair], factor: int, last: int
) -> tuple[int, int, int, Pair, Pair]:
    """One block of 64 bytes; ``last`` is 9 in the closing one, else 1."""
    x, y, z, v, w = state
    x = _rotate(x + y + v[0] + _word(data, at + 8), 37) * factor
    y = _rotate(y + v[1] + _word(data, at + 48), 42) * factor
    x = (x ^ w[1] * last) & _MASK
    y += v[0] * last + _word(data, at + 40)
    z = _rotate(z + w[0], 33) * factor & _MASK
    v = _weak(data, at, v[1] * factor, x + w[0])
    w = _weak(data, at + 32, z + w[1], y + _word(data, at + 16))
    return z, y & _MASK, x, v, w


def _longer(data: bytes, size: int) -> int:
    y = (_SEED * _K1 + 113) & _MASK
    z = _mix(y * _K2 + 113) * _K2 & _MASK
    state = ((_SEED * _K2 + _word(data, 0)) & _MASK, y, z, (0, 0), (0, 0))
    for at in range(0, (size - 1) // 64 * 64, 64):
        state = _round(data, at, state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1)
    rest = w[0] + ((size - 1) & 63)
    v = (v[0] + rest, v[1])
    state = _round(data, size - 64, (x, y, z, v, (rest + v[0], w[1])), factor, 9)
    x, y, z, v, w = state
    return _pair(_pair(v[0], w[0], factor) + _mix(y) * _K0 + z, _pair(v[1], w[1], factor) + x, factor)
