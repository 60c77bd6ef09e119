"""A file put in place of another, whole or not at all: written beside it, synced, then renamed.

The file in the making has a random name. Where savers do not wait for each other, its name also says what it is for,
and its maker holds a lock on it: one that nobody holds was left by a saver that was killed, and the next save of that
file removes it. A link is replaced itself, and what it leads to stays as it is. The new file has the mode of the old.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

from lamina.contract.io import Bytes
from lamina.io import filesystem

TEMPORARY: Final = re.compile(r"\.lamina-[0-9a-f]{16}\.tmp")
"""The names of files in the making within a folder whose savers wait for each other."""

_RANDOM: Final = re.compile(r"[0-9a-f]{16}\.tmp")
_MOST_NAMES: Final = 100


def replace_file(path: str, parts: Sequence[Bytes]) -> None:
    """Puts a file in place, where savers wait for each other. Raises OSError, and then nothing has changed.

    Whoever calls it syncs the folder.
    """
    _replace(path, parts, ".lamina-")


def replace_lone_file(path: str, parts: Sequence[Bytes]) -> None:
    """The same where savers do not wait, and anything may be beside the file: leaves of killed savers of it go."""
    prefix = f".lamina-{hashlib.sha256(os.fsencode(os.path.basename(path))).hexdigest()[:8]}-"
    _remove_abandoned(os.path.dirname(path) or ".", prefix)
    _replace(path, parts, prefix)


def _replace(path: str, parts: Sequence[Bytes], prefix: str) -> None:
    mode = filesystem.mode_of(path)
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as opened:
        temporary, descriptor = _temporary(os.path.dirname(path), prefix, mode)
        undo.callback(discard, temporary)
        opened.callback(_close, descriptor)
        if mode is not None:
            filesystem.set_mode(descriptor, mode)
        fill(descriptor, parts)
        filesystem.sync(descriptor)
        if filesystem.WINDOWS:  # which renames no open file, nor removes one
            opened.close()
        filesystem.replace(temporary, path)
        undo.pop_all()


def _temporary(folder: str, prefix: str, mode: int | None) -> tuple[str, int]:
    """A new file, open for writing, on which this saver holds the lock; where there are no locks, without one."""
    for _ in range(_MOST_NAMES):
        path = os.path.join(folder, f"{prefix}{os.urandom(8).hex()}.tmp")
        try:
            descriptor = filesystem.create(path, 0o666 if mode is None else mode & 0o600)
        except FileExistsError:
            continue
        except BaseException:
            discard(path)
            raise
        try:
            if filesystem.try_lock(descriptor) is not False and filesystem.links(descriptor):
                return path, descriptor
        except BaseException:
            _close(descriptor)
            discard(path)
            raise
        _close(descriptor)  # another saver came before the lock, and took it for abandoned
        discard(path)
    raise FileExistsError(f"no name is free for a new file in {folder or '.'}")


def fill(descriptor: int, parts: Sequence[Bytes]) -> None:
    """Writes all the bytes, however many the disk takes at a time."""
    for part in parts:
        left = memoryview(part).cast("B")
        while len(left):
            left = left[filesystem.write(descriptor, left) :]


def _close(descriptor: int) -> None:
    # What counts has been synced before, or another failure is on its way.
    with contextlib.suppress(OSError):
        filesystem.close(descriptor)


def discard(path: str) -> None:
    """Removes a file that no document names. One that cannot be removed harms nobody, and the next save tries again."""
    with contextlib.suppress(OSError):
        filesystem.remove(path)


def _remove_abandoned(folder: str, prefix: str) -> None:
    for path in _abandoned(folder, prefix):
        with contextlib.suppress(OSError):  # it may have been put in place, or is not ours
            filesystem.remove_unlocked(path)


def _abandoned(folder: str, prefix: str) -> Iterator[str]:
    with contextlib.suppress(OSError):  # nothing depends on it: the next save looks again
        for name in filesystem.list_folder(folder):
            if name.startswith(prefix) and _RANDOM.fullmatch(name, len(prefix)):
                yield os.path.join(folder, name)
