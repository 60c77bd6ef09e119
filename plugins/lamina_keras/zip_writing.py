"""ZIP archives of models: members stored as they are, the same bytes for the same members."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lamina.contract.io import Bytes
from lamina_keras.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
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
    STORED,
)

ALIGNMENT: Final = 64
"""What the first byte of each member is a multiple of, so that its arrays can be used where they are."""

_DATE: Final = 0x21
"""The first of January 1980, the earliest that an archive can say."""
_ATTRIBUTES: Final = (stat.S_IFREG | 0o644) << 16
_UNIX: Final = 3


@dataclass(frozen=True)
class _Written:
    """A member that was written, for the directory."""

    name: bytes
    crc: int
    size: int
    start: int


def write_archive(members: Iterable[tuple[str, Sequence[Bytes]]]) -> Iterator[Bytes]:
    """The bytes of an archive, part by part. A member is its name and the parts that follow one another in it."""
    written: list[_Written] = []
    position = 0
    for name, parts in members:
        views = [memoryview(part).cast("B") for part in parts]
        crc = 0
        for view in views:
            crc = zlib.crc32(view, crc)
        member = _Written(name.encode("ascii"), crc, sum(map(len, views)), position)
        header = _header(member)
        written.append(member)
        position += len(header) + member.size
        yield header
        yield from views
    yield _directory(written, position)


def _header(member: _Written) -> bytes:
    sizes = b"" if member.size < LARGE else _field(EXTRA_64, 2 * member.size.to_bytes(8, "little"))
    first = member.start + LOCAL.size + len(member.name) + len(sizes) + 6
    padding = _field(EXTRA_ALIGNMENT, ALIGNMENT.to_bytes(2, "little") + bytes(-first % ALIGNMENT))
    size = min(member.size, LARGE)
    version = 45 if sizes else 20
    extra = len(sizes) + len(padding)
    fields = (version, 0, STORED, 0, _DATE, member.crc, size, size, len(member.name), extra)
    return LOCAL.pack(LOCAL_SIGNATURE, *fields) + member.name + sizes + padding


def _directory(members: Sequence[_Written], start: int) -> bytes:
    lines = b"".join(map(_line, members))
    end = start + len(lines)
    large = b""
    if end >= LARGE:
        counts = (len(members), len(members), len(lines), start)
        large = END_64.pack(END_64_SIGNATURE, END_64.size - 12, _UNIX << 8 | 45, 45, 0, 0, *counts)
        large += LOCATOR_64.pack(LOCATOR_64_SIGNATURE, 0, end, 1)
    size, first = min(len(lines), LARGE), min(start, LARGE)
    return lines + large + END.pack(END_SIGNATURE, 0, 0, len(members), len(members), size, first, 0)


def _line(member: _Written) -> bytes:
    wide = [value for value in (member.size, member.size, member.start) if value >= LARGE]
    extra = _field(EXTRA_64, b"".join(value.to_bytes(8, "little") for value in wide)) if wide else b""
    size, start, version = min(member.size, LARGE), min(member.start, LARGE), 45 if wide else 20
    fields = (_UNIX << 8 | version, version, 0, STORED, 0, _DATE, member.crc, size, size, len(member.name), len(extra))
    return CENTRAL.pack(CENTRAL_SIGNATURE, *fields, 0, 0, 0, _ATTRIBUTES, start) + member.name + extra


def _field(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data
