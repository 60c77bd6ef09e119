"""The files of a saved model, read with distrust: sizes before bytes, ordinary files, nothing outside the folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from lamina.contract.io import Bytes, ModelArtifacts
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import atomic, filesystem
from lamina.io.checks import Limits, limits_in_force, shown, shown_address
from lamina.io.kinds import UNKNOWN, kind_of
from lamina.io.model_json import WeightGroup
from lamina.io.progress import OnProgress, Progress
from lamina.io.weights import check_stored_size, spans
from lamina.shapes import as_int

SHARD_BYTES: Final = 4 << 20
"""The longest weight file unless asked for otherwise: browsers fetch several at once, and cache files of this size."""

_WORTH_THREADS: Final = 4
"""So many parts are hashed on several threads."""

_PIECE: Final = 16 << 20
"""The most that is read at once, so that progress can be told."""


def cut(data: Bytes, longest: int | None = None, group: int = 1) -> list[tuple[str, memoryview]]:
    """The weight bytes of a group as files of at most so many bytes (SHARD_BYTES), named by place and content."""
    longest = as_int(SHARD_BYTES if longest is None else longest, "shard_bytes", minimum=1)
    view = memoryview(data).cast("B")
    parts = [view[start : start + longest] for start in range(0, len(view), longest)]
    names = (f"group{group}-shard{number}of{len(parts)}-{d}.bin" for number, d in enumerate(_digests(parts), 1))
    return list(zip(names, parts, strict=True))


def _digests(parts: Sequence[memoryview]) -> list[str]:
    """What the content of each part comes to, in 16 digits; several at once, for Python lets go while it hashes."""

    def digest(part: memoryview) -> str:
        return hashlib.sha256(part).hexdigest()[:16]

    if len(parts) < _WORTH_THREADS:
        return [digest(part) for part in parts]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(digest, parts))


def cut_groups(artifacts: ModelArtifacts, where: str) -> tuple[list[tuple[str, memoryview]], list[WeightGroup]]:
    """The weight files of a model, cut as it asks for, and the groups of its manifest.

    Raises UnsafeModelError unless the bytes are exactly those of the weights, ArgumentError for sizes that are none.
    """
    view = memoryview(artifacts.weight_data).cast("B")
    places = spans(artifacts.weight_specs, view, where)
    wish = artifacts.files
    counts = wish.groups or (len(places),)
    if sum(counts) != len(places):
        raise ArgumentError(f"groups of {sum(counts)} weights.", expected=f"the {len(places)} weights of the model.")
    files: list[tuple[str, memoryview]] = []
    groups = []
    first = 0
    for number, count in enumerate(counts, 1):
        chosen = places[first : first + count]
        shards = cut(view[chosen[0][0] : chosen[-1][1]] if chosen else b"", wish.shard_bytes, number)
        specs = artifacts.weight_specs[first : first + count]
        groups.append(WeightGroup(tuple(name for name, _ in shards), tuple(specs)))
        files += shards
        first += count
    return files, groups


def removable(groups: Sequence[WeightGroup], document: str, where: str) -> list[str]:
    """The weight files that go with a document, if it names none but such: it may not have other files removed.

    Raises ArgumentError otherwise.
    """
    names = [name for group in groups for name in group.paths]
    others = [name for name in names if not atomic.is_weight_file(name, document)]
    if others:
        raise ArgumentError(
            f"{where} names the file {shown(others[0])}, which is not named like one of weights.",
            expected="files such as 'group1-shard1of1.bin' and 'model.weights.bin'.",
            fix="remove the model yourself.",
        )
    return names


def read_document(path: str, limits: Limits) -> bytearray:
    """The bytes of a ``model.json``.

    Raises ModelNotFoundError if there is none, UnsafeModelError if it is too long or no ordinary file, ModelFileError
    if it cannot be read or is a file of another kind.
    """
    expected = "a folder that holds a model.json, or the path of such a file."
    data = bytearray(read_file(path, limits.json_bytes, expected))
    kind = kind_of(data)
    if kind != UNKNOWN and data:
        raise ModelFileError(
            f"{shown_address(path)} is {kind}.",
            expected="the model.json of a model in the layout of TensorFlow.js.",
            fix="give the file the ending of what it is, or convert it with the library that wrote it.",
        )
    return data


def read_file(
    path: str,
    most: int | None = None,
    expected: str = "the path of a file.",
    on_progress: OnProgress | None = None,
    limits: Limits | None = None,
) -> memoryview:
    """The bytes of a file, of at most so many, in memory of their own.

    Raises ModelNotFoundError if there is none (and says what was ``expected``), UnsafeModelError if it is too long or
    no ordinary file, ModelFileError if it cannot be read.
    """
    where = shown_address(path)
    try:
        descriptor = filesystem.open_file(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelNotFoundError(f"there is no model at {where}.", expected=expected) from error
    except OSError as error:
        raise _unreadable(where, error) from error
    with _closing(descriptor):
        size = _ordinary_size(descriptor, where)
        if most is not None and size > most:
            raise UnsafeModelError(f"{where} has {size} bytes.", expected=f"at most {most}.")
        limits_in_force(limits).check_file(size, where)
        data = _memory(size)
        progress = Progress(on_progress, size)
        _fill(descriptor, data, where, progress)
    progress.finish()
    return data


def _memory(size: int) -> memoryview:
    """Bytes to be filled; a bytearray would fill them with zeros first."""
    return np.empty(size, np.uint8).data


def read_weights(
    folder: str,
    groups: Sequence[WeightGroup],
    where: str,
    root: str | None,
    on_progress: OnProgress | None = None,
    limits: Limits | None = None,
) -> memoryview:
    """The weight bytes of all groups, one after the other; nothing is allocated until all sizes agree."""
    sizes = weight_sizes(folder, groups, where, root)
    limits_in_force(limits).check_file(sum(map(sum, sizes)), f"{where}, with its weight files,")
    data = _memory(sum(map(sum, sizes)))
    progress = Progress(on_progress, len(data))
    left = data
    for group, found in zip(groups, sizes, strict=True):
        for path, size in zip(group.paths, found, strict=True):
            with _opened(folder, path, where, root) as descriptor:
                _fill(descriptor, left[:size], f"{where}: the weight file {shown(path)}", progress)
            left = left[size:]
    progress.finish()
    return data


def weight_sizes(folder: str, groups: Sequence[WeightGroup], where: str, root: str | None) -> list[list[int]]:
    """The bytes of each group's files, which are there and as long together as the group's weights."""
    sizes = [[_size(folder, path, where, root) for path in group.paths] for group in groups]
    for group, found in zip(groups, sizes, strict=True):
        held = ", ".join(f"{path} ({size} bytes)" for path, size in zip(group.paths[:4], found, strict=False))
        more = ", ..." if len(found) > 4 else ""
        check_stored_size(group.specs, sum(found), f"{where}: {held or 'no file'}{more}")
    return sizes


def _size(folder: str, path: str, where: str, root: str | None) -> int:
    with _opened(folder, path, where, root) as descriptor:
        return _ordinary_size(descriptor, f"{where}: the weight file {shown(path)}")


@contextlib.contextmanager
def _opened(folder: str, path: str, where: str, root: str | None) -> Iterator[int]:
    what = f"{where}: the weight file {shown(path)}"
    try:
        descriptor = _open(folder, path, root)
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{what} is missing.", fix="copy the whole folder of the model.") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EXDEV):
            raise UnsafeModelError(f"{what} is a link, or lies behind one.", expected="an ordinary file.") from error
        raise _unreadable(what, error) from error
    with _closing(descriptor):
        yield descriptor


def _open(folder: str, path: str, root: str | None) -> int:
    if root is None:
        return filesystem.open_beneath(folder, path.split("/"))
    resolved = os.path.realpath(os.path.join(folder, path))
    if os.path.commonpath([resolved, root]) != root:
        raise OSError(errno.EXDEV, "it leads out of the root folder")
    return filesystem.open_file(resolved)


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        # What was wanted of the file has been read.
        with contextlib.suppress(OSError):
            filesystem.close(descriptor)


def _ordinary_size(descriptor: int, what: str) -> int:
    try:
        size = filesystem.regular_size(descriptor)
    except OSError as error:
        raise _unreadable(what, error) from error
    if size is None:
        raise UnsafeModelError(f"{what} is no ordinary file.", expected="a file: no folder, device or pipe.")
    return size


def _fill(descriptor: int, data: memoryview, what: str, progress: Progress) -> None:
    wanted = len(data)
    try:
        while len(data):
            count = filesystem.read_into(descriptor, data[:_PIECE])
            if not count:
                raise UnsafeModelError(f"{what} ended after {wanted - len(data)} of {wanted} bytes.")
            data = data[count:]
            progress.add(count)
    except OSError as error:
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: OSError) -> ModelFileError:
    return ModelFileError(f"{what} cannot be read: {error.strerror or error}.")
