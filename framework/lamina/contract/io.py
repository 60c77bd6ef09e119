"""The promise of an IO handler, and the model in the form in which handlers pass it on."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

Bytes = bytes | bytearray | memoryview
"""Raw bytes of any of Python's kinds: a big model is not copied just to change the kind."""


class WeightSpec(NamedTuple):
    """What a manifest says of one weight: its bytes follow those of the weight before it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    group: str | None = None
    quantization: Mapping[str, Any] | None = None


class WeightFiles(NamedTuple):
    """How weight bytes are to be cut into files, where a medium has several: a wish, which a medium may not heed.

    ``groups`` are the numbers of weights of each group of the manifest, one after the other; empty for one group of
    all. A group has files of its own, none longer than ``shard_bytes``.
    """

    shard_bytes: int | None = None
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelArtifacts:
    """A model on its way to or from storage: JSON-like topology and raw little-endian weight bytes.

    ``files`` says how weights are cut; ``further_files`` are others for the model's folder, by name. Both are for
    writing only: reading leaves them empty.
    """

    topology: Mapping[str, Any]
    weight_specs: tuple[WeightSpec, ...] = ()
    weight_data: Bytes = b""
    format: str | None = "layers-model"
    generated_by: str | None = None
    converted_by: str | None = None
    training_config: Mapping[str, Any] | None = None
    user_defined_metadata: Mapping[str, Any] | None = None
    signature: Mapping[str, Any] | None = None
    model_initializer: Mapping[str, Any] | None = None
    initializer_signature: Mapping[str, Any] | None = None
    files: WeightFiles = field(default_factory=WeightFiles)
    further_files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class SaveResult:
    """What a save wrote, and when. Sizes are those of the JSON text and of the raw weights."""

    address: str
    topology_bytes: int
    weight_bytes: int
    weight_specs_bytes: int = 0
    date_saved: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


@runtime_checkable
class Saves(Protocol):
    """Something that can store a model."""

    def save(self, artifacts: ModelArtifacts) -> SaveResult: ...


@runtime_checkable
class Loads(Protocol):
    """Something that can give a stored model back.

    Weight data that may be written to are given away by the handler of an address; read-only ones are copied.
    """

    def load(self) -> ModelArtifacts: ...


@runtime_checkable
class Manages(Protocol):
    """A handler whose scheme can also list its models, by address, and remove one."""

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]: ...

    def remove(self) -> SaveResult: ...


IOHandler = Saves | Loads
"""Save and load are separately optional: a handler has one of them, or both.

A plugin announces the class (or function) of a scheme through ``lamina_io_handlers``; it is called with the whole
address, such as ``"memory://digits"``, and gives the handler of that address.
"""


def split_address(address: str) -> tuple[str, str]:
    """The scheme of an address, in lower case, and what follows it; an address without a scheme is a file's.

    >>> split_address("memory://digits"), split_address("models/digits")
    (('memory', 'digits'), ('file', 'models/digits'))
    """
    found = _SCHEME.match(address)
    return (found[1].lower(), address[found.end() :]) if found else ("file", address)
