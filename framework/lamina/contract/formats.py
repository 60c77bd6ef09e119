"""The promise of a file format: a whole model, or its weights, as the bytes of one file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from lamina.contract.io import Bytes


class FileFormat(Protocol):
    """How a model lies in one file. A plugin announces it through ``lamina_formats``; the name is the file's ending.

    An object of the class is made without arguments. ``magic`` is how such files start, for an ending alone is not
    believed; a format without one looks for itself. Of the functions a format has those that it can do: files of
    weights have the last two only. What is written goes out part by part, so that weights need not be copied; what is
    read is the whole file, in memory that belongs to the reader, who may keep views of it. ``where`` names the file
    in errors. ``findings`` says what of a model other programs that read the format do not know.
    """

    title: ClassVar[str]
    magic: ClassVar[tuple[bytes, ...]]

    def save_model(self, model: Any, where: str, *, include_optimizer: bool, fingerprint: bool) -> Iterable[Bytes]: ...

    def load_model(self, data: memoryview, where: str, *, compile: bool, fingerprint: bool) -> Any: ...

    def save_weights(self, model: Any, where: str) -> Iterable[Bytes]: ...

    def load_weights(self, model: Any, data: memoryview, where: str, *, strict: bool) -> None: ...

    def findings(self, model: Any) -> list[str]: ...
