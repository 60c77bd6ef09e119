"""Slices, joins, gather and scatter: TensorFlow.js has forms for a fixed number of axes and rank-1 coordinates."""

from __future__ import annotations

from typing import Any

from adapting import Indices, Mask, TensorLike, adapter

import lamina


@adapter("reverse1d")
def reverse1d(x: TensorLike) -> Any:
    return lamina.flip(lamina.ensure_shape(x, (None,)), 0)


def _reversed(rank: int) -> None:
    @adapter(f"reverse{rank}d")
    def reverse(x: TensorLike, axis: Any = None) -> Any:
        return lamina.flip(lamina.ensure_shape(x, (None,) * rank), axis)


def _sliced(rank: int) -> None:
    @adapter(f"slice{rank}d")
    def slice_(x: TensorLike, begin: Any, size: Any = None) -> Any:
        return lamina.slice(lamina.ensure_shape(x, (None,) * rank), begin, size)


for _rank in (2, 3, 4):
    _reversed(_rank)
for _rank in (1, 2, 3, 4):
    _sliced(_rank)


@adapter("gather")
def gather(x: TensorLike, indices: Indices, axis: int = 0, batch_dims: int = 0) -> Any:
    return lamina.gather(x, indices, axis, batch_dims)


@adapter("gatherND")
def gather_nd(x: TensorLike, indices: Indices) -> Any:
    return lamina.gather_nd(x, indices)


@adapter("scatterND")
def scatter_nd(indices: Indices, updates: TensorLike, shape: Any) -> Any:
    return lamina.scatter_nd(_coordinates(indices), updates, shape)


@adapter("tensorScatterUpdate")
def scatter_update(tensor: TensorLike, indices: Indices, updates: TensorLike) -> Any:
    return lamina.scatter_update(tensor, _coordinates(indices), updates)


def _coordinates(indices: Any) -> Any:
    """One axis of coordinates stands for a column of them."""
    return lamina.expand_dims(indices, -1) if indices.ndim == 1 else indices


@adapter("booleanMaskAsync")
def boolean_mask(tensor: TensorLike, mask: Mask, axis: int = 0) -> Any:
    return lamina.boolean_mask(tensor, mask, axis)


@adapter("meshgrid")
def meshgrid(x: TensorLike = None, y: TensorLike = None, options: Any = None) -> Any:
    given = [t for t in (x, y) if t is not None]
    return lamina.meshgrid(*given, indexing=(options or {}).get("indexing", "xy"))


@adapter("unsortedSegmentSum")
def unsorted_segment_sum(x: TensorLike, segment_ids: Indices, num_segments: int) -> Any:
    return lamina.unsorted_segment_sum(x, segment_ids, num_segments)
