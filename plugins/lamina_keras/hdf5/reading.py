"""A whole HDF5 file to groups and arrays. No other file is opened, no library but NumPy and zlib sees the bytes."""

from __future__ import annotations

from lamina.io.checks import Limits, limits_in_force, shown
from lamina.io.kinds import kind_of
from lamina_keras.hdf5.attributes import TextHeaps, attributes
from lamina_keras.hdf5.groups import links
from lamina_keras.hdf5.headers import read_header
from lamina_keras.hdf5.source import Cursor, Source
from lamina_keras.hdf5.storage import read_array
from lamina_keras.hdf5.tree import SIGNATURE, Child, Group


def read_hdf5(data: memoryview, where: str, limits: Limits | None = None) -> Group:
    """The groups, attributes and arrays of a file. Arrays that lie in ``data`` as they are, are views of it.

    Raises ModelFileError for a file that is damaged, and UnsafeModelError for one that refers to other files, names
    its parts more than once, holds less than it declares, or has types, filters or layouts that no saved model needs.
    """
    source = Source(memoryview(data).cast("B"), where, limits_in_force(limits))
    root = _root(source)
    source.count_objects(1)
    found = _read(source, root, "", TextHeaps(source), 0)
    if not isinstance(found, Group):
        raise source.damaged("the file holds a single array", "a group.")
    return found


def _root(source: Source) -> int:
    """The address of the first group's header."""
    cursor = Cursor(source.look(0, min(len(source), 96), "the start"), source, "the start of the file")
    if bytes(cursor.take(min(len(source), 8))) != SIGNATURE:
        raise source.unsafe(f"the file is {kind_of(cursor.view)}", "an HDF5 file, with nothing before it.")
    version = cursor.number(1)
    if version in (0, 1):
        cursor.take(4)
        sizes = (cursor.number(1), cursor.number(1))
        cursor.take(9 if version == 0 else 13)
        base, _, end = (cursor.number(8) for _ in range(3))
        cursor.take(16)
    elif version in (2, 3):
        sizes = (cursor.number(1), cursor.number(1))
        cursor.take(1)
        base, _, end = (cursor.number(8) for _ in range(3))
    else:
        raise source.damaged(f"the file is HDF5 of the unknown version {version}", "versions 0 to 3.")
    if sizes != (8, 8) or base:
        raise source.unsafe("the file counts its places in an unusual way", "addresses of 8 bytes from its beginning.")
    if end > len(source):
        raise source.damaged(f"the file has {len(source)} bytes, and should have {end}")
    root = cursor.number(8)
    source.take(0, cursor.at, "the start")
    return root


def _read(source: Source, address: int, path: str, heaps: TextHeaps, depth: int) -> Child:
    what = shown(path or "/")
    if depth > source.limits.json_depth:
        raise source.unsafe(f"{what} is nested too deeply", f"at most {source.limits.json_depth} levels.")
    messages = read_header(source, address, what)
    members = links(source, messages, what)
    own = attributes(source, messages, heaps, what)
    if members is None:
        return read_array(source, messages, own.get("dtype"), what)
    children = {name: _read(source, member, f"{path}/{name}", heaps, depth + 1) for name, member in members.items()}
    return Group(own, children)
