"""Files and model folders that are replaced whole or not at all.

``replacing`` does it for one file. In a model's folder the weight files come first, under names made of their content;
renaming ``model.json`` is the moment at which the new model is there. Files of the old model, and what a killed saver
left, are removed after that.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from lamina.contract.io import Bytes
from lamina.errors import ModelFileError
from lamina.io import filesystem
from lamina.io.checks import shown_address
from lamina.io.replacing import TEMPORARY, discard, replace_file, replace_lone_file
from lamina.notices import warn

MODEL_JSON: Final = "model.json"

_HASHED_SHARD: Final = re.compile(r"group\d+-shard\d+of\d+-[0-9a-f]{16}\.bin")
_PLAIN_SHARD: Final = re.compile(r"(model\.)?weights\.bin|group\d+-shard\d+of\d+\.bin")


@contextlib.contextmanager
def told(address: str, done: str = "saved") -> Iterator[None]:
    """Failures of the disk as errors of ours, for what is done whole or not at all."""
    try:
        yield
    except OSError as error:
        raise ModelFileError(
            f"{shown_address(address)} could not be {done}: {error.strerror or error}. What was there is unchanged.",
            fix="see that the folder may be written to and that the disk has room.",
        ) from error


def write_file(path: str, parts: Sequence[Bytes]) -> None:
    """Puts a file in place: afterwards, and after any crash, the path holds all of the old bytes or all of the new.

    Folders above it are made if need be. The mode of a file that is there is kept; a link is replaced, not followed.
    Raises OSError, and then nothing has changed and nothing is left over.
    """
    with contextlib.ExitStack() as undo:
        _make_folders(os.path.dirname(path) or ".", undo)
        replace_lone_file(path, parts)
        undo.pop_all()
    _sync_or_warn(os.path.dirname(path) or ".")


def _sync_or_warn(folder: str) -> bool:
    """Whether renames in the folder are safe from a power failure. They are done and visible in either case."""
    try:
        filesystem.sync_folder(folder)
    except OSError as error:
        warn(f"{folder!r} was saved, but may be lost if the power fails now: {error.strerror}.", RuntimeWarning)
        return False
    return True


def write_model(
    folder: str,
    shards: Sequence[tuple[str, Bytes]],
    document: bytes,
    named: Callable[[], Collection[str] | None],
    written: Callable[[int], Any] = lambda count: None,
) -> None:
    """Puts a model's weight files and its ``model.json`` in a folder, which is made if need be.

    The folder is the model's: once the new one is there, weight files of the old one go. ``named`` gives the weight
    files of the model that is there now, or None if that cannot be told; ``written`` is called with the length of each
    weight file. Savers wait for each other.
    Raises OSError, and then the folder is as it was.
    """
    with contextlib.ExitStack() as undo:
        _make_folders(folder, undo)
        with filesystem.locked(folder):
            _commit(folder, shards, document, named(), written)
        undo.pop_all()


def write_new(folder: str, files: Callable[[Collection[str]], Sequence[tuple[str, Bytes]]]) -> str:
    """Puts new files in a folder, which is made if need be, in their order: all of them or none.

    ``files`` gives names and bytes, knowing which names are taken; savers wait for each other. The name of the last
    file comes back. Raises OSError, and then nothing has changed.
    """
    name = ""
    with contextlib.ExitStack() as undo:
        _make_folders(folder, undo)
        with filesystem.locked(folder):
            for name, data in files(set(filesystem.list_folder(folder))):
                filesystem.sync_folder(folder)  # the last file is there only if those before it are
                undo.callback(discard, os.path.join(folder, name))
                replace_file(os.path.join(folder, name), [data])
        undo.pop_all()
    _sync_or_warn(folder)
    return name


def _make_folders(folder: str, undo: contextlib.ExitStack) -> None:
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    if parent not in ("", folder):
        _make_folders(parent, undo)
    with contextlib.suppress(FileExistsError):
        filesystem.make_folder(folder)
        undo.callback(_discard_folder, folder)
        filesystem.sync_folder(parent or ".")


def _discard_folder(folder: str) -> None:
    # Another saver may be using it by now.
    with contextlib.suppress(OSError):
        filesystem.remove_folder(folder)


def _commit(
    folder: str,
    shards: Sequence[tuple[str, Bytes]],
    document: bytes,
    old: Collection[str] | None,
    written: Callable[[int], Any],
) -> None:
    _clean(folder, keep=old)
    present = set(filesystem.list_folder(folder))
    target = os.path.join(folder, MODEL_JSON)
    with contextlib.ExitStack() as undo:
        undo.callback(_discard_unless_committed, folder, [name for name, _ in shards if name not in present], document)
        for name, data in shards:
            replace_file(os.path.join(folder, name), [data])
            written(memoryview(data).nbytes)
        filesystem.sync_folder(folder)
        replace_file(target, [document])
        undo.pop_all()
    if _sync_or_warn(folder):
        _clean(folder, keep=[name for name, _ in shards], old=old or ())


def remove_model(folder: str, document: str, named: Callable[[], Collection[str]]) -> None:
    """Removes a model's document, and then the weight files that ``named`` gives, and the folder if it was all.

    Raises OSError, and then nothing has changed.
    """
    with filesystem.locked(folder or "."):
        shards = named()
        filesystem.remove(os.path.join(folder, document))
        for name in shards:
            discard(os.path.join(folder, name))
    if document == MODEL_JSON and folder:
        _discard_folder(folder)


def is_weight_file(name: str, document: str) -> bool:
    """Whether a file is named as the weight files beside a document are, so that a document may have it removed."""
    beside = document.removesuffix(".json") + ".weights.bin"
    return bool(_HASHED_SHARD.fullmatch(name) or _PLAIN_SHARD.fullmatch(name)) or name == beside


def _discard_unless_committed(folder: str, names: Sequence[str], document: bytes) -> None:
    """Removes new weight files, unless an interrupt came just after the new model was there."""
    with contextlib.suppress(OSError):
        if filesystem.read_file(os.path.join(folder, MODEL_JSON)) == document:
            return
    for name in names:
        discard(os.path.join(folder, name))


def _clean(folder: str, keep: Collection[str] | None, old: Collection[str] = ()) -> None:
    """Removes what killed savers left and what no document names: only files with names that savers give."""
    try:
        present = filesystem.list_folder(folder)
    except OSError:  # nothing depends on it: the next save cleans up
        return
    for name in present:
        orphan = _HASHED_SHARD.fullmatch(name) or (name in old and _PLAIN_SHARD.fullmatch(name))
        if TEMPORARY.fullmatch(name) or (orphan and keep is not None and name not in keep):
            discard(os.path.join(folder, name))
