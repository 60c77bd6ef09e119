"""ZIP archives from strangers. Only what a model's file needs: members stored or deflated, one after the other.

The directory is checked by hand before anything is read: each byte of the file belongs to one header, one member, the
directory or the end. Sizes in headers are bounded, and counted again while a member is unpacked.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from lamina.errors import UnsafeModelError
from lamina.io.checks import first_repeated, shown
from lamina_keras.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    END,
    END_64,
    END_64_SIGNATURE,
    END_SIGNATURE,
    EXTRA_64,
    EXTRA_ALIGNMENT,
    LARGE,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR_64,
    LOCATOR_64_SIGNATURE,
    MANY,
    STORED,
)

MOST_MEMBERS: Final = 10_000
EXPANSION: Final = 16
"""How often more a member may hold than it takes in the file, beyond the slack that each may have."""

_HINTS: Final = 0x0006
"""Flags that say how hard a compressor tried."""
_UTF_8: Final = 0x0800
_EXTRAS: Final = (EXTRA_64, EXTRA_ALIGNMENT, 0x5455, 0x7875)
"""Extra fields that change nothing of what is read: large sizes, padding, times and owners."""


@dataclass(frozen=True)
class Member:
    """A file of an archive: where its bytes are, and what the directory says of it."""

    name: str
    where: str
    method: int
    crc: int
    size: int
    stored: memoryview

    def read(self, slack: int) -> memoryview:
        """The bytes: of a stored member those of the file itself, so that nothing is copied.

        ``slack`` is what the member may hold beyond 16 times its bytes in the file. Raises UnsafeModelError if it
        holds more, or something else than the directory says.
        """
        if self.size > slack + EXPANSION * len(self.stored):
            self._refuse(f"holds {self.size} bytes, and takes {len(self.stored)}")
        data = self.stored if self.method == STORED else self._inflated()
        if zlib.crc32(data) != self.crc:
            self._refuse("is damaged: its checksum does not fit")
        return data

    def _inflated(self) -> memoryview:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = stream.decompress(self.stored, self.size + 1)
        except zlib.error as error:
            self._refuse(f"is damaged: {error}")
        if len(data) != self.size or not stream.eof or stream.unused_data:
            self._refuse(f"does not hold the {self.size} bytes that the directory gives")
        return memoryview(data)

    def _refuse(self, what: str) -> NoReturn:
        raise UnsafeModelError(
            f"{self.where}: the member {shown(self.name)} {what}.", fix="get the file again from where it was made."
        )


@dataclass(frozen=True)
class _Entry:
    """A line of the directory."""

    name: bytes
    flags: int
    method: int
    crc: int
    stored: int
    size: int
    start: int


def read_archive(data: memoryview, where: str) -> dict[str, Member]:
    """The members of an archive by name, none of them read yet.

    Raises UnsafeModelError for whatever is unusual: comments, bytes before, between or after the members, links,
    encryption, several disks, names that repeat or are not text.
    """
    return _Archive(data, where).members()


class _Archive:
    """The bytes of an archive, and the name of the file for errors."""

    def __init__(self, data: memoryview, where: str) -> None:
        self._data = data
        self._where = where

    def members(self) -> dict[str, Member]:
        entries, directory = self._directory()
        found: dict[str, Member] = {}
        position = 0
        for entry in sorted(entries, key=lambda entry: entry.start):
            if entry.start != position:
                self._refuse(f"the member {shown(entry.name)} starts at {entry.start}, not at {position}")
            first = self._after_local_header(entry)
            position = first + entry.stored
            if position > directory:
                self._refuse(f"the member {shown(entry.name)} reaches into the directory")
            name = self._name(entry.name, entry.flags)
            member = Member(name, self._where, entry.method, entry.crc, entry.size, self._data[first:position])
            found[name] = member
        if position != directory:
            self._refuse(f"{directory - position} bytes before the directory belong to no member")
        repeated = first_repeated(entry.name.decode("latin-1") for entry in entries)
        if repeated is not None or len(found) != len(entries):
            self._refuse(f"two members are named {shown(repeated)}")
        return found

    # -- the directory ---------------------------------------------------------------------------------------------

    def _directory(self) -> tuple[list[_Entry], int]:
        """The lines of the directory, and where it starts."""
        count, size, start, end = self._end()
        if count > MOST_MEMBERS:
            self._refuse(f"it has {count} members")
        if start + size != end:
            self._refuse("the directory is not where the end says, or bytes were put before the archive")
        entries, position = [], start
        for _ in range(count):
            entry, position = self._entry(position, end)
            entries.append(entry)
        if position != end:
            self._refuse("the directory has more than its members")
        return entries, start

    def _end(self) -> tuple[int, int, int, int]:
        """The number of members, size and start of the directory, and where what ends the archive begins."""
        last = len(self._data) - END.size
        if last < 0 or bytes(self._data[last : last + 4]) != END_SIGNATURE:
            self._refuse("it does not end as an archive without a comment does")
        _, disk, first, here, count, size, start, comment = END.unpack_from(self._data, last)
        if disk or first or here != count or comment:
            self._refuse("it is one of several disks, or has a comment")
        before = last - LOCATOR_64.size
        if before >= 0 and bytes(self._data[before : before + 4]) == LOCATOR_64_SIGNATURE:
            return self._large_end(before, (count, size, start))
        if count == MANY or LARGE in (size, start):
            self._refuse("the end of a large archive is missing")
        return count, size, start, last

    def _large_end(self, locator: int, small: tuple[int, int, int]) -> tuple[int, int, int, int]:
        _, disk, position, disks = LOCATOR_64.unpack_from(self._data, locator)
        if disk or disks > 1 or position != locator - END_64.size:
            self._refuse("the end of a large archive is not before its locator")
        signature, length, _, _, disk, first, here, count, size, start = END_64.unpack_from(self._data, position)
        if signature != END_64_SIGNATURE or length != END_64.size - 12 or disk or first or here != count:
            self._refuse("the end of a large archive is malformed")
        for value, given, unknown in zip((count, size, start), small, (MANY, LARGE, LARGE), strict=True):
            if given not in (value, unknown):
                self._refuse("the two ends of the archive differ")
        return count, size, start, position

    def _entry(self, position: int, end: int) -> tuple[_Entry, int]:
        if position + CENTRAL.size > end or bytes(self._data[position : position + 4]) != CENTRAL_SIGNATURE:
            self._refuse("the directory is cut short")
        fields = CENTRAL.unpack_from(self._data, position)
        _, _, version, flags, method, _, _, crc, stored, size, name, extra, comment, disk, _, outer, start = fields
        first = position + CENTRAL.size
        following = first + name + extra + comment
        if following > end:
            self._refuse("the directory is cut short")
        label = bytes(self._data[first : first + name])
        self._check(label, version, flags, method)
        if comment or disk or stat.S_IFMT(outer >> 16) not in (0, stat.S_IFREG) or outer & 0x10:
            self._refuse(f"the member {shown(label)} is a link or a folder, has a comment, or is on another disk")
        large = self._large(first + name, extra, (size, stored, start), label)
        size, stored, start = large
        if method == STORED and stored != size:
            self._refuse(f"the member {shown(label)} is stored as it is, but has two sizes")
        return _Entry(label, flags, method, crc, stored, size, start), following

    def _check(self, name: bytes, version: int, flags: int, method: int) -> None:
        if method not in (STORED, DEFLATED):
            self._refuse(f"the member {shown(name)} is packed by method {method}")
        allowed = _UTF_8 | (_HINTS if method == DEFLATED else 0)
        if flags & ~allowed or version & 0xFF > 45:
            self._refuse(f"the member {shown(name)} is encrypted, patched, or its size is not known beforehand")

    # -- members ---------------------------------------------------------------------------------------------------

    def _after_local_header(self, entry: _Entry) -> int:
        """Where the bytes of a member start. Its own header says the same as the directory."""
        if entry.start + LOCAL.size > len(self._data):
            self._refuse(f"the member {shown(entry.name)} lies outside of the file")
        fields = LOCAL.unpack_from(self._data, entry.start)
        signature, version, flags, method, _, _, crc, stored, size, name, extra = fields
        first = entry.start + LOCAL.size
        label = bytes(self._data[first : first + name])
        if signature != LOCAL_SIGNATURE or label != entry.name:
            self._refuse(f"there is no member {shown(entry.name)} where the directory says")
        self._check(label, version, flags, method)
        size, stored = self._large(first + name, extra, (size, stored), label)
        if (flags, method, crc, stored, size) != (entry.flags, entry.method, entry.crc, entry.stored, entry.size):
            self._refuse(f"the directory says something else of {shown(label)} than the member's own header")
        after: int = first + name + extra
        return after

    def _large(self, position: int, length: int, given: tuple[int, ...], name: bytes) -> tuple[int, ...]:
        """Sizes, and the start, those that do not fit into 32 bits from the extra field."""
        wide: list[int] = []
        for kind, field in self._extras(position, length, name):
            if kind == EXTRA_64:
                if wide or len(field) % 8 or len(field) > 24:
                    self._refuse(f"the sizes of {shown(name)} are malformed")
                wide = [int.from_bytes(field[i : i + 8], "little") for i in range(0, len(field), 8)]
        needed = sum(value == LARGE for value in given)
        if len(wide) != needed:
            self._refuse(f"the sizes of {shown(name)} are given twice, or are missing")
        values = iter(wide)
        return tuple(next(values) if value == LARGE else value for value in given)

    def _extras(self, position: int, length: int, name: bytes) -> Iterator[tuple[int, memoryview]]:
        field = self._data[position : position + length]
        if len(field) != length:
            self._refuse(f"the header of {shown(name)} is cut short")
        while len(field) >= 4:
            kind, size = int.from_bytes(field[:2], "little"), int.from_bytes(field[2:4], "little")
            if kind not in _EXTRAS or 4 + size > len(field):
                self._refuse(f"the header of {shown(name)} has a field of the kind {kind:#x}, or a malformed one")
            yield kind, field[4 : 4 + size]
            field = field[4 + size :]
        if len(field):
            self._refuse(f"the header of {shown(name)} has bytes left over")

    def _name(self, name: bytes, flags: int) -> str:
        try:
            return name.decode("utf-8" if flags & _UTF_8 else "ascii")
        except UnicodeError:
            self._refuse(f"the name {shown(name)} is not text")

    def _refuse(self, what: str) -> NoReturn:
        raise UnsafeModelError(
            f"{self._where} is not an archive as models have it: {what}.",
            expected="members that are stored or deflated one after the other, and their directory.",
            fix="get the file again from where it was made, or save the model again.",
        )
