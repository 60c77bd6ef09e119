"""The handler of ``memory://name``: models kept in this process, for all its threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from lamina.contract.io import ModelArtifacts, SaveResult, split_address
from lamina.errors import ModelNotFoundError
from lamina.io.checks import check_name, shown
from lamina.io.model_json import decode_model_json, encode_model_json
from lamina.io.objects import describe
from lamina.io.weights import spans

_lock = threading.Lock()
_models: dict[str, tuple[bytes, bytes, SaveResult]] = {}


class MemoryHandler:
    """A model under a name, kept as the text and bytes that a folder would hold: later changes do not reach it."""

    def __init__(self, address: str) -> None:
        self._name = check_name(split_address(address)[1], f"the address {shown(address)}")
        self.address = f"memory://{self._name}"

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Keeps the model, in place of one of that name."""
        where = f"the model to save to {shown(self.address)}"
        spans(artifacts.weight_specs, memoryview(artifacts.weight_data).cast("B"), where)
        document = encode_model_json(artifacts, ["weights.bin"], where)
        result = describe(self.address, artifacts)
        with _lock:
            _models[self._name] = (document, bytes(artifacts.weight_data), result)
        return result

    def load(self) -> ModelArtifacts:
        """The model. Raises ModelNotFoundError if there is none of that name."""
        with _lock:
            found = _models.get(self._name)
        if found is None:
            raise self._missing()
        return replace(decode_model_json(found[0], shown(self.address)).artifacts, weight_data=found[1])

    def remove(self) -> SaveResult:
        """Forgets the model, and gives its record. Raises ModelNotFoundError if there is none of that name."""
        with _lock:
            found = _models.pop(self._name, None)
        if found is None:
            raise self._missing()
        return found[2]

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]:
        """The kept models by address."""
        with _lock:
            return {f"memory://{name}": found[2] for name, found in sorted(_models.items())}

    def _missing(self) -> ModelNotFoundError:
        return missing(self.address, list(self.list_models()))


def missing(address: str, present: list[str]) -> ModelNotFoundError:
    """The error for a name that is not in a store, listing those that are."""
    listed = ", ".join(shown(found) for found in present[:8]) + (", ..." if len(present) > 8 else "")
    return ModelNotFoundError(
        f"there is no model at {shown(address)}.", expected=f"one of {listed}." if listed else "a model saved there."
    )
