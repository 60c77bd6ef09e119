"""What lamina keeps of a model and a format of others has no place for: one record of plain values, beside the rest.

Readers of those formats pass it over. It is a stranger's as much as the rest of the file is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from lamina.errors import SerializationError
from lamina.models.saving.fingerprints import check_fingerprint
from lamina.models.saving.fingerprints import fingerprint as fingerprint_of
from lamina.models.saving.origins import PLUGINS_KEY, origins_of
from lamina.models.saving.training import restore_seeds, seeds, training_config
from lamina.models.topology import graph_config

OWN_KEY: Final = "lamina"
"""The key, or the attribute, under which the record lies in a file."""

_METADATA: Final = "metadata"
_MADE_BY: Final = "made_by"
_LONGEST_PROGRAM: Final = 100
"""How much is kept of the name of the program that made a file."""


def own_record(model: Any, trains: bool, fingerprint: bool, metadata: bool = True) -> dict[str, Any]:
    """How a model was compiled, in full, its random streams, the forms of its inputs and outputs, what it computes.

    And which plugins gave the classes and functions that it names.

    ``trains`` False leaves the first out, ``fingerprint`` the last, and ``metadata`` the user's own data, where the
    format itself has a place for these.
    """
    record = {"training": training_config(model) if trains else None, "seeds": seeds(model), **_forms(model)}
    if metadata and model.get_user_defined_metadata():
        record[_METADATA] = model.get_user_defined_metadata()
    if model._made_by:
        record[_MADE_BY] = model._made_by
    if origins := _origins(model):
        record[PLUGINS_KEY] = origins
    if fingerprint and model.graph is not None:
        record["fingerprint"] = fingerprint_of(model)
    return record


def restore_own(model: Any, record: Any, where: str, fingerprint: bool = True, made_by: Any = None) -> None:
    """Gives a model with its weights what the record has besides the training: call it before the model is compiled.

    ``made_by`` is the program that wrote the file, if that was another one.

    Raises ModelFileError if the model gives something else than it gave, unless ``fingerprint`` is False.
    """
    said = record.get(_MADE_BY) if isinstance(record, Mapping) else None
    program = said if isinstance(said, str) else made_by
    model._made_by = str(program)[:_LONGEST_PROGRAM] if program else None
    if not isinstance(record, Mapping):
        return
    _restore_forms(model, record)
    if isinstance(record.get(_METADATA), Mapping):
        model._metadata = dict(record[_METADATA])
    restore_seeds(model, record.get("seeds"))
    if fingerprint and model.graph is not None:
        check_fingerprint(model, record.get("fingerprint"), where)


def _origins(model: Any) -> list[dict[str, Any]]:
    """The plugins that a graph of layers needs; where a layer has no config, only weights can be saved."""
    if model.graph is None and model.class_name != "Sequential":
        return []
    with suppress(SerializationError):
        return origins_of(graph_config(model), training_config(model) if model.optimizer is not None else None)
    return []


def _forms(model: Any) -> dict[str, Any]:
    """The keys of inputs and outputs that are dicts, and whether one tensor is in a list: the topology does not say."""
    if model.graph is None:
        return {}
    parts = {"inputs": model.graph.input_structure, "outputs": model.graph.output_structure}
    forms = {
        name: list(part) if isinstance(part, dict) else isinstance(part, (list, tuple)) for name, part in parts.items()
    }
    return {name: form for name, form in forms.items() if isinstance(form, list) or (form and len(parts[name]) == 1)}


def _restore_forms(model: Any, own: Mapping[str, Any]) -> None:
    for name, tensors in (("inputs", model.graph.inputs), ("outputs", model.graph.outputs)) if model.graph else ():
        form = own.get(name)
        if form is True and len(tensors) == 1:
            structure: Any = list(tensors)
        elif isinstance(form, list) and len(form) == len(tensors) and all(isinstance(key, str) for key in form):
            structure = dict(zip(form, tensors, strict=True))
        else:
            continue
        setattr(model.graph, f"{name.removesuffix('s')}_structure", structure)
