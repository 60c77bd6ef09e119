"""Indexing, gather and scatter. Torch has no negative steps: such slices are taken forwards and flipped."""

from __future__ import annotations

import math
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina.errors import OutOfRangeError
from lamina_torch import host

kernels = KernelTable()
Key = tuple[Any, ...]


def forward_key(key: Key) -> tuple[Key, list[int]]:
    """A canonical key as torch's indices, and the axes of the result to flip afterwards."""
    indices: list[Any] = []
    flipped: list[int] = []
    axis = 0
    for k in key:
        if isinstance(k, int):
            indices.append(k)
            continue
        if k is None or k[2] > 0:
            indices.append(None if k is None else slice(*k))
        else:
            places = range(*k)[::-1]
            indices.append(slice(places.start, places.stop, places.step) if places else slice(0, 0))
            flipped.append(axis)
        axis += 1
    return tuple(indices), flipped


@kernels("basic_index")
def basic_index(x: Any, key: Key) -> Any:
    indices, flipped = forward_key(key)
    found = x[indices]
    return found.flip(flipped) if flipped else found


@kernels("basic_index_gradient")
def basic_index_gradient(dy: Any, key: Key, shape: tuple[int, ...]) -> Any:
    indices, flipped = forward_key(key)
    result = dy.new_zeros(shape)
    result[indices] = dy.flip(flipped) if flipped else dy
    return result


@kernels("take")
def take(x: Any, indices: Any, axis: int) -> Any:
    flat = _positions(indices, x.shape[axis])
    try:
        taken = torch.index_select(x, axis, flat)
    except (IndexError, RuntimeError):
        taken = torch.index_select(x, axis, _from_the_front(flat, x.shape, axis, "gather"))
    return taken.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@kernels("scatter_add")
def scatter_add(updates: Any, indices: Any, axis: int, size: int) -> Any:
    before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
    flat = _positions(indices, size)
    rows = updates.reshape(*before, math.prod(indices.shape), *after)
    shape = (*before, size, *after)
    try:
        return updates.new_zeros(shape).index_add_(axis, flat, rows)
    except (IndexError, RuntimeError):
        flat = _from_the_front(flat, shape, axis, "scatter_add")
        return updates.new_zeros(shape).index_add_(axis, flat, rows)


@kernels("flat_positions")
def flat_positions(indices: Any, shape: tuple[int, ...]) -> Any:
    flat = indices.new_zeros(indices.shape[:-1], dtype=torch.int64)
    for axis, size in enumerate(shape):
        part = indices[..., axis].to(torch.int64)
        if host.on_host(indices):
            part = _from_the_front(part, shape, axis, "indices")
        flat = flat * size + torch.remainder(part, max(1, size))
    return flat if math.prod(shape) >= 2**31 else flat.to(torch.int32)


@kernels("last_writer")
def last_writer(positions: Any, size: int) -> Any:
    numbers = torch.arange(positions.shape[0], dtype=torch.int32, device=positions.device)
    nobody = torch.full((size,), -1, dtype=torch.int32, device=positions.device)
    return nobody.scatter_reduce_(0, positions.to(torch.int64), numbers, "amax")


def _positions(indices: Any, size: int) -> Any:
    """Indices in one axis and a dtype that torch takes. On a device they wrap around: an error there is fatal."""
    flat = indices.reshape(-1)
    if not host.on_host(flat):
        return torch.remainder(flat.to(torch.int64), max(1, size))
    return flat if flat.dtype in (torch.int32, torch.int64) else flat.to(torch.int64)


def _from_the_front(flat: Any, shape: tuple[int, ...], axis: int, name: str) -> Any:
    """Indices counted from the front. Raises OutOfRangeError for one outside the axis."""
    size = shape[axis]
    if flat.numel() and not -size <= int(flat.min()) <= int(flat.max()) < size:
        raise OutOfRangeError(
            f"{name}: an index is outside axis {axis} of a tensor of shape {tuple(shape)}.",
            expected=f"indices between {-size} and {size - 1}.",
        )
    return torch.where(flat < 0, flat + size, flat)


@kernels("argwhere")
def argwhere(x: Any) -> Any:
    return torch.nonzero(x).to(torch.int32)
