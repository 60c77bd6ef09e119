"""A recorded model of TensorFlow.js as lamina loads one: from a topology, weights, how to train and optimizer state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from spelling import snake

import lamina
from lamina.contract import WeightSpec
from lamina.io import ModelArtifacts, encode_weights, from_memory
from lamina.models import model_from_json

Record = dict[str, Any]
Named = list[tuple[str, Any, str | None]]


def made(record: Record) -> Any:
    """The model of a record, compiled as it was, with its weights and the state of its optimizer."""
    weights = _weights(record.get("weights"))
    if not weights and record.get("weights") != []:  # not built, or only described
        model = model_from_json(record["topology"])
        if training := training_config(record.get("compile")):
            model.compile(training["optimizer_config"], training["loss"], training["metrics"])
        return model
    specs, data = encode_weights([*weights, *_optimizer_state(record)])
    return load(record["topology"], specs, data, training_config(record.get("compile")))


def load(topology: Any, specs: Sequence[WeightSpec], data: bytes, training: Any = None) -> Any:
    """The model of these artifacts, through a handler like any other."""
    found = ModelArtifacts(topology=topology, weight_specs=tuple(specs), weight_data=data, training_config=training)
    return lamina.load_model(from_memory(found))


def _weights(recorded: Sequence[Mapping[str, Any]] | None) -> Named:
    return [(saved_name(w), np.asarray(w["value"], w["dtype"]), None) for w in recorded or () if "value" in w]


def saved_name(weight: Mapping[str, Any]) -> str:
    """The name that stands in files; TensorFlow.js makes another one of it that no other model's weight has."""
    return str(weight.get("originalName") or weight["name"])


def training_config(compiled: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """How a model was compiled, as ``trainingConfig`` of a saved one has it."""
    if compiled is None:
        return None
    optimizer = {"class_name": compiled["optimizer"]["className"], "config": compiled["optimizer"]["config"]}
    return {
        "optimizer_config": optimizer,
        "loss": _each(compiled["loss"], snake),
        "metrics": _each(compiled["metrics"] or [], snake),
    }


def _each(given: Any, change: Callable[[str], str]) -> Any:
    if isinstance(given, Mapping):
        return {key: _each(value, change) for key, value in given.items()}
    if isinstance(given, list):
        return [_each(value, change) for value in given]
    return change(given) if isinstance(given, str) else given


def _optimizer_state(record: Record) -> Named:
    state = record.get("optimizer_state_before")
    if not state:
        return []
    slots = slots_of(state)
    named: Named = [("iter", np.asarray(state["iterations"], np.int32), "optimizer")]
    return [*named, *((w["name"], np.asarray(w["value"]), "optimizer") for w in slots)]


def slots_of(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What an optimizer keeps for each weight, without the powers of its rates that some keep beside."""
    return [w for weights in state["slots"].values() if isinstance(weights, list) for w in weights]


def by_saved_name(model: Any) -> dict[str, Any]:
    """The weights of a model by the names that they are saved under."""
    return {w.name: w for w in model.weights}
