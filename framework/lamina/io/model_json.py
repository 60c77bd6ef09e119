"""The document ``model.json``: artifacts to its text and back, in the layout that TensorFlow.js writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from lamina.contract.io import Bytes, ModelArtifacts, WeightSpec
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io.checks import Limits, check_shard_path, first_repeated, shown
from lamina.io.strict_json import read_json, write_json
from lamina.io.weights import check_specs, spans

FORMATS: Final = ("layers-model", "graph-model")

_OPTIONAL: Final = {
    "signature": "signature",
    "userDefinedMetadata": "user_defined_metadata",
    "modelInitializer": "model_initializer",
    "initializerSignature": "initializer_signature",
    "trainingConfig": "training_config",
}
"""Keys that are left out when there is nothing to say, in the order in which they are written."""

_MOST_RELOADS: Final = 20
_SPEC_KEYS: Final = {"name", "shape", "dtype", "group", "quantization"}


class WeightGroup(NamedTuple):
    """Weights whose bytes are cut over the files ``paths`` (checked: relative, plain, beside the document)."""

    paths: tuple[str, ...]
    specs: tuple[WeightSpec, ...]


class ModelJson(NamedTuple):
    """A document: the artifacts without weight bytes, and where those are, group after group."""

    artifacts: ModelArtifacts
    groups: tuple[WeightGroup, ...]


def encode_model_json(
    artifacts: ModelArtifacts, paths: Sequence[str] | Sequence[WeightGroup], where: str = "the model to save"
) -> bytes:
    """The text of ``model.json`` for weights that lie in the files ``paths``, one after the other, or in groups.

    Raises SerializationError if the artifacts are not JSON, UnsafeModelError if a reader would refuse them.
    """
    given = [path for path in paths if isinstance(path, WeightGroup)]
    groups = given or [WeightGroup(tuple(map(str, paths)), artifacts.weight_specs)]
    document: dict[str, Any] = {
        "modelTopology": artifacts.topology,
        "format": artifacts.format,
        "generatedBy": artifacts.generated_by or this_program(),
        "convertedBy": artifacts.converted_by,
        "weightsManifest": [
            {"paths": list(group.paths), "weights": [spec_record(s) for s in group.specs]} for group in groups
        ],
    }
    for key, attribute in _OPTIONAL.items():
        value = getattr(artifacts, attribute)
        if value is not None:
            document[key] = value
    text = write_json(document, where)
    decode_model_json(text, where)
    return text


def spec_record(spec: WeightSpec) -> dict[str, Any]:
    """A spec as the manifest writes it."""
    record: dict[str, Any] = {"name": spec.name, "shape": list(spec.shape), "dtype": spec.dtype}
    if spec.quantization is not None:
        record["quantization"] = spec.quantization
    if spec.group is not None:
        record["group"] = spec.group
    return record


@functools.lru_cache(maxsize=1)
def this_program() -> str:
    """What ``generatedBy`` and ``convertedBy`` say of lamina."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"lamina v{version('lamina')}"
    except PackageNotFoundError:
        return "lamina v0+unknown"


def decode_model_json(text: bytes | bytearray, where: str, limits: Limits | None = None) -> ModelJson:
    """What the text of a ``model.json`` says; ``where`` names it in errors.

    Raises UnsafeModelError if it oversteps a rule (see ``strict_json``, ``checks`` and ``weights``), ModelFileError
    if it is not the document of a model.
    """
    document = read_json(text, where, limits)
    if not isinstance(document, dict):
        raise ModelFileError(f"{where} is not the document of a model.", expected="a JSON object.")
    topology = document.get("modelTopology")
    if not isinstance(topology, dict):
        raise ModelFileError(f"{where} has no model: modelTopology is {shown(topology)}.", expected="a JSON object.")
    groups = decode_manifest(document.get("weightsManifest"), where, limits)
    found = ModelArtifacts(
        topology,
        tuple(spec for group in groups for spec in group.specs),
        format=_format(document.get("format"), where),
        generated_by=_text(document, "generatedBy", where),
        converted_by=_text(document, "convertedBy", where),
    )
    optional: dict[str, Any] = {name: _object(document.get(key), key, where) for key, name in _OPTIONAL.items()}
    return ModelJson(replace(found, **optional), groups)


