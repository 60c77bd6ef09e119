"""Object headers: the messages that say what a group or an array is, and where its parts lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from lamina_keras.hdf5.source import Cursor, Source

SHAPE, LINK_INFO, DATATYPE, FILL_VALUE, LINK, EXTERNAL, LAYOUT = 1, 2, 3, 5, 6, 7, 8
FILTERS, ATTRIBUTE, CONTINUED, SYMBOL_TABLE, ATTRIBUTE_INFO = 11, 12, 16, 17, 21

_KNOWN: Final = frozenset(range(23)) - {9}
_SHARED: Final = 2
_MOST_MESSAGES: Final = 65_535


class Message(NamedTuple):
    """A message of a header: its kind, and its bytes."""

    kind: int
    view: memoryview


def read_header(source: Source, address: int, what: str) -> list[Message]:
    """The messages of the object at an address. Raises UnsafeModelError for what reaches outside the object."""
    start = source.look(address, 16, what)
    found = _second(source, address, what) if bytes(start[:4]) == b"OHDR" else _first(source, address, what)
    messages = []
    for kind, flags, view in found:
        if kind == EXTERNAL:
            raise source.unsafe(f"the values of {what} lie in another file", "a file that holds all of its model.")
        if kind not in _KNOWN:
            raise source.unsafe(f"{what} has a message of the kind {kind}", "messages of groups and arrays.")
        if flags & _SHARED:
            raise source.unsafe(f"{what} shares parts of its description with others")
        messages.append(Message(kind, view))
        if len(messages) > _MOST_MESSAGES:
            raise source.unsafe(f"{what} has over {_MOST_MESSAGES} messages")
    return messages


def _first(source: Source, address: int, what: str) -> Iterator[tuple[int, int, memoryview]]:
    """The messages of a header of version 1."""
    prefix = Cursor(source.look(address, 16, what), source, what)
    version, _, number, _, size = (prefix.number(width) for width in (1, 1, 2, 4, 4))
    if version != 1:
        raise source.damaged(f"{what} has a header of the unknown version {version}")
    waiting = [Cursor(source.take(address, 16 + size, what), source, what)]
    waiting[0].take(16)
    for cursor in waiting:
        while cursor.left >= 8 and number:
            kind, length, flags, _ = (cursor.number(width) for width in (2, 2, 1, 3))
            view = cursor.take(length)
            number -= 1
            if kind == CONTINUED:
                waiting.append(_continued(source, view, what))
            yield kind, flags, view
    if number:
        raise source.damaged(f"{what} lacks {number} of its messages")


def _second(source: Source, address: int, what: str) -> Iterator[tuple[int, int, memoryview]]:
    """The messages of a header of version 2. Checksums guard against damage only, and are passed over."""
    prefix = Cursor(source.look(address, min(42, len(source) - address), what), source, what)
    prefix.expect(b"OHDR\2")
    flags = prefix.number(1)
    prefix.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    size = prefix.number(1 << (flags & 3))
    waiting = [Cursor(source.take(address, prefix.at + size + 4, what)[:-4], source, what)]
    waiting[0].take(prefix.at)
    for cursor in waiting:
        while cursor.left >= (6 if flags & 4 else 4):
            kind, length, message_flags = (cursor.number(width) for width in (1, 2, 1))
            cursor.take(2 if flags & 4 else 0)
            view = cursor.take(length)
            if kind == CONTINUED:
                more = _continued(source, view, what)
                more.expect(b"OCHK")
                waiting.append(Cursor(more.view[4:-4], source, what))
            yield kind, message_flags, view


def _continued(source: Source, view: memoryview, what: str) -> Cursor:
    place = Cursor(view, source, what)
    return Cursor(source.take(place.number(8), place.number(8), what), source, what)


def only(messages: list[Message], kind: int) -> memoryview | None:
    """The bytes of the message of a kind, None if there is none."""
    return next((message.view for message in messages if message.kind == kind), None)
