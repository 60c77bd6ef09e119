"""The handler of places that fsspec reaches: folders in the layout of TensorFlow.js, and single files.

Weight files are put first, under names that no other save uses; ``model.json`` is put last, and that is the moment at
which the new model is there. A reader sees the old model or the new one, wherever a file is put whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lamina.contract.io import Bytes, ModelArtifacts, SaveResult, split_address
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import Limits, ModelJson, decode_model_json, describe, encode_model_json
from lamina.io.checks import limits_in_force, shown_address
from lamina.io.fetching import fetch_files
from lamina.io.model_json import load_settled
from lamina.io.progress import OnProgress, Progress
from lamina.io.shards import cut, removable
from lamina.io.weights import spans, stored_bytes
from lamina_remote.files import RemoteFiles
from lamina_remote.schemes import ALIASES

_DOCUMENT: Final = "model.json"


class RemoteHandler:
    """A model in a folder, or a single file, at an address such as ``s3://bucket/digits``.

    ``max_bytes`` bounds the weights, or the single file, to load, ``limits`` the JSON. ``on_progress`` is called with
    the share of weight bytes that has come or gone. All other options go to the file system of fsspec: keys, regions,
    tokens. Nothing is opened before it is used.

    >>> RemoteHandler("s3a://bucket/digits").address
    's3://bucket/digits'
    """

    def __init__(
        self,
        address: str,
        *,
        max_bytes: int = 4 << 30,
        limits: Limits | None = None,
        on_progress: OnProgress | None = None,
        **options: Any,
    ) -> None:
        scheme, rest = split_address(address)
        if not rest.strip("/") or "::" in address:
            raise ArgumentError(f"{shown_address(address)} names no place.", expected=f"{scheme}://, and where it is.")
        scheme = ALIASES.get(scheme, scheme)
        self.address: str = f"{scheme}://{rest}"
        folder, _, name = rest.rstrip("/").rpartition("/")
        named = bool(folder) and name.lower().endswith(".json")
        self._document = name if named else _DOCUMENT
        self._files = RemoteFiles(self.address, scheme, options)
        self._folder = RemoteFiles(f"{scheme}://{folder}", scheme, options) if named else self._files
        self._limits = limits_in_force(limits)
        self._max_bytes = min(max_bytes, self._limits.file_bytes or max_bytes)
        self._on_progress = on_progress

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Puts the model into the folder; files of the model that was there go when the new one is.

        Raises UnsafeModelError or SerializationError if the model could not be read again, ArgumentError if the address
        is that of a file, ModelFileError if the place cannot be written to.
        """
        if self._folder is not self._files:
            raise ArgumentError(f"{self._files.where} is named like a file.", expected="the address of a folder.")
        where = f"the model to save to {self._files.where}"
        data = memoryview(artifacts.weight_data).cast("B")
        spans(artifacts.weight_specs, data, where)
        shards = [(f"{name[:-20]}{os.urandom(8).hex()}.bin", part) for name, part in cut(data)]
        document = encode_model_json(artifacts, [name for name, _ in shards], where)
        self._folder.refresh()
        old = self._old_shards()
        self._put(shards, document, Progress(self._on_progress, len(data)))
        for name in old:
            self._folder.discard(name)
        return describe(self.address, artifacts)

    def _put(self, shards: Sequence[tuple[str, memoryview]], document: bytes, progress: Progress) -> None:
        try:
            for name, part in shards:
                self._folder.write(name, part)
                progress.add(len(part))
            self._folder.write(_DOCUMENT, document)
        except BaseException:
            if not self._is_there(document):
                for name, _ in shards:
                    self._folder.discard(name)
            raise
        progress.finish()

    def _is_there(self, document: bytes) -> bool:
        """Whether the new model is there after all, as when only the answer was lost; also if that cannot be told."""
        try:
            return self._folder.read(_DOCUMENT, self._limits.json_bytes) == document
        except ModelFileError as error:
            return not isinstance(error, ModelNotFoundError)

    def _old_shards(self) -> list[str]:
        """The weight files of the model that is there, as far as they may be removed."""
        try:
            return removable(self._read_document()[1].groups, _DOCUMENT, self._files.where)
        except (ModelFileError, ArgumentError):
            return []

    def load(self) -> ModelArtifacts:
        """The model in the folder, or of the ``.json`` file at the address.

        Raises ModelNotFoundError if there is none or a weight file is missing, UnsafeModelError if it oversteps its
        bounds, ModelFileError if it cannot be read.
        """
        self._folder.refresh()
        return load_settled(self._read_document, self._with_weights, self._files.where)

    def _read_document(self) -> tuple[bytearray, ModelJson]:
        text = self._folder.read(self._document, self._limits.json_bytes)
        return text, decode_model_json(text, self._files.where, self._limits)

    def _with_weights(self, document: ModelJson) -> ModelArtifacts:
        specs = document.artifacts.weight_specs
        needed, is_all = stored_bytes(specs)
        if needed > self._max_bytes:
            raise UnsafeModelError(
                f"{self._files.where} has weights of {needed} bytes.", expected=f"at most {self._max_bytes}, max_bytes."
            )
        progress = Progress(self._on_progress, needed)
        most = needed if is_all else self._max_bytes
        paths = [path for group in document.groups for path in group.paths]
        data = fetch_files(paths, self._folder.read, most, progress.add, self._folder.at_once)
        spans(specs, memoryview(data), self._files.where)
        progress.finish()
        return replace(document.artifacts, weight_data=data)

    def remove(self) -> SaveResult:
        """Removes the document and the weight files that it names. Raises what ``remove`` of a folder does."""
        self._folder.refresh()
        _, document = self._read_document()
        names = removable(document.groups, self._document, self._files.where)
        self._folder.remove(self._document)
        for name in names:
            self._folder.discard(name)
        found = describe(self.address, document.artifacts)
        return replace(found, weight_bytes=stored_bytes(document.artifacts.weight_specs)[0])

    def read_file(self) -> memoryview:
        """The single file at the address. Raises ModelNotFoundError, UnsafeModelError or ModelFileError."""
        self._files.refresh()
        return memoryview(self._files.read("", self._max_bytes))

    def write_file(self, parts: Sequence[Bytes]) -> None:
        """Puts a single file in place. Raises ModelFileError if the place cannot be written to."""
        data = b"".join(parts)
        progress = Progress(self._on_progress, len(data))
        self._files.write("", data)
        progress.finish()

    def remove_file(self) -> None:
        """Removes the single file. Raises ModelNotFoundError if there is none, ModelFileError if it stays."""
        self._files.remove("")
