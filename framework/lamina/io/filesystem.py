"""The calls to the file system, all in one place, so that a test can make any one of them fail.

Nothing is decided here. Weight files are opened beneath their folder, following no link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

WINDOWS: Final = os.name == "nt"

# Bits that a system does not have count as none; without O_BINARY, Windows would translate line ends.
_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
# Python 3.11 cannot tell a junction, so it is told by where it leads.
_is_junction: Final = getattr(os.path, "isjunction", lambda path: os.path.realpath(path) != os.path.abspath(path))
# Some network file systems have no locks: savers then do not wait for each other.
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0)


def create(path: str, mode: int = 0o666) -> int:
    """A new file, open for writing, of that mode less the umask; it must not exist, not even as a link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, mode)


def mode_of(path: str) -> int | None:
    """Who may do what with a file; None if there is no ordinary one."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return stat.S_IMODE(status.st_mode) & 0o777 if stat.S_ISREG(status.st_mode) else None


def set_mode(descriptor: int, mode: int) -> None:
    """Says who may do what with an open file; where that cannot be said, it is as it is for all files."""
    if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)


def links(descriptor: int) -> int:
    """Under how many names an open file is there; 0 if it has been removed."""
    return os.fstat(descriptor).st_nlink


def write(descriptor: int, data: memoryview) -> int:
    return os.write(descriptor, data)


def sync(descriptor: int) -> None:
    os.fsync(descriptor)


def close(descriptor: int) -> None:
    os.close(descriptor)


def replace(source: str, destination: str) -> None:
    os.replace(source, destination)


def remove(path: str) -> None:
    os.remove(path)


def list_folder(path: str) -> list[str]:
    return os.listdir(path)


def make_folder(path: str) -> None:
    os.mkdir(path)


def remove_folder(path: str) -> None:
    os.rmdir(path)


def sync_folder(path: str) -> None:
    """Makes renames in a folder survive a power failure; Windows has no such call."""
    if WINDOWS:
        return
    descriptor = os.open(path, os.O_RDONLY | _FOLDER)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(path: str) -> int:
    """A file open for reading, links followed, without waiting for anyone to write to it."""
    return os.open(path, os.O_RDONLY | _NO_WAIT | _BINARY)


def open_beneath(folder: str, parts: Sequence[str]) -> int:
    """A file below a folder, open for reading; no part of its path may be a link."""
    if WINDOWS:
        return _open_beneath_by_path(folder, parts)
    held = os.open(folder, os.O_RDONLY | _FOLDER | _BINARY)
    for index, part in enumerate(parts):
        flags = _FOLDER if index < len(parts) - 1 else _NO_WAIT
        try:
            inner = os.open(part, os.O_RDONLY | _NO_LINK | _BINARY | flags, dir_fd=held)
        finally:
            os.close(held)
        held = inner
    return held


def _open_beneath_by_path(folder: str, parts: Sequence[str]) -> int:
    path = folder
    for part in parts:
        path = os.path.join(path, part)
        if os.path.islink(path) or _is_junction(path):
            raise OSError(f"{part} is a link")
    return open_file(path)


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def regular_size(descriptor: int) -> int | None:
    """The bytes of an open file, or None if it is not an ordinary one."""
    status = os.fstat(descriptor)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def read_into(descriptor: int, data: memoryview) -> int:
    """Reads some bytes, as many as come at once; 0 at the end of the file."""
    return os.readv(descriptor, [data]) if hasattr(os, "readv") else _read_into(descriptor, data)


def _read_into(descriptor: int, data: memoryview) -> int:
    found = os.read(descriptor, min(len(data), 1 << 20))
    data[: len(found)] = found
    return len(found)


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Keeps other savers out of a folder; the system lets go when the process ends, however it ends."""
    descriptor = _lock(folder)
    try:
        yield
    finally:
        os.close(descriptor)


if WINDOWS:
    import msvcrt

    def _lock(folder: str) -> int:
        descriptor = os.open(os.path.join(folder, ".lamina-lock"), os.O_RDWR | os.O_CREAT)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return descriptor

    def try_lock(descriptor: int) -> bool | None:
        return None

    def remove_unlocked(path: str) -> None:
        os.remove(path)  # the system refuses it for an open file

else:
    import fcntl

    def _lock(folder: str) -> int:
        descriptor = os.open(folder, os.O_RDONLY | _FOLDER)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
        return descriptor

    def try_lock(descriptor: int) -> bool | None:
        """Whether an open file could be locked, without waiting; None where there are no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return None
        return True

    def remove_unlocked(path: str) -> None:
        """Removes a file that nobody has locked; a lock goes with the process that holds it."""
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY)
        try:
            if try_lock(descriptor):
                os.remove(path)
        finally:
            os.close(descriptor)
