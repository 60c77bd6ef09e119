"""Datasets of arrays that lie in memory: whole batches are cut out of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data.dataset import Dataset, Size
from lamina.data.elements import as_arrays, entries
from lamina.data.shuffling import seed_pair
from lamina.errors import DataError
from lamina.ops import random
from lamina.structures import flatten

Order = Callable[[int], "np.ndarray[Any, Any] | None"]
"""The order of the examples in each pass, by its number; None where they come as they lie."""


def from_arrays(arrays: Any) -> Dataset:
    """A dataset of arrays cut along their first axis: an array, or a tuple, list or dict of arrays of equal length.

    What gives an array will do: frames of pandas or polars, tensors of any library, lists of numbers. Batches, and a
    shuffle of all examples, are cut out of the arrays at once and so cost little. Known as ``from_tensor_slices`` too.

    Raises DataError for arrays of different lengths.

    >>> x, y = np.arange(6).reshape(3, 2), np.array([0, 1, 0])
    >>> for features, labels in from_arrays((x, y)).batch(2):
    ...     print(features.tolist(), labels.tolist())
    [[0, 1], [2, 3]] [0, 1]
    [[4, 5]] [0]
    """
    structure = as_arrays(arrays)
    leaves = flatten(structure)
    if not leaves:
        raise DataError("from_arrays got no arrays.", expected="at least one.")
    if any(leaf.ndim == 0 for leaf in leaves):
        raise DataError("from_arrays got a single number.", expected="arrays with one entry per example.")
    if len({len(leaf) for leaf in leaves}) > 1:
        raise DataError(
            f"from_arrays got arrays of {' and '.join(map(str, sorted({len(leaf) for leaf in leaves})))} entries.",
            expected="equally many in each.",
        )
    return _Slices(structure, len(leaves[0]), lambda _: None)


class _Slices(Dataset):
    def __init__(self, structure: Any, count: int, order: Order) -> None:
        super().__init__(lambda number: _one_by_one(structure, count, order(number)), count)
        self._structure = structure
        self._count = count
        self._order = order

    def _batched(self, count: int, whole_only: bool, size: Size) -> Dataset:
        end = self._count - self._count % count if whole_only else self._count
        return _Batches(self._structure, range(0, end, count), end, self._order, size)

    def _part(self, start: int, stop: int | None, size: Size) -> Dataset:
        total, order, part = self._count, self._order, slice(start, stop)

        def some(number: int) -> np.ndarray[Any, Any]:
            places = order(number)
            return (np.arange(total) if places is None else places)[part]

        return _Slices(self._structure, len(range(total)[part]), some)

    def _shuffled(self, count: int, order: Callable[[int], tuple[int, int]]) -> Dataset:
        if count < self._count:
            return super()._shuffled(count, order)
        total, before = self._count, self._order

        def anew(number: int) -> np.ndarray[Any, Any]:
            found = random.permutation(total, seed=seed_pair(*order(number)))
            earlier = before(number)
            return found if earlier is None else earlier[found]

        return _Slices(self._structure, total, anew)


class _Batches(Dataset):
    """Batches cut out of arrays, by where each begins: what is skipped is not read."""

    def __init__(self, structure: Any, starts: range, end: int, order: Order, size: Size) -> None:
        def passes(number: int) -> Iterator[Any]:
            places = order(number)
            for start in starts:
                part = slice(start, min(start + starts.step, end))
                yield entries(structure, part if places is None else places[part])

        super().__init__(passes, size)
        self._made_of = structure, starts, end, order

    def _part(self, start: int, stop: int | None, size: Size) -> Dataset:
        structure, starts, end, order = self._made_of
        return _Batches(structure, starts[start:stop], end, order, size)


def _one_by_one(structure: Any, count: int, order: np.ndarray[Any, Any] | None) -> Iterator[Any]:
    for place in range(count) if order is None else order.tolist():
        yield entries(structure, place)
