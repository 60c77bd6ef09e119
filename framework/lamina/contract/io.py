"""The promise of an IO handler, and the model in the form in which handlers pass it on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable


class WeightSpec(NamedTuple):
    """What a manifest says of one weight: its bytes follow those of the weight before it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    group: str | None = None
    quantization: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ModelArtifacts:
    """A model on its way to or from storage: JSON-like topology and raw little-endian weight bytes."""

    topology: Mapping[str, Any]
    weight_specs: tuple[WeightSpec, ...] = ()
    weight_data: bytes = b""
    format: str = "layers-model"
    generated_by: str | None = None
    converted_by: str | None = None
    training_config: Mapping[str, Any] | None = None
    user_defined_metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SaveResult:
    """What a save wrote, and when."""

    address: str
    topology_bytes: int
    weight_bytes: int
    date_saved: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


@runtime_checkable
class Saves(Protocol):
    """Something that can store a model."""

    def save(self, artifacts: ModelArtifacts) -> SaveResult: ...


@runtime_checkable
class Loads(Protocol):
    """Something that can give a stored model back."""

    def load(self) -> ModelArtifacts: ...


IOHandler = Saves | Loads
"""Save and load are separately optional: a handler has one of them, or both."""
