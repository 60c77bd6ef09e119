"""The handler of ``shelf://name``: a model as two files with its name. It uses what ``lamina.io`` shows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lamina.contract import ModelArtifacts, SaveResult
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError
from lamina.io import decode_model_json, decode_weights, describe, encode_model_json


def _shelf() -> Path:
    return Path(os.environ["SHELF"])


class ShelfHandler:
    """A model that is saved, loaded, listed and removed by name."""

    def __init__(self, address: str) -> None:
        name = address.partition("://")[2]
        if not name.isidentifier():
            raise ArgumentError(f"{name!r} is no name on a shelf.", expected="letters, digits and '_'.")
        self.address = f"shelf://{name}"
        self._document = _shelf() / f"{name}.json"
        self._weights = _shelf() / f"{name}.bin"

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        document = encode_model_json(artifacts, [self._weights.name])
        _shelf().mkdir(exist_ok=True)
        self._weights.write_bytes(artifacts.weight_data)
        self._document.write_bytes(document)
        return describe(self.address, artifacts)

    def load(self) -> ModelArtifacts:
        try:
            text, data = self._document.read_bytes(), self._weights.read_bytes()
        except FileNotFoundError as error:
            raise ModelNotFoundError(f"there is no model at {self.address}.") from error
        except OSError as error:
            raise ModelFileError(f"{self.address} cannot be read: {error}.") from error
        artifacts = decode_model_json(text, self.address).artifacts
        decode_weights(artifacts.weight_specs, data, self.address)
        return replace(artifacts, weight_data=data)

    def remove(self) -> SaveResult:
        found = describe(self.address, self.load())
        self._document.unlink()
        self._weights.unlink()
        return found

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]:
        found = [cls(f"shelf://{path.stem}") for path in sorted(_shelf().glob("*.json"))]
        return {handler.address: describe(handler.address, handler.load()) for handler in found}
