"""Reshape, transpose, join, split, pad, reverse."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.writing import put


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("reshape")
    def reshape(x: Any, shape: tuple[int, ...]) -> Any:
        return xp.reshape(x, shape)

    @kernels("transpose")
    def transpose(x: Any, axes: tuple[int, ...]) -> Any:
        return xp.permute_dims(x, axes)

    @kernels("broadcast_to")
    def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
        return xp.broadcast_to(x, shape)

    @kernels("concat")
    def concat(*tensors: Any, axis: int) -> Any:
        return xp.concat(tensors, axis=axis)

    @kernels("split")
    def split(x: Any, sizes: tuple[int, ...], axis: int) -> Any:
        before = (slice(None),) * axis
        parts = zip(accumulate(sizes, initial=0), sizes, strict=False)
        return tuple(x[(*before, slice(start, start + size), ...)] for start, size in parts)

    @kernels("pad")
    def pad(x: Any, paddings: tuple[tuple[int, int], ...], constant_value: float) -> Any:
        shape = tuple(b + s + a for s, (b, a) in zip(x.shape, paddings, strict=True))
        padded = xp.full(shape, constant_value, dtype=x.dtype)
        return put(xp, padded, tuple(slice(b, b + s) for s, (b, _) in zip(x.shape, paddings, strict=True)), x)

    @kernels("flip")
    def flip(x: Any, axis: tuple[int, ...]) -> Any:
        return xp.flip(x, axis=axis)

    return kernels
