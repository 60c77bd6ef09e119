"""Datatypes and shapes as HDF5 spells them, to those that weights and attributes may have, and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from lamina.errors import DTypeError
from lamina.io.checks import shown
from lamina_keras.hdf5.source import Cursor, Source

Kind = Literal["number", "bool", "text", "texts", "opaque"]

_CLASSES: Final = (
    "fixed-point", "floating-point", "time", "text", "bit field", "opaque", "compound", "reference", "enumeration",
    "variable-length", "array", "complex",
)  # fmt: skip
_FIXED, _FLOAT, _TEXT, _OPAQUE, _ENUM, _VARIABLE = 0, 1, 3, 5, 8, 9

_FLOATS: Final[dict[tuple[int, ...], str]] = {
    (2, 15, 10, 5, 0, 10, 15): "f2",
    (2, 15, 7, 8, 0, 7, 127): "bfloat16",
    (4, 31, 23, 8, 0, 23, 127): "f4",
    (8, 63, 52, 11, 0, 52, 1023): "f8",
}
"""Size, places and sizes of sign, exponent and mantissa, and the exponent's bias."""

TEXT_OF_ANY_LENGTH: Final = bytes.fromhex("1901010010000000100000000100000000000800")
"""The datatype message for a text that lies in a heap, in UTF-8."""

_BOOL_MEMBERS: Final = b"FALSE\0\0\0TRUE\0\0\0\0\0\1"
_LONGEST_TEXT: Final = 1 << 20


@dataclass(frozen=True)
class Datatype:
    """A type that may be read: ``dtype`` for numbers, else the ``size`` of an element says enough."""

    kind: Kind
    size: int
    dtype: str = ""


def read_datatype(view: memoryview, source: Source, what: str) -> Datatype:
    """The type in a datatype message. Raises UnsafeModelError for one that no weight or attribute needs."""
    cursor = Cursor(view, source, f"the type of {what}")
    first, bits, size = cursor.number(1), cursor.number(3), cursor.number(4)
    kind, version = first & 15, first >> 4
    if kind == _FIXED:
        return _integer(cursor, bits, size)
    if kind == _FLOAT:
        return _floating(cursor, bits, size)
    if kind == _TEXT and 0 < size <= _LONGEST_TEXT:
        return Datatype("text", size)
    if kind == _OPAQUE and size == 2:
        return Datatype("opaque", size)
    if kind == _ENUM and size == 1 and bits == 2 and _is_bool(cursor, padded=version < 3):
        return Datatype("bool", size)
    if kind == _VARIABLE and bits & 15 == 1 and size == 16:
        return Datatype("texts", size)
    name = _CLASSES[kind] if kind < len(_CLASSES) else "unknown"
    raise source.unsafe(f"{what} holds values of {size} bytes of a type that is {name}", "numbers, or text.")


def _is_bool(cursor: Cursor, padded: bool) -> bool:
    """Whether an enumeration is that of h5py's booleans: of bytes, and with their two names."""
    kind, bits, size = cursor.number(1) & 15, cursor.number(3), cursor.number(4)
    if kind != _FIXED or _integer(cursor, bits, size).size != 1:
        return False
    members = _BOOL_MEMBERS if padded else b"FALSE\0TRUE\0\0\1"
    return bytes(cursor.take(min(len(members), cursor.left))) == members


def _integer(cursor: Cursor, bits: int, size: int) -> Datatype:
    offset, precision = cursor.number(2), cursor.number(2)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size or bits & ~9:
        raise cursor.source.unsafe(f"{cursor.what} is an integer of {precision} bits in {size} bytes")
    order = ">" if bits & 1 and size > 1 else "<"
    return Datatype(
        "number", size, f"{order}{'i' if bits & 8 else 'u'}{size}".replace("<i1", "i1").replace("<u1", "u1")
    )


def _floating(cursor: Cursor, bits: int, size: int) -> Datatype:
    offset, precision = cursor.number(2), cursor.number(2)
    parts = [cursor.number(1) for _ in range(4)]
    found = _FLOATS.get((size, bits >> 8 & 255, *parts, cursor.number(4)))
    if found is None or offset or precision != 8 * size or bits & 0x40 or bits >> 4 & 3 != 2:
        raise cursor.source.unsafe(f"{cursor.what} is no IEEE floating-point number of 2, 4 or 8 bytes")
    if found == "bfloat16" and not bits & 1:
        return Datatype("opaque", size, "bfloat16")
    if found == "bfloat16":
        raise cursor.source.unsafe(f"{cursor.what} is bfloat16 with its bytes turned round")
    return Datatype("number", size, (">" if bits & 1 else "<") + found)


def read_shape(view: memoryview, source: Source, what: str) -> tuple[int, ...] | None:
    """The shape in a dataspace message, None for one that says that there is no value at all."""
    cursor = Cursor(view, source, f"the shape of {what}")
    version, rank, flags = (cursor.number(1) for _ in range(3))
    if version not in (1, 2) or flags & ~1:
        raise source.damaged(f"{cursor.what} is of the unknown version {version}")
    kind = cursor.number(1)
    if version == 1:
        cursor.take(4)
    elif kind == 2:
        return None
    if rank > source.limits.rank:
        raise source.unsafe(f"{what} has {rank} axes", f"at most {source.limits.rank}.")
    return tuple(cursor.number(8) for _ in range(rank))


def datatype_bytes(dtype: np.dtype[Any], what: str) -> bytes:
    """The datatype message for arrays of a dtype. Raises DTypeError for one that readers do not know."""
    size = dtype.itemsize
    if dtype.kind == "b":
        return b"\x18\2\0\0" + struct.pack("<I", 1) + datatype_bytes(np.dtype("i1"), what) + _BOOL_MEMBERS
    if dtype.kind in "iu":
        bits = 8 if dtype.kind == "i" else 0
        return struct.pack("<BBBBIHH", 0x10, bits, 0, 0, size, 0, 8 * size)
    if dtype.kind == "S":
        return b"\x13\1\0\0" + struct.pack("<I", size)
    if dtype.kind == "f" or dtype.name == "bfloat16":
        name = dtype.name if dtype.name == "bfloat16" else f"f{size}"
        parts = next((parts for parts, found in _FLOATS.items() if found == name), None)
        if name == "bfloat16":
            return b"\x15\0\0\0" + struct.pack("<I", size)
        if parts is not None:
            return struct.pack("<BBBBIHHBBBBI", 0x11, 0x20, parts[1], 0, size, 0, 8 * size, *parts[2:])
    raise DTypeError(f"{what} is an array of {shown(str(dtype))}.", expected="numbers or booleans, as HDF5 has them.")


def shape_bytes(shape: tuple[int, ...]) -> bytes:
    """The dataspace message of a shape."""
    return struct.pack(f"<BBBBI{len(shape)}Q", 1, len(shape), 0, 0, 0, *shape)
