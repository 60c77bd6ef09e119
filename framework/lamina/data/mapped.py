"""Arrays that lie in a file: read batch by batch, never as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

_ROWS: Final = 1 << 14
"""How many rows are looked at together where all must be checked."""


class Mapped:
    """A memory map whose parts come as arrays of memory, in the wanted dtype.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     there = np.memmap(file.name, "float64", "w+", shape=(4, 2))
    ...     Mapped(there, np.dtype("float32"))[1:3].dtype
    dtype('float32')
    """

    def __init__(self, array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> None:
        self._array = array
        self.dtype = dtype
        self.shape: Any = array.shape
        self.ndim: int = array.ndim
        self.size: int = array.size

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, place: Any) -> np.ndarray[Any, Any]:
        return np.array(self._array[place], self.dtype)

    def take(self, places: np.ndarray[Any, Any], axis: int = 0) -> np.ndarray[Any, Any]:
        """The rows at some places."""
        return np.array(self._array.take(places, axis), self.dtype)

    def part(self, place: slice) -> Mapped:
        """Some rows, still in their file."""
        return Mapped(self._array[place], self.dtype)


def blocks(array: Any) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """An array in parts of some rows, each with the number of its first row; what is in memory comes whole."""
    if not isinstance(array, Mapped):
        yield 0, array
        return
    for start in range(0, len(array), _ROWS):
        yield start, array[start : start + _ROWS]
