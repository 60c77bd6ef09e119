"""The shared hash of (key, draw, position), in int32 because torch has no arithmetic on uint32.

Products and sums wrap around in both; a logical shift is an arithmetic one with the sign's copies masked away. The
numbers are those of ``lamina_arrayapi.kernels.random`` to the last bit.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.random import WEYL, keys
from lamina_torch.dtypes import TORCH_DTYPES

kernels = KernelTable()
_KEPT = {"float32": 24, "float16": 11, "bfloat16": 8}


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
    if seed.device.type == "cpu":
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
    """The hashes as whole numbers from 0 up to but without 2^32, in float64."""
    return bits(seed, count, offset).to(torch.int64).bitwise_and_(0xFFFFFFFF).to(torch.float64)


@kernels("random_uniform")
def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    if dtype == "float64":
        high = shifted(bits(seed, count), 5).to(torch.float64)
        low = shifted(bits(seed, count, count), 6).to(torch.float64)
        return high.mul_(67108864.0).add_(low).mul_(2.0**-53).reshape(shape)
    kept = _KEPT[dtype]
    values = shifted(bits(seed, count), 32 - kept).to(torch.float32).mul_(2.0**-kept)
    return values.to(TORCH_DTYPES[dtype]).reshape(shape)


@kernels("random_normal")
def random_normal(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    pairs = (count + 1) // 2
    radius = wide(seed, pairs).add_(0.5).mul_(2.0**-32).log_().mul_(-2.0).sqrt_()
    angle = wide(seed, pairs, pairs).mul_(2.0 * math.pi * 2.0**-32)
    values = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)])[:count]
    return values.to(TORCH_DTYPES[dtype]).reshape(shape)


@kernels("random_integers")
def random_integers(seed: Any, shape: tuple[int, ...], low: int, high: int) -> Any:
    values = wide(seed, math.prod(shape)).mul_((high - low) * 2.0**-32).floor_().add_(low)
    return values.to(torch.int32).reshape(shape)
