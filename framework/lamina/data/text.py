"""Text files as datasets of lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from lamina.data.dataset import Dataset
from lamina.errors import ArgumentError, ArgumentTypeError, DataError


class TextLineDataset(Dataset):
    r"""The lines of a text file, without the ends of the lines (also those of Windows).

    ``source`` is a path, a ``file://`` address, or the lines themselves in a list. ``encoding`` is that of the file;
    a mark of UTF-8 at its beginning is left out. The file is opened anew for each pass, and closed with it.

    Raises ArgumentError for an address of the web: fetch the file first. While reading: FileNotFoundError, and
    DataError for bytes that are no text.

    >>> TextLineDataset(["one\r\n", "two"]).to_list()
    ['one', 'two']
    """

    def __init__(self, source: Any, encoding: str = "utf-8") -> None:
        lines = line_source(source, encoding)
        super().__init__(lambda _: (line.rstrip("\n").removesuffix("\r") for line in lines.open()))
        self.source = source
        self.encoding = encoding


class LineSource:
    """Where lines come from, again at each ``open``, with the ends of the lines."""

    def __init__(self, source: Any, encoding: str) -> None:
        self.name: str = str(source) if isinstance(source, (str, os.PathLike)) else "the given lines"
        self._source = source
        self._encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding

    def open(self) -> Iterator[str]:
        if not isinstance(self._source, str):
            yield from self._source
            return
        try:
            with open(self._source, encoding=self._encoding, newline="") as file:
                yield from file
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.name} is not text in {self._encoding}: {error.reason} at byte {error.start}.",
                fix="give the encoding of the file, such as encoding='latin-1'.",
            ) from error
        except LookupError as error:
            raise ArgumentError(f"there is no encoding {self._encoding!r}.", expected="such as 'utf-8'.") from error


def line_source(source: Any, encoding: str = "utf-8") -> LineSource:
    """The lines behind a path, an address, a list, or a TextLineDataset."""
    if isinstance(source, TextLineDataset):
        return line_source(source.source, source.encoding)
    if not isinstance(encoding, str):
        raise ArgumentTypeError(f"encoding is {encoding!r}.", expected="a name such as 'utf-8'.")
    if isinstance(source, (str, os.PathLike)):
        return LineSource(_path(os.fsdecode(source)), encoding)
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)) and not hasattr(source, "__next__"):
        return LineSource(source, encoding)
    raise ArgumentTypeError(f"a text source of {type(source).__name__}.", expected="a path, or a list of lines.")


def _path(source: str) -> str:
    scheme, separator, _ = source.partition("://")
    if not separator or "/" in scheme:
        return source
    if scheme == "file":
        return unquote(urlsplit(source).path)
    raise ArgumentError(
        f"{source!r} is not a file here.",
        expected="a path, or a file:// address.",
        fix="fetch it first, for example with urllib.request.urlretrieve, and give the path.",
    )
