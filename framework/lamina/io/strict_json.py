"""JSON as it is read from strangers: bounded in size and depth, no repeated keys, only numbers that every reader knows.

What is written is read back by the same rules, so that nothing is saved that would be refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from lamina.errors import SerializationError, UnsafeModelError
from lamina.io.checks import Limits, first_repeated, limits_in_force, shown

_TOKENS: Final = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+"?){1,10000}+', re.DOTALL)
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_MARKS: Final = bytes(sorted(set(range(256)) - set(b"[]{},:")))
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_LARGEST_INTEGER: Final = 2**53

_SLACK: Final = 48 << 20
_MOST_PER_BYTE: Final = 14
"""What the values of a text of n bytes may take: less than a file of n bytes may, for models are made of them."""

_PER_BYTE: Final = 4
_PER_BYTE_OF_TEXT: Final = 10
_PER_QUOTE: Final = 40
_PER_MARK: Final = {b",": 40, b":": 90, b"[": 80, b"{": 150}
"""What values take in memory, by the characters of their text: of ASCII, of any text, of its strings and the rest."""


def read_json(data: bytes | bytearray, where: str, limits: Limits | None = None) -> Any:
    """The value of JSON bytes.

    Raises UnsafeModelError if they are not UTF-8 or not JSON, too long or too deep, repeat a key, or hold NaN,
    Infinity, an integer of 2^53 or more, or half a surrogate pair.
    """
    _check_size(data, where, limits_in_force(limits))
    reader = _Reader(where)
    try:
        found = json.loads(
            str(data, "utf-8"),
            object_pairs_hook=reader.pairs,
            parse_int=reader.integer,
            parse_float=reader.real,
            parse_constant=reader.constant,
        )
        if _SURROGATE.search(data):
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise UnsafeModelError(
            f"{where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except UnicodeError as error:
        raise UnsafeModelError(f"{where} is not JSON: its text is not valid UTF-8.") from error
    return found


def write_json(value: Any, where: str, limits: Limits | None = None) -> bytes:
    """Compact JSON of a value, in UTF-8.

    Raises SerializationError if it holds something that is not JSON, and UnsafeModelError as ``read_json`` does.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        data = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationError(
            f"{where} cannot be written as JSON: {error}.",
            expected="dicts with string keys, lists, strings, finite numbers, booleans and None.",
        ) from error
    read_json(data, where, limits)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{shown(value)} of type {type(value).__name__}")


def _check_size(data: bytes | bytearray, where: str, limits: Limits) -> None:
    """Raises UnsafeModelError for a text that is too long or too deep, holds too much, or would take much memory."""
    if len(data) > limits.json_bytes:
        raise UnsafeModelError(f"{where} has {len(data)} bytes.", expected=f"at most {limits.json_bytes}.")
    quotes = data if b"\\" not in data else data.replace(b"\\\\", b"").replace(b'\\"', b"")
    memory = (_PER_BYTE if data.isascii() else _PER_BYTE_OF_TEXT) * len(data) + quotes.count(b'"') * _PER_QUOTE
    marks = _marks(data)
    values = marks.count(b",")
    if values > limits.json_values:
        raise UnsafeModelError(f"{where} has over {limits.json_values} values.")
    memory += sum(cost * marks.count(mark) for mark, cost in _PER_MARK.items())
    most = _SLACK + _MOST_PER_BYTE * len(data)
    if memory > most:
        raise UnsafeModelError(
            f"{where}: its {len(data)} bytes of JSON would take {memory} bytes of memory.", expected=f"at most {most}."
        )
    brackets = marks.translate(None, b",:")
    if len(brackets) > 2 * limits.json_containers:
        raise UnsafeModelError(f"{where} has over {limits.json_containers} lists and objects.")
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > limits.json_depth:
        raise UnsafeModelError(
            f"{where} is nested {deepest} levels deep.", expected=f"at most {limits.json_depth} levels."
        )


def _marks(data: bytes | bytearray) -> bytes:
    """What is neither in strings nor part of numbers and words. Piece by piece, for each string costs memory."""
    found = bytearray()
    end = 0
    while end < len(data) and (piece := _TOKENS.match(data, end)):
        end = piece.end()
        found += _STRINGS.sub(b"", piece[0]).translate(None, _NOT_MARKS)
    return bytes(found)


class _Reader:
    """The rules of JSON values, with the file's name for the errors."""

    def __init__(self, where: str) -> None:
        self._where = where

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            repeated = first_repeated(key for key, _ in pairs)
            raise UnsafeModelError(f"{self._where} repeats the key {shown(repeated)} in one object.")
        return found

    def integer(self, text: str) -> int:
        if len(text) > 17 or abs(int(text)) >= _LARGEST_INTEGER:
            raise UnsafeModelError(f"{self._where} holds the integer {shown(text)}.", expected="integers below 2^53.")
        return int(text)

    def real(self, text: str) -> float:
        found = float(text)
        if not math.isfinite(found):
            raise UnsafeModelError(f"{self._where} holds the number {shown(text)}.", expected="finite numbers.")
        return found

    def constant(self, text: str) -> float:
        raise UnsafeModelError(f"{self._where} holds {text}.", expected="finite numbers.")
