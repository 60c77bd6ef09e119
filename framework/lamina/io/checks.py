"""What may stand in a saved model: limits, names and paths. Pure checks, nothing is opened here.

Names and paths from files are shown escaped and cut, for they are somebody else's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from lamina.errors import UnsafeModelError

FORBIDDEN_NAMES: Final = frozenset({"__proto__", "prototype", "constructor"})
"""Names that mean something else than a key to a reader in a browser."""

_OWN_NAMES: Final = re.compile(r"(file|memory|localstorage|indexeddb|downloads)://", re.IGNORECASE)
_USER: Final = re.compile(r"(://)[^/]*@")
_QUERY: Final = re.compile(r"\?.*", re.DOTALL)
_LONGEST_NAME: Final = 1024
_LONGEST_PATH: Final = 240
_PATH_PART: Final = re.compile(r"[A-Za-z0-9._-]{1,255}")
_WINDOWS_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """What a reader accepts; what oversteps it is refused before it costs anything.

    ``json_bytes``, ``json_depth``, ``json_containers`` and ``json_values`` bound each JSON text, ``weights`` their
    number and ``rank`` their axes, ``layers`` those of a model, ``nested`` how deep models lie in models, ``calls`` the
    calls of layers with those of models inside at each of their calls, ``parameters`` the numbers in a model's weights,
    ``file_bytes`` a file, or all weight files together; None is no bound but the one that always holds: no more memory
    than the file's bytes back.
    """

    json_bytes: int = 64 << 20
    json_depth: int = 64
    json_containers: int = 1_000_000
    json_values: int = 4_000_000
    weights: int = 100_000
    rank: int = 8
    layers: int = 10_000
    nested: int = 32
    calls: int = 100_000
    parameters: int | None = None
    file_bytes: int | None = None

    def check_file(self, size: int, where: str) -> None:
        """Raises UnsafeModelError if a file, or the weight files together, are too long."""
        if self.file_bytes is not None and size > self.file_bytes:
            raise UnsafeModelError(
                f"{where} has {size} bytes.", expected=f"at most {self.file_bytes}, as the limits say."
            )


DEFAULT_LIMITS: Final = Limits()

_IN_FORCE: Final[ContextVar[Limits]] = ContextVar("lamina_limits", default=DEFAULT_LIMITS)


def limits_in_force(own: Limits | None = None) -> Limits:
    """Limits of a reader's own; if it has none, those of the load that goes on, or the default ones."""
    return _IN_FORCE.get() if own is None else own


@contextmanager
def limited(limits: Limits | None) -> Iterator[None]:
    """Readers without limits of their own keep to these inside the block."""
    token = _IN_FORCE.set(limits_in_force(limits))
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def shown(text: object, most: int = 80) -> str:
    r"""The text as it may be shown to people: quoted, control characters escaped, long ones cut.

    >>> print(shown("a\x1b]0;x"))
    'a\x1b]0;x'
    """
    if isinstance(text, str) and len(text) > most:
        text = text[:most] + "..."
    found = repr(text)
    return found if len(found) <= 4 * most else found[: 4 * most] + "..."


def shown_address(address: str) -> str:
    """An address as it may be shown to people and written to logs: without password and query, which may be secret.

    >>> shown_address("https://me:word@example.org/m/model.json?token=1"), shown_address("localstorage://why?")
    ("'https://example.org/m/model.json?...'", "'localstorage://why?'")
    """
    if _OWN_NAMES.match(address) or "://" not in address:
        return shown(address, _LONGEST_PATH)
    return shown(_QUERY.sub("?...", _USER.sub(r"\1", address)), _LONGEST_PATH)


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that stood before already, if there is one."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def check_name(name: object, where: str) -> str:
    """The name of a weight or a stored model, if it is one. Raises UnsafeModelError otherwise."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise UnsafeModelError(
            f"{where}: {shown(name)} is not a name.", expected=f"text of 1 to {_LONGEST_NAME} characters."
        )
    if not name.isprintable() or ".." in name.split("/") or FORBIDDEN_NAMES.intersection(name.split("/")):
        raise UnsafeModelError(
            f"{where}: the name {shown(name)} is not allowed.",
            expected="printable characters, and none of '..', '__proto__', 'prototype', 'constructor' between slashes.",
        )
    return name


def check_shard_path(path: object, where: str) -> tuple[str, ...]:
    """The parts of a weight file's path, which must stay beside the model file.

    A leading ``./``, which browsers write, is dropped. Raises UnsafeModelError otherwise.

    >>> check_shard_path("./model.weights.bin", "model.json")
    ('model.weights.bin',)
    """
    parts = path.removeprefix("./").split("/") if isinstance(path, str) else []
    if not parts or not all(_is_plain(part) for part in parts):
        raise UnsafeModelError(
            f"{where}: the weight file {shown(path)} is not allowed.",
            expected="a relative path of letters, digits, '.', '_' and '-' that stays in the model's folder.",
        )
    return tuple(parts)


def _is_plain(part: str) -> bool:
    return bool(_PATH_PART.fullmatch(part)) and not part.endswith(".") and not _WINDOWS_DEVICE.fullmatch(part)
