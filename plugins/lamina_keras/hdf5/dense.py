"""Links and attributes where they are many: records in a tree of version 2 that point into a fractal heap.

Only files of a newer form than Keras writes have them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from lamina_keras.hdf5.source import UNDEFINED, Cursor, Source

_IDS: Final = {5: slice(4, 11), 8: slice(0, 8)}
"""Where in a record of a tree of this kind the heap's mark of an object is: links by name, attributes by name."""

_NODE_EXTRA: Final = 10
_MOST_LEVELS: Final = 16


def dense_records(source: Source, heap: int, tree: int, what: str) -> Iterator[memoryview]:
    """The objects of a heap that the records of a tree point to."""
    store = _Heap(source, heap, what)
    for mark in _marks(source, tree, what):
        yield store.object(mark)


class _Tree(NamedTuple):
    """What the header of a tree says of its nodes, and how wide numbers are in the nodes of each level."""

    kind: int
    node_size: int
    record_size: int
    widths: list[int]


def _marks(source: Source, address: int, what: str) -> Iterator[memoryview]:
    head = Cursor(source.take(address, 38, what), source, f"the tree of {what}")
    head.expect(b"BTHD\0")
    kind, size, record, depth, _ = (head.number(width) for width in (1, 4, 2, 2, 2))
    root, number = head.number(8), head.number(2)
    if kind not in _IDS or record < _IDS[kind].stop or size <= _NODE_EXTRA + record or depth > _MOST_LEVELS:
        raise source.damaged(f"{head.what} does not fit together")
    tree = _Tree(kind, size, record, _widths(size, record, depth))
    if number:
        yield from _records(source, tree, root, number, depth, head.what)


def _widths(node_size: int, record: int, depth: int) -> list[int]:
    """The bytes of a count of records in one node, and of all records below a node of each level."""
    most = (node_size - _NODE_EXTRA) // record
    count_width = _width(most)
    widths, below = [0], most
    for _ in range(depth):
        pointer = 8 + count_width + widths[-1]
        held = max(1, (node_size - _NODE_EXTRA - pointer) // (record + pointer))
        below = (held + 1) * below + held
        widths.append(_width(below))
    return [count_width, *widths]


def _width(number: int) -> int:
    return max(1, (number.bit_length() + 7) // 8)


def _records(source: Source, tree: _Tree, node: int, number: int, level: int, what: str) -> Iterator[memoryview]:
    cursor = Cursor(source.take(node, tree.node_size, what), source, what)
    cursor.expect(b"BTIN\0" if level else b"BTLF\0")
    cursor.take(1)
    records = [cursor.take(tree.record_size) for _ in range(number)]
    children = []
    for _ in range(number + 1 if level else 0):
        children.append((cursor.number(8), cursor.number(tree.widths[0])))
        cursor.take(tree.widths[level] if level > 1 else 0)
    for address, count in children:
        yield from _records(source, tree, address, count, level - 1, what)
    yield from (record[_IDS[tree.kind]] for record in records)


@dataclass(frozen=True)
class _Table:
    """How the blocks of a heap grow: so many to a row, twice as large from the third row on."""

    width: int
    start: int
    largest: int

    def size(self, row: int) -> int:
        return self.start << max(0, row - 1)

    def rows(self, size: int) -> int:
        """The rows of an indirect block that spans so many bytes."""
        return size.bit_length() - (self.start * self.width).bit_length() + 1


class _Heap:
    """A fractal heap's direct blocks, by where they begin in the heap."""

    def __init__(self, source: Source, address: int, what: str) -> None:
        self._source, self._what = source, f"the heap of {what}"
        head = Cursor(source.take(address, 146, self._what), source, self._what)
        head.expect(b"FRHP\0")
        _, filters, flags, largest_object = (head.number(width) for width in (2, 2, 1, 4))
        head.take(12 * 8)
        table = _Table(head.number(2), head.number(8), head.number(8))
        bits, _, root, rows = (head.number(width) for width in (2, 2, 8, 2))
        sizes = (table.width, table.start, table.largest)
        if filters or bits > 64 or any(size & (size - 1) or not size for size in sizes):
            raise source.damaged(f"{self._what} is of an unknown kind")
        self._table = table
        self._offset_width = (bits + 7) // 8
        self._length_width = min((table.largest.bit_length() + 6) // 8, _width(largest_object))
        self._checksum = 4 if flags & 2 else 0
        self._starts: list[int] = []
        self._blocks: list[memoryview] = []
        if root != UNDEFINED:
            self._read(root, 0, table.start, rows, 0)

    def _read(self, address: int, start: int, size: int, rows: int, depth: int) -> None:
        """Takes up a direct block, or, where there are rows, an indirect one with what it points to."""
        if depth > _MOST_LEVELS:
            raise self._source.damaged(f"{self._what} has too many levels")
        table = self._table
        extra = 13 + self._offset_width
        if not rows:
            block = self._source.take(address, size, self._what)
            Cursor(block, self._source, self._what).expect(b"FHDB\0")
            self._starts.append(start)
            self._blocks.append(block)
            return
        body = Cursor(self._source.take(address, extra + 8 * rows * table.width, self._what), self._source, self._what)
        body.expect(b"FHIB\0")
        body.take(extra - 5)
        for row in range(rows):
            span = table.size(row)
            below = 0 if span <= table.largest else table.rows(span)
            for _ in range(table.width):
                child = body.number(8)
                if child != UNDEFINED:
                    self._read(child, start, span, below, depth + 1)
                start += span

    def object(self, mark: memoryview) -> memoryview:
        """The bytes of an object in the heap, or in its mark."""
        cursor = Cursor(mark, self._source, self._what)
        first = cursor.number(1)
        if first >> 4 == 2:
            return cursor.take((first & 15) + 1)
        if first >> 4:
            raise self._source.unsafe(f"{self._what} has an object of its own place", "small objects.")
        offset, length = cursor.number(self._offset_width), cursor.number(self._length_width)
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            raise self._source.damaged(f"{self._what} lacks an object")
        block = Cursor(self._blocks[index], self._source, self._what)
        block.take(offset - self._starts[index])
        return block.take(length)
