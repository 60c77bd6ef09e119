"""Groups and arrays to the bytes of an HDF5 file, in the oldest form, which every reader knows.

Arrays go out as they lie in memory. The same groups give the same bytes: the file holds no times.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from lamina.contract.io import Bytes
from lamina.errors import ArgumentError, UnsafeModelError
from lamina.io.checks import DEFAULT_LIMITS, check_name, shown
from lamina_keras.hdf5 import headers
from lamina_keras.hdf5.datatypes import TEXT_OF_ANY_LENGTH, datatype_bytes, shape_bytes
from lamina_keras.hdf5.source import UNDEFINED
from lamina_keras.hdf5.tree import SIGNATURE, Group, HostArray

_TABLE_ENTRIES, _NODE_CHILDREN = 8, 32
_TABLE_BYTES, _NODE_BYTES = 8 + 40 * _TABLE_ENTRIES, 24 + 16 * _NODE_CHILDREN + 8
_START_BYTES: Final = 96
_SMALLEST_HEAP, _HEAP_TEXTS = 4096, 60_000
_LARGEST_MESSAGE: Final = 65_528
_NO_FILL_VALUE: Final = b"\2\2\2\1\0\0\0\0"

_BFLOAT16: Final = ("dtype", "bfloat16")
"""The attribute by which Keras knows arrays of bfloat16, which HDF5 has no type for."""

LARGEST_ATTRIBUTE: Final = 64_512
"""Bytes of values that an attribute may have, besides its name: Keras splits longer lists of names."""


def write_hdf5(root: Group) -> Iterable[Bytes]:
    """The bytes of a file with these groups and arrays, in parts; parts of large arrays are views of them.

    Raises UnsafeModelError for a name that a reader would refuse, ArgumentError for an attribute or a number of objects
    that HDF5 does not take, DTypeError for an array that is neither numbers nor booleans.

    >>> file = b"".join(write_hdf5(Group({"epoch": 3}, {"kernel": np.ones(2)})))
    >>> file[1:4]
    b'HDF'
    """
    writer = _Writer()
    return writer.file(root)


class _Writer:
    """Puts one thing behind the other, members before the groups that name them."""

    def __init__(self) -> None:
        self._parts: list[Bytes] = [b""]
        self._end = _START_BYTES
        self._texts: dict[tuple[str, str], bytes] = {}
        self._objects = 0

    def file(self, root: Group) -> list[Bytes]:
        self._put_texts(list(_texts(root, "/", 0)))
        address, tree, names = self._group(root, "/")
        sizes = (_TABLE_ENTRIES // 2, _NODE_CHILDREN // 2, 0)
        places = (0, UNDEFINED, self._end, UNDEFINED)
        self._parts[0] = SIGNATURE + struct.pack(
            "<5x2Bx2HI4Q2QI4x2Q", 8, 8, *sizes, *places, 0, address, 1, tree, names
        )
        return self._parts

    def _put(self, data: Bytes) -> int:
        """Puts bytes at the end, at a multiple of 8, and says where."""
        gap = -self._end % 8
        if gap:
            self._parts.append(bytes(gap))
        address = self._end + gap
        self._parts.append(data)
        self._end = address + len(data)
        return address

    def _put_texts(self, texts: Sequence[tuple[tuple[str, str], bytes]]) -> None:
        for start in range(0, len(texts), _HEAP_TEXTS):
            some = texts[start : start + _HEAP_TEXTS]
            body = b"".join(
                struct.pack("<HH4xQ", index, 1, len(text)) + _padded(text) for index, (_, text) in enumerate(some, 1)
            )
            size = max(_SMALLEST_HEAP, 16 + len(body) + 16)
            rest = size - 16 - len(body)
            heap = struct.pack("<4sB3xQ", b"GCOL", 1, size) + body + struct.pack("<8xQ", rest) + bytes(rest - 16)
            address = self._put(heap)
            for index, (key, text) in enumerate(some, 1):
                self._texts[key] = struct.pack("<IQI", len(text), address, index)

    def _count(self) -> None:
        self._objects += 1
        if self._objects > DEFAULT_LIMITS.weights:
            raise ArgumentError(f"more than {DEFAULT_LIMITS.weights} groups and arrays for one file.")

    def _group(self, group: Group, path: str) -> tuple[int, int, int]:
        """The addresses of a group, of the tree of its members and of the heap of their names."""
        self._count()
        members = []
        for name in sorted(group.children, key=str.encode):
            child, below = group.children[name], f"{path.rstrip('/')}/{_checked(name, path)}"
            address = self._group(child, below)[0] if isinstance(child, Group) else self._array(child, below)
            members.append((name.encode(), address))
        names = bytearray(8)
        offsets = []
        for title, _ in members:
            offsets.append(len(names))
            names += _padded(title + b"\0")
        heap = self._put(struct.pack("<4s4x3Q", b"HEAP", len(names), 1, self._end_after(32)) + names)
        tree = self._tree([(offset, address) for offset, (_, address) in zip(offsets, members, strict=True)])
        messages = [(headers.SYMBOL_TABLE, struct.pack("<QQ", tree, heap))]
        messages += [
            (headers.ATTRIBUTE, self._attribute(name, value, path)) for name, value in group.attributes.items()
        ]
        return self._header(messages, path), tree, heap

    def _end_after(self, size: int) -> int:
        """Where what follows something of this size, put now, will lie."""
        return self._end + -self._end % 8 + size

    def _tree(self, entries: Sequence[tuple[int, int]]) -> int:
        """The tree over tables of (place of the name, address), sorted by name."""
        level: list[tuple[int, int]] = []
        for start in range(0, len(entries), _TABLE_ENTRIES):
            some = entries[start : start + _TABLE_ENTRIES]
            table = struct.pack("<4sBxH", b"SNOD", 1, len(some))
            table += b"".join(struct.pack("<QQ24x", offset, address) for offset, address in some)
            level.append((some[-1][0], self._put(table.ljust(_TABLE_BYTES, b"\0"))))
        depth = 0
        while True:
            level = self._nodes(level, depth)
            if len(level) == 1:
                return level[0][1]
            depth += 1

    def _nodes(self, children: Sequence[tuple[int, int]], depth: int) -> list[tuple[int, int]]:
        """Nodes of one level over (last name, address) of the level below; each knows its neighbours."""
        first = self._end_after(0)
        count = max(1, -(-len(children) // _NODE_CHILDREN))
        found = []
        before = 0
        for number in range(count):
            some = children[number * _NODE_CHILDREN : (number + 1) * _NODE_CHILDREN]
            left = first + (number - 1) * _NODE_BYTES if number else UNDEFINED
            right = first + (number + 1) * _NODE_BYTES if number + 1 < count else UNDEFINED
            node = struct.pack("<4sBBHQQQ", b"TREE", 0, depth, len(some), left, right, before)
            node += b"".join(struct.pack("<QQ", address, last) for last, address in some)
            before = some[-1][0] if some else 0
            found.append((before, self._put(node.ljust(_NODE_BYTES, b"\0"))))
        return found

    def _array(self, array: HostArray, path: str) -> int:
        self._count()
        datatype = datatype_bytes(array.dtype, path)
        laid = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        address = self._put(laid.reshape(-1).view(np.uint8).data) if laid.size else UNDEFINED
        messages = [
            (headers.SHAPE, shape_bytes(laid.shape)),
            (headers.DATATYPE, datatype),
            (headers.FILL_VALUE, _NO_FILL_VALUE),
            (headers.LAYOUT, struct.pack("<BBQQ", 3, 1, address, laid.nbytes)),
        ]
        if laid.dtype.name == "bfloat16":
            messages.append((headers.ATTRIBUTE, self._attribute(*_BFLOAT16, path)))
        return self._header(messages, path)

    def _header(self, messages: Sequence[tuple[int, bytes]], path: str) -> int:
        body = b""
        for kind, data in messages:
            data = _padded(data)
            if len(data) > _LARGEST_MESSAGE:
                raise ArgumentError(
                    f"an attribute of {shown(path)} has {len(data)} bytes.", expected=f"at most {LARGEST_ATTRIBUTE}."
                )
            body += struct.pack("<HHB3x", kind, len(data), 0) + data
        return self._put(struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body)

    def _attribute(self, name: str, value: Any, path: str) -> bytes:
        """The message of an attribute. A text lies in a heap already."""
        text = self._texts.get((path, name))
        if text is not None:
            parts = (TEXT_OF_ANY_LENGTH, shape_bytes(()), text)
        else:
            array = _plain_array(value, f"the attribute {shown(name)} of {shown(path)}")
            parts = (datatype_bytes(array.dtype, path), shape_bytes(array.shape), array.tobytes())
        title = _checked(name, path).encode() + b"\0"
        sizes = (len(title), len(parts[0]), len(parts[1]))
        return struct.pack("<BxHHH", 1, *sizes) + b"".join(map(_padded, (title, parts[0], parts[1]))) + parts[2]


def _texts(group: Group, path: str, depth: int) -> Iterator[tuple[tuple[str, str], bytes]]:
    """All attributes that are texts, of a group and what is in it, by where they are."""
    if depth > DEFAULT_LIMITS.json_depth:
        raise ArgumentError(
            "the groups are nested too deeply.", expected=f"at most {DEFAULT_LIMITS.json_depth} levels."
        )
    for name, value in group.attributes.items():
        if isinstance(value, str):
            yield (path, name), value.encode()
    for name, child in group.children.items():
        below = f"{path.rstrip('/')}/{name}"
        if isinstance(child, Group):
            yield from _texts(child, below, depth + 1)
        elif child.dtype.name == "bfloat16":
            yield (below, _BFLOAT16[0]), _BFLOAT16[1].encode()


def _plain_array(value: Any, what: str) -> HostArray:
    """The value of an attribute as an array: texts in a list all take the room of the longest."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(text, str) for text in value):
        raw = [text.encode() for text in value]
        return np.array(raw, f"S{max(1, max(map(len, raw)))}")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{what} is {shown(value)}.", expected="a text, a number, a list of these, or an array.")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)


def _checked(name: str, path: str) -> str:
    """A name that readers take."""
    if "/" in check_name(name, path) or name == ".":
        raise UnsafeModelError(
            f"the name {shown(name)} in {shown(path)} is not allowed.", expected="names without '/'."
        )
    return name


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