def get_model_artifacts_for_json(
    model_json: Mapping[str, Any], load_weights: Callable[[Sequence[WeightGroup]], Bytes], where: str = "the model"
) -> ModelArtifacts:
    """The artifacts of a document that is a dict already, with the weight bytes that ``load_weights`` gives.

    It is called with the manifest's groups, and gives the bytes of their files, one after the other; for a document
    without a manifest it is not called. Raises what ``decode_model_json`` raises, and UnsafeModelError if the bytes are
    not those of the weights. As TensorFlow.js's ``io.getModelArtifactsForJSON``.

    >>> found = get_model_artifacts_for_json({"modelTopology": {"class_name": "Sequential"}}, lambda groups: b"")
    >>> found.topology["class_name"]
    'Sequential'
    """
    artifacts, groups = decode_model_json(write_json(model_json, where), where)
    data = load_weights(groups) if groups else b""
    spans(artifacts.weight_specs, memoryview(data).cast("B"), where)
    return replace(artifacts, weight_data=data)


def load_settled(
    document: Callable[[], tuple[bytes | bytearray, ModelJson]],
    weights: Callable[[ModelJson], ModelArtifacts],
    where: str,
) -> ModelArtifacts:
    """A model out of its document and the files that it names, where savers may replace both at any moment.

    Raises what the two functions raise, if the document is still the one it was.
    """
    text, found = document()
    for _ in range(_MOST_RELOADS):
        try:
            return weights(found)
        except ModelFileError:
            # A saver may have replaced the model since its document was read: then the new one counts.
            newer, found = document()
            if newer == text:
                raise
            text = newer
    raise ModelFileError(f"{shown(where)} is replaced again and again.", fix="load it when nobody saves it.")


def decode_manifest(records: Any, where: str, limits: Limits | None = None) -> tuple[WeightGroup, ...]:
    """The groups of a weights manifest. Raises UnsafeModelError if it oversteps a rule."""
    groups = tuple(_group(record, where) for record in _list(records, "weightsManifest", where))
    check_specs([spec for group in groups for spec in group.specs], where, limits)
    twice = first_repeated(path for group in groups for path in group.paths)
    if twice is not None:
        raise UnsafeModelError(f"{where} names the weight file {shown(twice)} twice.")
    return groups


def _group(record: Any, where: str) -> WeightGroup:
    if not isinstance(record, dict) or record.keys() != {"paths", "weights"}:
        raise UnsafeModelError(f"{where}: {shown(record)} is no group of weights.", expected="paths and weights.")
    paths = _list(record["paths"], "paths", where)
    return WeightGroup(
        tuple("/".join(check_shard_path(path, where)) for path in paths),
        tuple(_spec(found, where) for found in _list(record["weights"], "weights", where)),
    )


def _spec(record: Any, where: str) -> WeightSpec:
    if not isinstance(record, dict) or not {"name", "shape", "dtype"} <= record.keys() <= _SPEC_KEYS:
        raise UnsafeModelError(
            f"{where}: {shown(record)} is no weight.", expected="name, shape and dtype, perhaps group and quantization."
        )
    shape = record["shape"]
    return WeightSpec(
        record["name"],
        tuple(shape) if isinstance(shape, list) else shape,
        record["dtype"],
        record.get("group"),
        _object(record.get("quantization"), "quantization", where),
    )


def _list(value: Any, key: str, where: str) -> list[Any]:
    if value is None and key == "weightsManifest":
        return []
    if not isinstance(value, list):
        raise UnsafeModelError(f"{where}: {key} is {shown(value)}.", expected="a list.")
    return value


def _object(value: Any, key: str, where: str) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise UnsafeModelError(f"{where}: {key} is {shown(value)}.", expected="a JSON object.")
    return value


def _text(document: Mapping[str, Any], key: str, where: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise UnsafeModelError(f"{where}: {key} is {shown(value)}.", expected="text.")
    return value


def _format(value: Any, where: str) -> str | None:
    if value is not None and value not in FORMATS:
        raise ModelFileError(f"{where} has the format {shown(value)}.", expected=f"one of {', '.join(FORMATS)}.")
    return _text({"format": value}, "format", where)
