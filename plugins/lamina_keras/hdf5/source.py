"""The bytes of an HDF5 file, handed out within bounds, each place once.

Parts of an honest file do not overlap, so all that is handed out is no more than the file. That alone ends cycles, and
files in which little is made to look much by being named again and again.
"""

from __future__ import annotations

from typing import Final

from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io.checks import Limits

SLACK: Final = 64 << 20
"""Bytes that a file may make its reader allocate beyond what its own size backs."""

PER_STORED: Final = 16
"""Bytes of an array that one stored byte may stand for."""

UNDEFINED: Final = 2**64 - 1
"""The address of what was never stored."""


class Source:
    """A file's bytes and its name, for reading and for errors."""

    def __init__(self, data: memoryview, where: str, limits: Limits) -> None:
        self.where = where
        self.limits = limits
        self._data = data
        self._taken: set[int] = set()
        self._left = len(data)
        self._declared = 0
        self._objects = 0

    def __len__(self) -> int:
        return len(self._data)

    def take(self, address: int, size: int, what: str) -> memoryview:
        """The bytes at an address, which nothing else may ask for."""
        found = self.look(address, size, what)
        if address in self._taken or size > self._left:
            raise self.unsafe(f"{what} lies where something else does", "each part of the file used once.")
        self._taken.add(address)
        self._left -= size
        return found

    def look(self, address: int, size: int, what: str) -> memoryview:
        """The bytes at an address, which will be taken, or belong to what was taken."""
        if address + size > len(self._data):
            raise self.damaged(f"{what} lies beyond the end of the file")
        return self._data[address : address + size]

    def declare(self, size: int, stored: int, what: str) -> None:
        """Checks, before they are allocated, the bytes of an array against those that are stored for it."""
        self._declared += size
        if size > SLACK + PER_STORED * stored or self._declared > SLACK + PER_STORED * len(self._data):
            raise self.unsafe(
                f"{what} is said to have {size} bytes, and {stored} are stored", f"at most {SLACK} + {PER_STORED} each."
            )

    def count_objects(self, number: int) -> None:
        """Checks the number of groups and arrays."""
        self._objects += number
        if self._objects > self.limits.weights:
            raise self.unsafe(f"over {self.limits.weights} groups and arrays", f"at most {self.limits.weights}.")

    def damaged(self, what: str, expected: str = "a whole HDF5 file.") -> ModelFileError:
        return ModelFileError(f"{self.where}: {what}.", expected=expected)

    def unsafe(self, what: str, expected: str | None = None) -> UnsafeModelError:
        return UnsafeModelError(f"{self.where}: {what}.", expected=expected)


class Cursor:
    """Reads on through some bytes; what reaches beyond their end is a damaged file."""

    def __init__(self, view: memoryview, source: Source, what: str) -> None:
        self.view: memoryview = view
        self.source: Source = source
        self.what: str = what
        self.at: int = 0

    @property
    def left(self) -> int:
        return len(self.view) - self.at

    def take(self, size: int) -> memoryview:
        start = self.at
        if size > len(self.view) - start:
            raise self.source.damaged(f"{self.what} ends early")
        self.at = start + size
        return self.view[start : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def expect(self, value: bytes) -> None:
        """Passes over bytes that must be these."""
        if bytes(self.take(len(value))) != value:
            raise self.source.damaged(f"{self.what} does not start as it should")

    def text(self, ended: bool = True) -> bytes:
        """Bytes up to a zero, which is passed over."""
        found = bytes(self.view[self.at : self.at + 4096]).partition(b"\0")
        if ended and not found[1]:
            raise self.source.damaged(f"a name in {self.what} has no end")
        self.at += len(found[0]) + 1
        return found[0]

    def align(self, size: int = 8) -> None:
        self.take(-self.at % size)
