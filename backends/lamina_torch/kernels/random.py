"""The shared hash of (key, draw, position), in int32 because torch has no arithmetic on uint32.

Products and sums wrap around in both; a logical shift is an arithmetic one with the sign's copies masked away. The
numbers are those of ``lamina_arrayapi.kernels.random`` to the last bit.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.random import COSINE, KEPT, LN_2, LOGARITHM, PI_2_32, SINE, SINGLE_WORD, WEYL, keys
from lamina_torch import host
from lamina_torch.dtypes import TORCH_DTYPES

kernels = KernelTable()
_SQRT_HALF = 0x3FE6A09E667F3BCD  # the bits of the float64 nearest to the root of one half


def signed(value: int) -> int:
    """A 32-bit pattern as the int32 that has it."""
    return (value & 0xFFFFFFFF) - ((value & 0x80000000) << 1)


def shifted(x: Any, count: int) -> Any:
    """A logical shift to the right."""
    return (x >> count).bitwise_and_((1 << (32 - count)) - 1)


def mixed(x: Any) -> Any:
    """The finalizer, in place."""
    x.bitwise_xor_(shifted(x, 16)).mul_(0x7FEB352D)
    x.bitwise_xor_(shifted(x, 15)).mul_(signed(0x846CA68B))
    return x.bitwise_xor_(shifted(x, 16))


def stream(seed: Any) -> tuple[Any, Any]:
    """The two keys of a seed: numbers on a CPU, tensors on a device, which nobody then has to wait for."""
    if host.on_host(seed):
        first, second = keys(*seed.tolist())
        return signed(first), signed(second)
    start = mixed(seed[0] + signed(WEYL))
    return start, mixed(seed[1] * signed(WEYL) + start)


def bits(seed: Any, count: int, offset: int = 0) -> Any:
    """``count`` hashes as int32, of the positions from ``offset`` on."""
    first, second = stream(seed)
    if offset + count < 2**31:
        x = torch.arange(offset, offset + count, dtype=torch.int32, device=seed.device)
    else:
        x = torch.arange(offset, offset + count, device=seed.device).to(torch.int32)
    return mixed(mixed(x.mul_(signed(WEYL)).add_(first)).add_(second))


def wide(seed: Any, count: int, offset: int = 0) -> Any:
    """The hashes as whole numbers from 0 up to but without 2^32, in int64."""
    return bits(seed, count, offset).to(torch.int64).bitwise_and_(0xFFFFFFFF)


def horner(coefficients: tuple[float, ...], z: Any) -> Any:
    """The polynomial of z, rounded after each product and each sum."""
    value = z * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        value.add_(coefficient).mul_(z)
    return value.add_(coefficients[0])


@kernels("random_uniform")
def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    if dtype == "float64":
        high = shifted(bits(seed, count), 5).to(torch.float64)
        low = shifted(bits(seed, count, count), 6).to(torch.float64)
        return high.mul_(67108864.0).add_(low).mul_(2.0**-53).reshape(shape)
    kept = KEPT[dtype]
    values = shifted(bits(seed, count), 32 - kept).to(torch.float32).mul_(2.0**-kept)
    return values.to(TORCH_DTYPES[dtype]).reshape(shape)


def radii(x: Any) -> Any:
    """sqrt(-2 ln u) of u = (x + 1/2) / 2^32, by the exponent and the fraction near 1 that a number's bits hold."""
    number = x.to(torch.float64).add_(0.5).view(torch.int64)
    exponent = (number - _SQRT_HALF) >> 52
    f = (number - (exponent << 52)).view(torch.float64).sub_(1.0)
    s = f / (f + 2.0)
    z = s * s
    inner = f - horner(LOGARITHM, z).mul_(z)
    square = f.sub_(inner.mul_(s)).add_(exponent.to(torch.float64).sub_(32.0).mul_(LN_2)).mul_(-2.0)
    return square.mul_(_one_by_root(square))


def _one_by_root(x: Any) -> Any:
    """1 / sqrt(x), each step rounded as IEEE 754 says: on a CPU torch's sqrt is not, but its rsqrt is made so."""
    return x.rsqrt() if host.on_host(x) else x.sqrt().reciprocal_()


def on_circle(x: Any, radius: Any) -> list[Any]:
    """radius * cos(t) and radius * sin(t) of t = 2 pi x / 2^32, by half its distance from a quarter turn."""
    signed_radius = radius.mul_((x >> 31).bitwise_or_(1))
    half = (0x40000000 - x.bitwise_and_(0x7FFFFFFF)).to(torch.float64).mul_(PI_2_32)
    z = half * half
    s = horner(SINE, z).mul_(z).mul_(half).add_(half)
    c = horner(COSINE, z).mul_(z).add_(1.0)
    cosine = (s * c).mul_(2.0).mul_(signed_radius)
    return [cosine, (c + s).mul_(c - s).mul_(signed_radius)]


@kernels("random_normal")
def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    pairs = (count + 1) // 2
    values = torch.cat(on_circle(bits(seed, pairs, pairs), radii(wide(seed, pairs))))[:count]
    if dtype != "float64":
        values = values.to(torch.float32)  # half precision comes from here everywhere
    return values.to(TORCH_DTYPES[dtype]).reshape(shape)


@kernels("random_integers")
def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
    """The products are of 64 bits without a sign, which int64 holds but for how a shift reads them."""
    count, span = math.prod(shape), high - low
    product = wide(seed, count).mul_(span)
    if span > SINGLE_WORD:
        product.add_((wide(seed, count, count).mul_(span) >> 32).bitwise_and_(0xFFFFFFFF))
    values = (product >> 32).bitwise_and_(0xFFFFFFFF).add_(low)
    return values.to(torch.int32).reshape(shape)
