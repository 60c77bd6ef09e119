"""The handler of folders: ``model.json`` and weight files beside it, as TensorFlow.js for Node has them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from lamina.contract.io import Bytes, ModelArtifacts, SaveResult, split_address
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError
from lamina.io import atomic, filesystem
from lamina.io.checks import Limits, limits_in_force, shown_address
from lamina.io.model_json import ModelJson, decode_model_json, encode_model_json, load_settled
from lamina.io.objects import describe
from lamina.io.progress import OnProgress, Progress
from lamina.io.shards import cut_groups, read_document, read_file, read_weights, removable, weight_sizes
from lamina.io.weights import spans

_FILE_ENDINGS: Final = (".json", ".h5", ".hdf5", ".keras", ".safetensors")
_FOLDER: Final = "a folder, for a model is saved as model.json and weight files."


class FileHandler:
    """A model in a folder; one to load may also be given as the path of its ``model.json``.

    Weight files are ordinary files in the model's folder or below it, never links. With ``root``, links are followed
    as long as they end inside that folder, as those of a download cache do. ``on_progress`` is called with the share of
    weight bytes, or of the single file, that has come or gone.

    >>> FileHandler("file://my-model").load()
    Traceback (most recent call last):
    lamina.errors.ModelNotFoundError: there is no model at 'my-model/model.json'.
      Expected a folder that holds a model.json, or the path of such a file.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        limits: Limits | None = None,
        root: str | os.PathLike[str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.address: str = os.fsdecode(address)
        path = split_address(address)[1] if isinstance(address, str) else self.address
        self._path = path.rstrip("/" + os.sep) or path
        self._limits = limits
        self._on_progress = on_progress
        self._root = None if root is None else os.path.realpath(root)
        if not self._path or "\0" in self._path:
            raise ArgumentError(
                f"{shown_address(self.address)} names no folder.", expected="a path, as in 'file://my-model'."
            )

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Writes the model to the folder, whole or not at all.

        Raises ArgumentError if the address is not that of a folder, UnsafeModelError or SerializationError if the
        model could not be read again, ModelFileError if the disk fails.
        """
        self._check_folder()
        where = f"the model to save to {shown_address(self.address)}"
        shards, groups = cut_groups(artifacts, where)
        document = encode_model_json(artifacts, groups, where)
        files: list[tuple[str, Bytes]] = [*shards, *sorted(artifacts.further_files.items())]
        progress = Progress(self._on_progress, sum(memoryview(data).nbytes for _, data in files))
        with atomic.told(self.address):
            atomic.write_model(self._path, files, document, self._named_shards, progress.add)
        progress.finish()
        return describe(self.address, artifacts)

    def _check_folder(self) -> None:
        if os.path.splitext(self._path)[1].lower() in _FILE_ENDINGS:
            raise ArgumentError(
                f"{shown_address(self._path)} is named like a file.", expected=_FOLDER, fix="leave the ending out."
            )
        if os.path.lexists(self._path) and not os.path.isdir(self._path):
            raise ArgumentError(f"{shown_address(self.address)} is a file.", expected=_FOLDER)

    def _named_shards(self) -> list[str] | None:
        """The weight files of the model that is in the folder; None if it cannot be told."""
        try:
            document = self._document(os.path.join(self._path, atomic.MODEL_JSON))[1]
        except ModelNotFoundError:
            return []
        except ModelFileError:
            return None
        return [path for group in document.groups for path in group.paths]

    def write_file(self, parts: Sequence[Bytes]) -> None:
        """Puts a file in place at the address, whole or not at all. Raises ModelFileError if the disk fails."""
        if os.path.isdir(self._path):
            raise ArgumentError(f"{shown_address(self.address)} is a folder.", expected="the path of a file.")
        progress = Progress(self._on_progress, 1)
        with atomic.told(self.address):
            atomic.write_file(self._path, parts)
        progress.finish()

    def read_file(self) -> memoryview:
        """The bytes of the file at the address. Raises ModelNotFoundError, UnsafeModelError or ModelFileError."""
        return read_file(self._path, on_progress=self._on_progress, limits=self._limits)

    def remove_file(self) -> None:
        """Removes the file at the address. Raises ModelFileError if the disk fails."""
        with atomic.told(self.address, "removed"):
            filesystem.remove(self._path)

    def remove(self) -> SaveResult:
        """Removes the model's document and the weight files that it names; the folder too if nothing else is in it.

        Raises ModelNotFoundError if there is none, ArgumentError if the document names files that are not named like
        weight files, which then stay, ModelFileError if the document is damaged or the disk fails.
        """
        path = self._document_path()
        found: list[SaveResult] = []

        def named() -> list[str]:
            document = self._document(path)[1]
            found.append(self._record(path, document))
            return removable(document.groups, os.path.basename(path), shown_address(path))

        self._document(path)
        with atomic.told(self.address, "removed"):
            atomic.remove_model(*os.path.split(path), named)
        return found[0]

    def _record(self, path: str, document: ModelJson) -> SaveResult:
        sizes = weight_sizes(os.path.dirname(path), document.groups, shown_address(path), self._root)
        saved = datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
        return replace(describe(self.address, document.artifacts), weight_bytes=sum(map(sum, sizes)), date_saved=saved)

    def load(self) -> ModelArtifacts:
        """The model in the folder.

        Raises ModelNotFoundError if there is none or a weight file is missing, UnsafeModelError if it oversteps its
        bounds, ModelFileError if it cannot be read.
        """
        path = self._document_path()
        return load_settled(lambda: self._document(path), lambda document: self._with_weights(path, document), path)

    def _document_path(self) -> str:
        # What is not there yet counts as a folder: it may be one by the time it is opened.
        named = self._path.lower().endswith(".json") and not os.path.isdir(self._path)
        return self._path if named or os.path.isfile(self._path) else os.path.join(self._path, atomic.MODEL_JSON)

    def _document(self, path: str) -> tuple[bytearray, ModelJson]:
        text = read_document(path, limits_in_force(self._limits))
        return text, decode_model_json(text, shown_address(path), self._limits)

    def _with_weights(self, path: str, document: ModelJson) -> ModelArtifacts:
        folder, where = os.path.dirname(path), shown_address(path)
        data = read_weights(folder, document.groups, where, self._root, self._on_progress, self._limits)
        spans(document.artifacts.weight_specs, memoryview(data), where)
        return replace(document.artifacts, weight_data=data)
