"""Formats of single files: which one an address asks for, and that the bytes are what the ending says.

Formats come through the hook ``lamina_formats``, found by ending; an address without a known ending is a folder's or
a store's, where models lie as artifacts. Bytes go by way of the address's handler.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from lamina.contract.formats import FileFormat
from lamina.contract.io import Bytes, SaveResult, split_address
from lamina.errors import ArgumentError, UnsafeModelError
from lamina.io.checks import shown_address
from lamina.io.kinds import kind_of
from lamina.io.router import Address, able
from lamina.plugins import plugins, resolve

_HOOK: Final = "lamina_formats"

FOREIGN: Final = {
    ".ckpt": "TensorFlow",
    ".gguf": "llama.cpp",
    ".joblib": "joblib",
    ".npy": "NumPy",
    ".npz": "NumPy",
    ".onnx": "ONNX",
    ".pb": "TensorFlow",
    ".pickle": "pickle",
    ".pkl": "pickle",
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".tflite": "TensorFlow Lite",
}
"""Endings of files that are neither read nor written, and whose they are."""


class Place(NamedTuple):
    """A file at an address, and the format that its ending asks for."""

    address: Any
    format: FileFormat
    where: str

    def able(self, action: str) -> Any:
        """The format's function for an action. Raises ArgumentError if it has none."""
        function = getattr(self.format, action, None)
        if function is None:
            raise ArgumentError(
                f"{self.where}: {self.format.title} holds weights only.",
                expected="a file or folder that holds a whole model.",
                fix="use save_weights and load_weights.",
            )
        return function

    def write(self, parts: Iterable[Bytes]) -> SaveResult:
        """Puts the file in place, whole or not at all; the record says where, for a handler may choose the name."""
        views = [memoryview(part).cast("B") for part in parts]
        written = able(self.address, "write_file")(views)
        return SaveResult(written or _text(self.address) or self.where, 0, sum(map(len, views)))

    def read(self) -> memoryview:
        """The bytes of the file, which start as those of the format do.

        Raises ModelNotFoundError if there is none, ModelFileError if it cannot be read, UnsafeModelError if it is a
        file of another kind.
        """
        data = memoryview(able(self.address, "read_file")()).cast("B")
        if self.format.magic and not any(data[: len(magic)] == magic for magic in self.format.magic):
            raise UnsafeModelError(
                f"{self.where} is {kind_of(data)}.",
                expected=f"{self.format.title}, as its ending says.",
                fix="give the file the ending of what it is, or convert it with the library that wrote it.",
            )
        return data


def find_format(address: Address) -> Place | None:
    """The file that an address names and its format; None for the address of a folder or a store.

    A handler that has an ``address`` and can read or write single files counts as that address.

    Raises ArgumentError for the ending of a kind of file that is neither read nor written, PluginError if the library
    of the format is missing.
    """
    text = _text(address)
    if text is None:
        return None
    name = _path(text).lower()
    offers = plugins().provided(_HOOK)
    fitting = [ending for ending in offers if name.endswith(ending) and len(name) > len(ending)]
    if fitting:
        return Place(address, resolve(offers[max(fitting, key=len)])(), shown_address(text))
    ending = os.path.splitext(name)[1]
    if ending in FOREIGN and not os.path.isdir(text):
        raise ArgumentError(
            f"{shown_address(text)} is named like a file of {FOREIGN[ending]}.",
            expected=f"a folder, for a model as model.json and weight files, or one of {', '.join(sorted(offers))}.",
            fix="convert it with the library that wrote it." if os.path.exists(text) else "choose another ending.",
        )
    return None


def _text(address: Address) -> str | None:
    if isinstance(address, (str, os.PathLike)):
        return os.fsdecode(address)
    can = hasattr(address, "read_file") or hasattr(address, "write_file")
    found = getattr(address, "address", None)
    return found if can and isinstance(found, str) else None


def _path(address: str) -> str:
    """The path of an address, without what a URL may have after it."""
    scheme, rest = split_address(address)
    return urlsplit(address).path if scheme in ("http", "https") else rest
