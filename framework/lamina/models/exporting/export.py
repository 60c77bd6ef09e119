"""Writing a model for another program: looked through whole before anything is written."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Final

from lamina.contract import SaveResult
from lamina.errors import ArgumentError, ModelFileError, SerializationError
from lamina.io import ModelArtifacts, WeightFiles, decode_weights, find_handler, quantize_artifacts, save_artifacts
from lamina.io.file import FileHandler
from lamina.io.router import able
from lamina.models.exporting.findings import REFUSED, Survey, findings_text, survey
from lamina.models.exporting.javascript import LAYERS_JS, classes_module
from lamina.models.exporting.rewriting import compiled_as, rewritten
from lamina.models.exporting.words import known_dtypes
from lamina.models.saving.artifacts import OPTIMIZER_GROUP, model_artifacts
from lamina.models.saving.fingerprints import check_fingerprint, fingerprint
from lamina.models.saving.own import OWN_KEY

FORMATS: Final = ("tfjs",)


def export_model(
    model: Any,
    filepath: Any,
    format: str = "tfjs",
    *,
    quantization: Any = None,
    shard_bytes: int | None = None,
    split_by_layer: bool = False,
    include_optimizer: bool = True,
) -> SaveResult:
    """Writes a model so that TensorFlow.js loads it, computes the same, and trains it on where it can.

    ``filepath`` is a folder, an address such as ``https://...`` or an object with ``save``. Layers that TensorFlow.js
    lacks, or computes otherwise, are replaced by layers it has, exactly; what that was, and what is left out,
    ``tfjs_findings`` tells. Others get a class in JavaScript, in the file ``layers.js`` of the folder, which a page
    loads after TensorFlow.js. The model itself stays as it is. The folder can be loaded here too, as the model that was
    written.

    ``quantization`` stores float32 weights in fewer bytes: see ``lamina.io.quantize_artifacts``. ``shard_bytes`` is the
    longest weight file (None: 4 MiB), ``split_by_layer`` makes a group of files for each layer. ``include_optimizer``
    False leaves out how the model was compiled and the state of its optimizer.

    Raises SerializationError, before anything is written, if some layer has no way to TensorFlow.js, with all reasons;
    ArgumentError for a format or quantization that is none.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.ZeroPadding1D(1, input_shape=(4, 2)), lamina.layers.Conv1D(3, 3)])
    >>> export_model(model, "memory://exported").weight_bytes
    84
    >>> [layer.name == model.layers[0].name for layer in lamina.load_model("memory://exported").layers]
    [True, False]
    """
    if format not in FORMATS:
        raise ArgumentError(f"format is {format!r}.", expected=f"one of {', '.join(FORMATS)}.")
    able(filepath, "save")  # before the model is made ready, which takes time
    artifacts = export_artifacts(model, include_optimizer, quantization)
    if artifacts.further_files and not _keeps_files(filepath):
        raise ArgumentError(
            f"{filepath} has no place for {', '.join(artifacts.further_files)}, which the model needs.",
            expected="a folder.",
            fix="export it to a folder; or lower the layers that 'lamina doctor' says need a class in JavaScript.",
        )
    files = WeightFiles(shard_bytes, _groups(artifacts) if split_by_layer else ())
    return save_artifacts(filepath, replace(artifacts, files=files))


def export_artifacts(model: Any, include_optimizer: bool = True, quantization: Any = None) -> ModelArtifacts:
    """A model as artifacts that TensorFlow.js loads. Raises SerializationError if there is no way."""
    found = survey(model)
    _check(model, found)
    made, sources = rewritten(model, found)
    trains = include_optimizer and model.optimizer is not None
    if trains:
        compiled_as(made, model, sources)
    said = fingerprint(model)
    _check_same(model, made, said)
    artifacts = quantize_artifacts(model_artifacts(made, trains, with_fingerprint=False), quantization)
    if quantization is not None and said is not None:
        said = _quantized_fingerprint(made, artifacts)
    metadata = dict(artifacts.user_defined_metadata or {})
    metadata[OWN_KEY] = {**metadata[OWN_KEY], **({} if said is None else {"fingerprint": said})}
    return replace(
        artifacts,
        topology=known_dtypes(artifacts.topology),
        user_defined_metadata=metadata,
        further_files=_scripts(found),
    )


def _scripts(found: Survey) -> dict[str, bytes]:
    """``layers.js`` with the classes of all layers that need one, if there are such."""
    return {LAYERS_JS: classes_module(list(found.classes.values())).encode()} if found.classes else {}


def _keeps_files(filepath: Any) -> bool:
    """Whether further files can lie beside the model: in a folder, or with an object that takes care of it itself."""
    is_address = isinstance(filepath, (str, os.PathLike))
    return not is_address or isinstance(find_handler(filepath), FileHandler)


def _check(model: Any, found: Survey) -> None:
    refused = [finding for finding in found.findings if finding.severity == REFUSED]
    if refused:
        raise SerializationError(
            f"the model {model.name!r} cannot be exported to TensorFlow.js:\n{findings_text(found.findings)}",
            fix="change the layers that are refused; or use save, for a model that is to be loaded here.",
        )


def _check_same(model: Any, made: Any, said: Any) -> None:
    """The rewritten model has to give what the model gives."""
    try:
        check_fingerprint(made, said, "the export")
    except ModelFileError as error:
        raise SerializationError(
            f"the model {model.name!r} was rewritten for TensorFlow.js, and gives something else: {error}",
            fix="report this as an error of lamina, with the model's config.",
        ) from error


def _quantized_fingerprint(made: Any, artifacts: ModelArtifacts) -> Any:
    """What the model gives with the weights that readers will find."""
    decoded = decode_weights(artifacts.weight_specs, artifacts.weight_data)
    values = {spec.name: array for spec, array in decoded if spec.group != OPTIMIZER_GROUP}
    for variable in made.weights:
        variable.assign(values[variable.name])
    return fingerprint(made)


def _groups(artifacts: ModelArtifacts) -> tuple[int, ...]:
    """The numbers of weights that follow each other and belong to one layer; the optimizer's are the last group."""
    found: list[int] = []
    last = None
    for spec in artifacts.weight_specs:
        owner = (spec.group, "" if spec.group == OPTIMIZER_GROUP else spec.name.rpartition("/")[0])
        if owner != last:
            found.append(0)
        found[-1] += 1
        last = owner
    return tuple(found)
