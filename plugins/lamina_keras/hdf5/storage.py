"""The values of an array: where the file has them, unpacked where they are packed, never more than is declared."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.io.checks import shown
from lamina_keras.hdf5.datatypes import Datatype, read_datatype, read_shape
from lamina_keras.hdf5.groups import tree_leaves
from lamina_keras.hdf5.headers import DATATYPE, FILTERS, LAYOUT, SHAPE, Message, only
from lamina_keras.hdf5.source import PER_STORED, SLACK, UNDEFINED, Cursor, Source
from lamina_keras.hdf5.tree import HostArray

_COMPACT, _CONTIGUOUS, _CHUNKED = range(3)
_LAYOUTS: Final = ("compact", "contiguous", "chunked", "virtual: of other files")
_GZIP, _SHUFFLE, _CHECKSUM = 1, 2, 3
_BLOCK: Final = 1 << 16


def read_array(source: Source, messages: list[Message], marked: Any, what: str) -> HostArray:
    """The array in an object's messages. ``marked`` is its attribute ``dtype``, by which Keras knows bfloat16.

    Raises UnsafeModelError for values that lie elsewhere, are packed in an unknown way or are less than is said.
    """
    parts = [only(messages, kind) for kind in (DATATYPE, SHAPE, LAYOUT)]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        raise source.unsafe(f"{what} is neither a group nor an array")
    datatype, shape = read_datatype(parts[0], source, what), read_shape(parts[1], source, what)
    if shape is None:
        raise source.unsafe(f"{what} is an array without values")
    bfloat16 = datatype.dtype == "bfloat16" or (datatype.kind == "opaque" and marked == "bfloat16")
    if datatype.kind in ("text", "texts") or (datatype.kind == "opaque" and not bfloat16):
        raise source.unsafe(f"{what} is an array of texts or opaque values", "an array of numbers.")
    dtype = np.dtype("<u2" if bfloat16 else "u1" if datatype.kind == "bool" else datatype.dtype)
    found = _values(source, messages, parts[2], _Wanted(shape, dtype, what))
    return _finished(source, found, datatype, bfloat16, what)


class _Wanted(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    what: str

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def _finished(source: Source, found: HostArray, datatype: Datatype, bfloat16: bool, what: str) -> HostArray:
    """The array in this machine's byte order; booleans as such, bfloat16 as the float32 of the same values."""
    if bfloat16:
        return (found.astype(np.uint32) << 16).view(np.float32)
    if datatype.kind == "bool":
        if (found > 1).any():
            raise source.unsafe(f"{what} has booleans that are neither false nor true")
        return found.view(np.bool_)
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _values(source: Source, messages: list[Message], layout: memoryview, wanted: _Wanted) -> HostArray:
    cursor = Cursor(layout, source, wanted.what)
    version, kind = cursor.number(1), cursor.number(1)
    if version not in (3, 4, 5) or kind > _CHUNKED or (version > 3 and kind == _CHUNKED):
        name = _LAYOUTS[kind] if kind < len(_LAYOUTS) else str(kind)
        raise source.unsafe(
            f"the values of {wanted.what} are laid out in a way that is not read: {name}, version {version}",
            "values in the file itself, as Keras writes them.",
        )
    if kind == _CHUNKED:
        return _chunks(source, _filters(source, messages, wanted.what), cursor, wanted)
    if only(messages, FILTERS) is not None:
        raise source.damaged(f"{wanted.what} is packed, and not in pieces")
    if kind == _COMPACT:
        view = cursor.take(cursor.number(2))
    else:
        address, size = cursor.number(8), cursor.number(8)
        view = source.take(address, size, wanted.what) if size and address != UNDEFINED else memoryview(b"")
    if len(view) != wanted.size:
        raise source.unsafe(f"{wanted.what} should have {wanted.size} bytes, and {len(view)} are stored")
    source.declare(wanted.size, len(view), wanted.what)
    found = np.frombuffer(view, wanted.dtype).reshape(wanted.shape)
    return found if found.flags.aligned else found.copy()


Unpack = Callable[[memoryview | bytes, int], memoryview | bytes]


def _chunks(source: Source, filters: list[tuple[int, Unpack]], cursor: Cursor, wanted: _Wanted) -> HostArray:
    """An array in pieces of one shape, each packed for itself; those at the far edges reach beyond the array."""
    rank = cursor.number(1) - 1
    tree, piece = cursor.number(8), tuple(cursor.number(4) for _ in range(rank))
    if rank != len(wanted.shape) or not rank or not all(piece) or cursor.number(4) != wanted.dtype.itemsize:
        raise source.damaged(f"the pieces of {wanted.what} do not fit its shape")
    grid = [range(0, size, step) for size, step in zip(wanted.shape, piece, strict=True)]
    number, piece_bytes = math.prod(map(len, grid)), math.prod(piece) * wanted.dtype.itemsize
    found = _pieces(source, tree, rank, number, wanted.what)
    stored = sum(len(view) for view, _, _ in found)
    source.declare(wanted.size, stored, wanted.what)
    if number * piece_bytes > SLACK + PER_STORED * stored:
        raise source.unsafe(f"the pieces of {wanted.what} unpack to {number * piece_bytes} bytes, {stored} are stored")
    array = np.empty(wanted.shape, wanted.dtype)
    seen = set()
    for view, skipped, start in found:
        if start in seen or not all(at in steps for at, steps in zip(start, grid, strict=True)):
            raise source.damaged(f"a piece of {wanted.what} is out of place")
        seen.add(start)
        data: memoryview | bytes = view
        for index, unpack in reversed(filters):
            if not skipped >> index & 1:
                data = unpack(data, piece_bytes)
        if len(data) != piece_bytes:
            raise source.damaged(f"a piece of {wanted.what} has {len(data)} bytes", f"{piece_bytes} bytes.")
        target = array[tuple(slice(at, at + step) for at, step in zip(start, piece, strict=True))]
        target[...] = np.frombuffer(data, wanted.dtype).reshape(piece)[tuple(map(slice, target.shape))]
    return array


