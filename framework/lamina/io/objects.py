"""Handlers made of what is at hand: a function that takes artifacts, or artifacts that are there already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lamina.contract.io import ModelArtifacts, SaveResult
from lamina.io.model_json import spec_record
from lamina.io.strict_json import write_json


def describe(address: str, artifacts: ModelArtifacts) -> SaveResult:
    """The record of a save: where to, how much, and that it was now."""
    return SaveResult(
        address,
        len(write_json(artifacts.topology, address)),
        memoryview(artifacts.weight_data).nbytes,
        len(write_json([spec_record(spec) for spec in artifacts.weight_specs], address)),
    )


@dataclass(frozen=True)
class FromMemory:
    """A handler that loads the artifacts it was given."""

    artifacts: ModelArtifacts

    def load(self) -> ModelArtifacts:
        return self.artifacts


@dataclass(frozen=True)
class WithSaveHandler:
    """A handler that gives the artifacts to a function."""

    function: Callable[[ModelArtifacts], Any]

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        found = self.function(artifacts)
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return found if isinstance(found, SaveResult) else describe(name, artifacts)


def from_memory(artifacts: ModelArtifacts) -> FromMemory:
    """Something to load a model from, made of its artifacts."""
    return FromMemory(artifacts)


def with_save_handler(function: Callable[[ModelArtifacts], Any]) -> WithSaveHandler:
    """Something to save a model to: ``function`` is called with the artifacts, and may return a SaveResult.

    >>> kept = []
    >>> with_save_handler(kept.append).save(ModelArtifacts({"class_name": "Sequential"})).topology_bytes
    27
    >>> kept[0].topology["class_name"]
    'Sequential'
    """
    return WithSaveHandler(function)
