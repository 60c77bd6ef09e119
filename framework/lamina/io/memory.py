"""The handler of ``memory://name``: models and files kept in this process, for all its threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from lamina.contract.io import Bytes, ModelArtifacts, SaveResult, split_address
from lamina.errors import ModelFileError, ModelNotFoundError
from lamina.io.checks import check_name, shown
from lamina.io.model_json import decode_model_json, encode_model_json
from lamina.io.objects import describe
from lamina.io.weights import spans

_lock = threading.Lock()
_models: dict[str, _Kept] = {}


class _Kept(NamedTuple):
    """A model as the text and bytes that a folder would hold; a single file has no such text."""

    document: bytes | None
    data: bytes
    result: SaveResult


class MemoryHandler:
    """A model, or a file of one, under a name. What is kept are copies: later changes do not reach it."""

    def __init__(self, address: str) -> None:
        self._name = check_name(split_address(address)[1], f"the address {shown(address)}")
        self.address: str = f"memory://{self._name}"

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Keeps the model, in place of one of that name."""
        where = f"the model to save to {shown(self.address)}"
        spans(artifacts.weight_specs, memoryview(artifacts.weight_data).cast("B"), where)
        document = encode_model_json(artifacts, ["weights.bin"], where)
        result = describe(self.address, artifacts)
        self._keep(_Kept(document, bytes(artifacts.weight_data), result))
        return result

    def load(self) -> ModelArtifacts:
        """The model. Raises ModelNotFoundError if there is none of that name, ModelFileError if it is a single file."""
        found = self._kept()
        if found.document is None:
            raise ModelFileError(f"{shown(self.address)} is a single file.", expected="a model saved as artifacts.")
        return replace(decode_model_json(found.document, shown(self.address)).artifacts, weight_data=found.data)

    def write_file(self, parts: Sequence[Bytes]) -> None:
        """Keeps a file, in place of what has that name."""
        data = b"".join(parts)
        self._keep(_Kept(None, data, SaveResult(self.address, 0, len(data))))

    def read_file(self) -> memoryview:
        """A copy of the file. Raises ModelNotFoundError if there is none of that name, ModelFileError for no file."""
        found = self._kept()
        if found.document is not None:
            raise ModelFileError(f"{shown(self.address)} is no single file.", expected="a file written there.")
        return memoryview(bytearray(found.data))

    def _keep(self, kept: _Kept) -> None:
        with _lock:
            _models[self._name] = kept

    def _kept(self) -> _Kept:
        with _lock:
            found = _models.get(self._name)
        if found is None:
            raise self._missing()
        return found

    def remove(self) -> SaveResult:
        """Forgets the model, and gives its record. Raises ModelNotFoundError if there is none of that name."""
        with _lock:
            found = _models.pop(self._name, None)
        if found is None:
            raise self._missing()
        return found.result

    def remove_file(self) -> None:
        """Forgets the file. Raises ModelNotFoundError if there is none of that name."""
        self.remove()

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]:
        """The kept models by address."""
        with _lock:
            return {f"memory://{name}": found.result for name, found in sorted(_models.items())}

    def _missing(self) -> ModelNotFoundError:
        return missing(self.address, list(self.list_models()))


def missing(address: str, present: list[str]) -> ModelNotFoundError:
    """The error for a name that is not in a store, listing those that are."""
    listed = ", ".join(shown(found) for found in present[:8]) + (", ..." if len(present) > 8 else "")
    return ModelNotFoundError(
        f"there is no model at {shown(address)}.", expected=f"one of {listed}." if listed else "a model saved there."
    )
