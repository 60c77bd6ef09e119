"""Indexing, gather and scatter."""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.writing import put


def native_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A canonical key as the indices that arrays take; a slice that runs backwards to the start has no stop."""
    return tuple(
        k if k is None or isinstance(k, int) else slice(k[0], None if k[2] < 0 and k[1] < 0 else k[1], k[2])
        for k in key
    )


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("basic_index")
    def basic_index(x: Any, key: tuple[Any, ...]) -> Any:
        return x[(*native_key(key), ...)]  # with an ellipsis, a single element stays an array and a view

    @kernels("basic_index_gradient")
    def basic_index_gradient(dy: Any, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        result = xp.zeros(shape, dtype=dy.dtype)
        kept = [i for i, k in enumerate(k for k in key if not isinstance(k, int)) if k is not None]
        place = native_key(tuple(k for k in key if k is not None))
        return put(xp, result, place, xp.reshape(dy, tuple(dy.shape[i] for i in kept)))

    @kernels("take")
    def take(x: Any, indices: Any, axis: int) -> Any:
        flat = xp.astype(xp.reshape(indices, (-1,)), xp.int64)
        taken = xp.take(x, flat, axis=axis)
        return xp.reshape(taken, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))

    @kernels("scatter_add")
    def scatter_add(updates: Any, indices: Any, axis: int, size: int) -> Any:
        """By a product with a one-hot matrix: the standard has no indexed addition."""
        before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
        count = math.prod(indices.shape)
        rows = xp.reshape(updates, (math.prod(before), count, math.prod(after)))
        flat = xp.astype(xp.reshape(indices, (1, count)), xp.int64)
        positions = xp.reshape(xp.arange(size, dtype=xp.int64), (size, 1))
        hits = xp.astype((flat == positions) | (flat + size == positions), updates.dtype)
        return xp.reshape(xp.matmul(hits, rows), (*before, size, *after))

    @kernels("flat_positions")
    def flat_positions(indices: Any, shape: tuple[int, ...]) -> Any:
        """Coordinates outside wrap around: an error would mean to wait for the device."""
        flat = xp.sum(xp.astype(indices, xp.int64)[..., :0], axis=-1)  # zeros, on the device of the indices
        for axis, size in enumerate(shape):
            flat = flat * size + xp.remainder(xp.astype(indices[..., axis], xp.int64), max(1, size))
        return xp.astype(flat, xp.int32 if math.prod(shape) < 2**31 else xp.int64)

    @kernels("last_writer")
    def last_writer(positions: Any, size: int) -> Any:
        """By comparing all pairs: the standard has no indexed assignment."""
        count = positions.shape[0]
        places = xp.reshape(xp.arange(size, dtype=xp.int32), (size, 1))
        written = xp.astype(positions, xp.int32) == places
        numbers = xp.where(written, xp.arange(count, dtype=xp.int32), -1)
        nobody = xp.full((size, 1), -1, dtype=xp.int32)
        return xp.max(xp.concat([nobody, numbers], axis=1), axis=1)

    @kernels("argwhere")
    def argwhere(x: Any) -> Any:
        if not x.ndim:  # the standard has no nonzero of a scalar: it has one position without axes, or none
            return xp.zeros((int(bool(x)), 0), dtype=xp.int32)
        return xp.astype(xp.stack(xp.nonzero(x), axis=-1), xp.int32)

    return kernels
