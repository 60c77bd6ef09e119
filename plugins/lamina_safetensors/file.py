"""The format ``.safetensors``: weights under lamina's names, and in the header's metadata the model that has them.

The metadata's ``lamina`` is the text of a ``model.json`` without weights: topology, how to train, random streams,
fingerprint, the user's own. ``lamina_weights`` says which tensors are weights and which the optimizer's, in the model's
order, for the file has one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import numpy as np

from lamina.contract.io import Bytes, ModelArtifacts
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io import decode_model_json, encode_model_json
from lamina.io.checks import first_repeated, shown
from lamina.io.strict_json import read_json, write_json
from lamina.models.saving.artifacts import (
    OPTIMIZER_GROUP,
    NamedArray,
    described_model,
    described_weights,
    model_from_parts,
)
from lamina.models.saving.sources import assign_by_name, by_order
from lamina_safetensors.layout import decode, encode

HostArray = np.ndarray[Any, Any]

MODEL: Final = "lamina"
WEIGHTS: Final = "lamina_weights"
OPTIMIZER_PREFIX: Final = "optimizer/"
_FRAMEWORK: Final = {"format": "np"}
"""What readers of several libraries ask of a file: whose arrays these were. NumPy's, which lie row by row."""


class SafetensorsFile:
    """Whole models, and files of weights; those of others are read by ``load_weights`` if names or order agree."""

    title: ClassVar[str] = "a file of safetensors"
    magic: ClassVar[tuple[bytes, ...]] = ()

    def save_model(self, model: Any, where: str, *, include_optimizer: bool, fingerprint: bool) -> Iterable[Bytes]:
        """The parts of a file of the whole model. Raises SerializationError, DTypeError or UnsafeModelError."""
        described, named = described_model(model, include_optimizer, with_fingerprint=fingerprint)
        text = encode_model_json(described, [], where).decode("utf-8")
        return _encoded(named, {MODEL: text}, where)

    def load_model(self, data: memoryview, where: str, *, compile: bool, fingerprint: bool) -> Any:
        """The model of a file. Raises UnsafeModelError or ModelFileError."""
        arrays, metadata = decode(data, where)
        if MODEL not in metadata:
            raise ModelFileError(
                f"{where} holds weights only.",
                expected=f"a file with a model in its metadata, under {MODEL!r}.",
                fix="make the model and use its load_weights.",
            )
        text = metadata[MODEL].encode("utf-8")
        described: ModelArtifacts = decode_model_json(text, f"the metadata of {where}").artifacts
        parts = _parts(arrays, metadata, where)
        whole = all(group is None for _, _, group in parts)  # else the memory of the rest would stay as well
        return model_from_parts(described, parts, where, compile, fingerprint, owned=whole)

    def save_weights(self, model: Any, where: str) -> Iterable[Bytes]:
        """The parts of a file of the model's weights. Raises NotBuiltError, DTypeError or UnsafeModelError."""
        return _encoded(described_weights(model)[1], {}, where)

    def load_weights(self, model: Any, data: memoryview, where: str, *, strict: bool) -> None:
        """Gives a model's weights the values of those in the file, all or none. Raises ModelFileError."""
        arrays, metadata = decode(data, where)
        found = {name: array for name, array, group in _parts(arrays, metadata, where) if group is None}
        assign_by_name(model, by_order(found, model), where, strict)


def _encoded(named: Iterable[NamedArray], metadata: Mapping[str, str], where: str) -> list[Bytes]:
    tensors = [
        (OPTIMIZER_PREFIX + name if group == OPTIMIZER_GROUP else name, array, group) for name, array, group in named
    ]
    order = {
        "model": [name for name, _, group in tensors if group is None],
        "optimizer": [name for name, _, group in tensors if group == OPTIMIZER_GROUP],
    }
    more = {WEIGHTS: write_json(order, where).decode("utf-8")}
    return encode([(name, array) for name, array, _ in tensors], {**_FRAMEWORK, **metadata, **more}, where)


def _parts(arrays: dict[str, HostArray], metadata: Mapping[str, str], where: str) -> list[NamedArray]:
    """The arrays in the order and the groups that the metadata gives; the header's order, if it says nothing."""
    if WEIGHTS not in metadata:
        return [(name, array, None) for name, array in arrays.items()]
    order = read_json(metadata[WEIGHTS].encode("utf-8"), f"the metadata of {where}")
    own, optimizer = (_names(order, key, where) for key in ("model", "optimizer"))
    listed = [*own, *optimizer]
    if first_repeated(listed) is not None or set(listed) != set(arrays):
        odd = first_repeated(listed) or min(set(listed) ^ set(arrays))
        raise ModelFileError(
            f"{where}: the tensor {shown(odd)} is missing, or listed in the metadata not at all or twice.",
            expected=f"tensors as {WEIGHTS!r} lists them.",
            fix="save the file again; or take the metadata out, to load weights by their names.",
        )
    prefixed = len(OPTIMIZER_PREFIX)
    return [
        *((name, arrays[name], None) for name in own),
        *((name[prefixed:], arrays[name], OPTIMIZER_GROUP) for name in optimizer),
    ]


def _names(order: Any, key: str, where: str) -> list[str]:
    found = order.get(key) if isinstance(order, dict) else None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise UnsafeModelError(f"{where}: {WEIGHTS} has {shown(found)} for {key}.", expected="a list of names.")
    return found
