"""Attributes to plain values: texts, numbers, lists of texts, arrays. Texts of any length lie in a heap of the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.io.checks import check_name, shown
from lamina_keras.hdf5.datatypes import Datatype, read_datatype, read_shape
from lamina_keras.hdf5.dense import dense_records
from lamina_keras.hdf5.headers import ATTRIBUTE, ATTRIBUTE_INFO, Message, only
from lamina_keras.hdf5.source import UNDEFINED, Cursor, Source


class TextHeaps:
    """The file's heaps of texts; each text is handed out once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._heaps: dict[int, dict[int, memoryview]] = {}

    def take(self, cursor: Cursor) -> bytes:
        """The text that the next 16 bytes of an attribute name."""
        length, address, index = (cursor.number(width) for width in (4, 8, 4))
        if not length:
            return b""
        if address not in self._heaps:
            self._heaps[address] = self._read(address)
        found = self._heaps[address].pop(index, None)
        if found is None or len(found) < length:
            raise self._source.damaged(f"the text of {cursor.what} is not where it should be")
        return bytes(found[:length])

    def _read(self, address: int) -> dict[int, memoryview]:
        what = "a heap of texts"
        head = Cursor(self._source.look(address, 16, what), self._source, what)
        head.expect(b"GCOL\1")
        head.take(3)
        cursor = Cursor(self._source.take(address, head.number(8), what), self._source, what)
        cursor.take(16)
        found: dict[int, memoryview] = {}
        while cursor.left >= 16:
            index, _, size = (cursor.number(width) for width in (2, 6, 8))
            if not index:
                break
            found[index] = cursor.take(size)
            cursor.align()
        return found


def attributes(source: Source, messages: list[Message], heaps: TextHeaps, what: str) -> dict[str, Any]:
    """The attributes in an object's messages, by name.

    Raises UnsafeModelError for a name that is not allowed or stands twice, and for types that no attribute needs.
    """
    views = [message.view for message in messages if message.kind == ATTRIBUTE]
    info = only(messages, ATTRIBUTE_INFO)
    if info is not None:
        cursor = Cursor(info, source, what)
        cursor.take(1)
        cursor.take(2 if cursor.number(1) & 1 else 0)
        heap, tree = cursor.number(8), cursor.number(8)
        views += dense_records(source, heap, tree, what) if heap != UNDEFINED else []
    found: dict[str, Any] = {}
    for view in views:
        name, value = _attribute(source, view, heaps, what)
        if name in found:
            raise source.unsafe(f"{what} has the attribute {shown(name)} twice")
        found[name] = value
    return found


def _attribute(source: Source, view: memoryview, heaps: TextHeaps, what: str) -> tuple[str, Any]:
    cursor = Cursor(view, source, f"an attribute of {what}")
    version, flags, *sizes = (cursor.number(width) for width in (1, 1, 2, 2, 2))
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise source.unsafe(f"{cursor.what} is of the unknown kind {version}, {flags}")
    cursor.take(1 if version == 3 else 0)
    parts = []
    for size in sizes:
        parts.append(cursor.take(size))
        if version == 1:
            cursor.align()
    name = check_name(text(source, bytes(parts[0]).rstrip(b"\0"), cursor.what), f"{source.where}: {what}")
    cursor.what = f"the attribute {shown(name)} of {what}"
    datatype, shape = read_datatype(parts[1], source, cursor.what), read_shape(parts[2], source, cursor.what)
    return name, None if shape is None else _value(source, cursor, datatype, shape, heaps)


def _value(source: Source, cursor: Cursor, datatype: Datatype, shape: tuple[int, ...], heaps: TextHeaps) -> Any:
    number = math.prod(shape)
    body = Cursor(cursor.take(number * datatype.size), source, cursor.what)
    if datatype.kind in ("text", "texts"):
        if len(shape) > 1:
            raise source.unsafe(f"{cursor.what} has texts along {len(shape)} axes", "a text, or a list of texts.")
        if datatype.kind == "text":
            raw = [bytes(body.take(datatype.size)).rstrip(b"\0") for _ in range(number)]
        else:
            raw = [heaps.take(body) for _ in range(number)]
        texts = [text(source, one, cursor.what) for one in raw]
        return texts if shape else texts[0]
    if datatype.kind == "opaque":
        raise source.unsafe(f"{cursor.what} has values that are opaque", "numbers, or text.")
    found = np.frombuffer(body.view, "?" if datatype.kind == "bool" else datatype.dtype).reshape(shape)
    return found.astype(found.dtype.newbyteorder("=")) if shape else found.item()


def text(source: Source, raw: bytes, what: str) -> str:
    """Text of bytes in UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise source.unsafe(f"{what} is not UTF-8") from error
