"""The links of a group: names and addresses of what lies in it, and nothing that is not in the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from lamina.io.checks import check_name, shown
from lamina_keras.hdf5.dense import dense_records
from lamina_keras.hdf5.headers import LINK, LINK_INFO, SYMBOL_TABLE, Message, only
from lamina_keras.hdf5.source import UNDEFINED, Cursor, Source

_ENTRY: Final = struct.Struct("<QQII16x")
_MOST_LEVELS: Final = 16
_SOFT: Final = 2
_LINK_KINDS: Final = {1: "a soft link", 64: "a link to another file"}


def links(source: Source, messages: list[Message], what: str) -> dict[str, int] | None:
    """Addresses of a group's members by name, in the order of the file; None for what is no group.

    Raises UnsafeModelError for soft and external links, and for names that are not allowed.
    """
    table, info = only(messages, SYMBOL_TABLE), only(messages, LINK_INFO)
    if table is None and info is None:
        return None
    found: dict[str, int] = {}
    pairs = _old_links(source, table, what) if table is not None else _new_links(source, messages, what)
    for name, address in pairs:
        part = _checked(source, name, what)
        if part in found:
            raise source.unsafe(f"{what} has the name {shown(part)} twice")
        source.count_objects(1)
        found[part] = address
    return found


def _checked(source: Source, name: bytes, what: str) -> str:
    try:
        found = check_name(name.decode(), f"{source.where}: {what}")
    except UnicodeDecodeError as error:
        raise source.unsafe(f"a name in {what} is not UTF-8") from error
    if "/" in found or found == ".":
        raise source.unsafe(f"{what} has the name {shown(found)}", "names without '/'.")
    return found


def _old_links(source: Source, table: memoryview, what: str) -> Iterator[tuple[bytes, int]]:
    """Links in symbol tables, found through a tree; their names lie together in a heap."""
    cursor = Cursor(table, source, what)
    tree, heap = cursor.number(8), cursor.number(8)
    header = Cursor(source.take(heap, 32, what), source, f"the names of {what}")
    header.expect(b"HEAP\0")
    header.take(3)
    size, _, address = (header.number(8) for _ in range(3))
    names = source.take(address, size, f"the names of {what}") if size else memoryview(b"")
    for leaf in tree_leaves(source, tree, 0, 8, what):
        yield from _table(source, leaf[1], names, what)


def _table(source: Source, address: int, names: memoryview, what: str) -> Iterator[tuple[bytes, int]]:
    head = Cursor(source.look(address, 8, what), source, f"a table of {what}")
    head.expect(b"SNOD\1")
    head.take(1)
    size = head.number(2) * _ENTRY.size
    for offset, target, cached, _ in _ENTRY.iter_unpack(source.take(address, 8 + size, head.what)[8:]):
        if cached == _SOFT:
            raise source.unsafe(f"{what} has {_LINK_KINDS[1]}", "groups and arrays of the file itself.")
        name = Cursor(names, source, what)
        name.take(offset)
        yield name.text(), target


def tree_leaves(source: Source, address: int, kind: int, key_size: int, what: str) -> Iterator[tuple[memoryview, int]]:
    """The last level of a tree of version 1: keys, and the addresses that they stand before."""
    waiting: list[tuple[int, int | None]] = [] if address == UNDEFINED else [(address, None)]
    while waiting:
        node, level = waiting.pop()
        head = Cursor(source.look(node, 24, what), source, f"the tree of {what}")
        head.expect(b"TREE")
        found, depth, number = head.number(1), head.number(1), head.number(2)
        if found != kind or depth > _MOST_LEVELS or (level is not None and depth != level - 1):
            raise source.damaged(f"{head.what} does not fit together")
        width = key_size + 8
        body = source.take(node, 24 + number * width, head.what)[24:]
        parts = [body[start : start + width] for start in range(0, number * width, width)]
        children = [(part[:key_size], int.from_bytes(part[key_size:], "little")) for part in parts]
        if depth:
            waiting += [(child, depth) for _, child in reversed(children)]
        else:
            yield from children


def _new_links(source: Source, messages: list[Message], what: str) -> Iterator[tuple[bytes, int]]:
    """Links in messages of the group itself, or, where there are many, in a heap."""
    for message in messages:
        if message.kind == LINK:
            yield _link(source, message.view, what)
    info = Cursor(only(messages, LINK_INFO) or memoryview(b""), source, what)
    info.take(1)
    info.take(8 if info.number(1) & 1 else 0)
    heap, tree = info.number(8), info.number(8)
    if heap != UNDEFINED:
        for record in dense_records(source, heap, tree, what):
            yield _link(source, record, what)


def _link(source: Source, view: memoryview, what: str) -> tuple[bytes, int]:
    cursor = Cursor(view, source, f"a link of {what}")
    version, flags = cursor.number(1), cursor.number(1)
    if version != 1:
        raise source.damaged(f"{cursor.what} is of the unknown version {version}")
    kind = cursor.number(1) if flags & 8 else 0
    if kind:
        raise source.unsafe(
            f"{what} has {_LINK_KINDS.get(kind, 'a link of an unknown kind')}", "groups and arrays of the file itself."
        )
    cursor.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = bytes(cursor.take(cursor.number(1 << (flags & 3))))
    return name, cursor.number(8)