_Piece = tuple[memoryview, int, tuple[int, ...]]


def _pieces(source: Source, tree: int, rank: int, number: int, what: str) -> list[_Piece]:
    """The bytes of each piece, the filters it was spared, and where it begins."""
    found: list[_Piece] = []
    for key, address in tree_leaves(source, tree, 1, 16 + 8 * rank, what):
        head = Cursor(key, source, what)
        size, skipped, start = head.number(4), head.number(4), tuple(head.number(8) for _ in range(rank))
        found.append((source.take(address, size, what), skipped, start))
        if len(found) > number:
            break
    if len(found) != number:
        raise source.unsafe(f"{what} has {len(found)} of its {number} pieces", "values for the whole array.")
    return found


def _filters(source: Source, messages: list[Message], what: str) -> list[tuple[int, Unpack]]:
    """How pieces are packed, in the order of packing, with the place of each way in that order."""
    view = only(messages, FILTERS)
    if view is None:
        return []
    cursor = Cursor(view, source, f"the filters of {what}")
    version, number = cursor.number(1), cursor.number(1)
    cursor.take(6 if version == 1 else 0)
    found: list[tuple[int, Unpack]] = []
    for index in range(number):
        identity = cursor.number(2)
        named = cursor.number(2) if version == 1 or identity >= 256 else 0
        cursor.take(2)
        count = cursor.number(2)
        cursor.take(named)
        values = [cursor.number(4) for _ in range(count)]
        cursor.take(4 if version == 1 and count % 2 else 0)
        found.append((index, _unpacker(source, identity, values, what)))
    return found


def _unpacker(source: Source, identity: int, values: list[int], what: str) -> Unpack:
    if identity == _GZIP:
        return lambda data, most: _inflated(source, data, most, what)
    if identity == _SHUFFLE and len(values) == 1 and 0 < values[0] <= 16:
        return lambda data, most: _unshuffled(data, values[0])
    if identity == _CHECKSUM:
        return lambda data, most: _summed(source, data, what)
    raise source.unsafe(
        f"{what} is packed by the filter {shown(identity)}", "gzip, shuffle, or fletcher32, and nothing else."
    )


def _inflated(source: Source, data: memoryview | bytes, most: int, what: str) -> bytes:
    """Unpacked bytes, at most those of a piece and of a checksum in it."""
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(data, most + 4)
        rest = unpacking.decompress(unpacking.unconsumed_tail, 1) if not unpacking.eof else b""
    except zlib.error as error:
        raise source.damaged(f"a piece of {what} cannot be unpacked: {error}") from error
    if rest or not unpacking.eof:
        raise source.unsafe(f"a piece of {what} unpacks to more than {most} bytes")
    return found


def _unshuffled(data: memoryview | bytes, size: int) -> memoryview | bytes:
    """Bytes in the order of their elements again: first bytes, then second ones, and so on, as they were laid.

    Bytes that make up no whole element are left at the end.
    """
    whole = len(data) // size * size
    found = np.frombuffer(data, np.uint8, whole).reshape(size, -1).T.tobytes()
    return found + bytes(data[whole:])


def _summed(source: Source, data: memoryview | bytes, what: str) -> memoryview | bytes:
    """What stands before a checksum, which must be its."""
    body, said = data[:-4], int.from_bytes(data[-4:], "little")
    if len(data) < 4 or fletcher32(body) != said:
        raise source.damaged(f"a piece of {what} does not have the checksum that it should have")
    return body


def fletcher32(data: memoryview | bytes) -> int:
    """The checksum of Fletcher, of 32 bits, over pairs of bytes with the first the higher one, never 0 in a half.

    >>> hex(fletcher32(b"abcde"))
    '0x4ff029c7'
    """
    words = np.frombuffer(bytes(data) + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        weights = np.arange(len(block), 0, -1, dtype=np.uint64)
        second += first * len(block) + int((block * weights).sum())
        first += int(block.sum())
    return _reduced(second) << 16 | _reduced(first)


def _reduced(total: int) -> int:
    """The sum in 16 bits, its carries added: 65535 stands for its multiples, 0 for nothing at all."""
    return (total - 1) % 65535 + 1 if total else 0
