"""Arrays that are too large to be copied: files, tables and numbers of another dtype, read some rows at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

LARGE: Final = 1 << 26
"""From how many bytes on nothing is copied as a whole; below, one copy makes each batch cheaper."""

_LOOKED_AT: Final = 1 << 24
"""How many bytes are looked at together where all must be checked."""


class Rows(ABC):
    """An array whose rows come as arrays of memory, in the wanted dtype, when they are asked for."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape: Any = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return int(self.shape[0])

    @abstractmethod
    def __getitem__(self, place: Any) -> np.ndarray[Any, Any]:
        """A row, or those of a slice or at some places."""

    def take(self, places: np.ndarray[Any, Any], axis: int = 0) -> np.ndarray[Any, Any]:
        """The rows at some places."""
        return self[places]

    @abstractmethod
    def part(self, place: Any) -> Rows:
        """Some rows, not read yet; ``(slice, None)`` gives each a further axis."""


class Converted(Rows):
    """An array that lies in a file, or has another dtype than the wanted one.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     there = np.memmap(file.name, "float64", "w+", shape=(4, 2))
    ...     Converted(there, np.dtype("float32"))[1:3].dtype
    dtype('float32')
    """

    def __init__(self, array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> None:
        super().__init__(array.shape, dtype)
        self._array = array

    def __getitem__(self, place: Any) -> np.ndarray[Any, Any]:
        return np.array(self._array[place], self.dtype)

    def part(self, place: Any) -> Converted:
        """Some rows, still where they are."""
        return Converted(self._array[place], self.dtype)


class Columns(Rows):
    """Columns that lie apart from each other, as those of a table do, as one matrix.

    >>> Columns([np.array([1, 2, 3]), np.array([0.5, 1.5, 2.5])], np.dtype("float32"))[1:].tolist()
    [[2.0, 1.5], [3.0, 2.5]]
    """

    def __init__(self, columns: Sequence[np.ndarray[Any, Any]], dtype: np.dtype[Any]) -> None:
        super().__init__((len(columns[0]), len(columns)), dtype)
        self._columns = columns

    def __getitem__(self, place: Any) -> np.ndarray[Any, Any]:
        found = [column[place] for column in self._columns]
        rows = np.empty((*found[0].shape, len(found)), self.dtype)
        for number, column in enumerate(found):
            rows[..., number] = column
        return rows

    def part(self, place: Any) -> Columns:
        """Some rows, still in their columns."""
        return Columns([column[place] for column in self._columns], self.dtype)

    def astype(self, dtype: Any) -> Columns:
        """The same, whose rows come in another dtype."""
        return Columns(self._columns, np.dtype(dtype))


def blocks(array: Any) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """An array in parts of some rows, each with the number of its first row; what is in memory comes whole."""
    if not isinstance(array, Rows):
        yield 0, array
        return
    count = max(1, _LOOKED_AT * len(array) // max(1, array.size * array.dtype.itemsize))
    for start in range(0, len(array), count):
        yield start, array[start : start + count]
