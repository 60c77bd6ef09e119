"""Models to and from storage, as artifacts: topology, weights, training configuration, metadata.

Knows JSON, bytes and NumPy arrays by name; knows nothing of layers, models, tensors or backends. An address is a
string (``"folder"``, ``"file://folder"``, ``"localstorage://name"``, ``"memory://name"``, or a plugin's scheme), a
path object, or any object with ``save(artifacts)`` and/or ``load()``::

    save_artifacts(address, artifacts: ModelArtifacts) -> SaveResult
    load_artifacts(address) -> ModelArtifacts
    encode_weights([(name, array, group), ...]) -> (tuple[WeightSpec, ...], bytes)
    decode_weights(specs, data) -> [(WeightSpec, array), ...]

    list_models(scheme=None) -> {address: SaveResult}
    remove_model(address) -> SaveResult
    copy_model(source, destination) -> SaveResult
    move_model(source, destination) -> SaveResult

    quantize_artifacts(artifacts, "uint8") -> ModelArtifacts float32 weights in fewer bytes
    load_weights(manifest, folder) -> {name: array}          weight files without a model.json
    weights_loader_factory(fetch) -> load_weights            the same, from wherever ``fetch`` brings them
    decode_weights_stream(specs, pieces) -> (WeightSpec, array), ...

    from_memory(artifacts), with_save_handler(function)      handlers made of what is at hand
    find_handler(address, on_progress=...)                   the handler of an address, with settings
    http(url, headers=..., timeout=...)                      the handler of a URL, with settings
    remote(url, key=..., on_progress=...)                    the handler of an address that fsspec serves, with settings
    encode_model_json(artifacts, paths), decode_model_json(text, where)   for handlers of other media

>>> import numpy as np
>>> specs, data = encode_weights([("dense/kernel", np.ones((2, 3), "float32"), None)])
>>> saved = save_artifacts("memory://example", ModelArtifacts({"class_name": "Sequential"}, specs, data))
>>> [(spec.name, array.shape) for spec, array in decode_weights(specs, load_artifacts("memory://example").weight_data)]
[('dense/kernel', (2, 3))]
>>> removed = remove_model("memory://example")
"""

from lamina.contract.io import IOHandler, ModelArtifacts, SaveResult, WeightFiles, WeightSpec
from lamina.io.checks import Limits
from lamina.io.formats import find_format
from lamina.io.manifest import get_weight_specs, load_weights, weights_loader_factory
from lamina.io.model_json import (
    ModelJson,
    WeightGroup,
    decode_model_json,
    encode_model_json,
    get_model_artifacts_for_json,
)
from lamina.io.objects import describe, from_memory, with_save_handler
from lamina.io.quantize import quantize_artifacts
from lamina.io.router import Address, find_handler, http, is_http_scheme, load_artifacts, remote, save_artifacts
from lamina.io.streams import decode_weights_stream
from lamina.io.transfers import copy_model, list_models, move_model, remove_model
from lamina.io.weights import decode_weights, encode_weights

__all__ = [
    "Address", "IOHandler", "Limits", "ModelArtifacts", "ModelJson", "SaveResult", "WeightFiles", "WeightGroup",
    "WeightSpec", "copy_model", "decode_model_json", "decode_weights", "decode_weights_stream", "describe",
    "encode_model_json", "encode_weights", "find_format", "find_handler", "from_memory", "get_model_artifacts_for_json",
    "get_weight_specs", "http", "is_http_scheme", "list_models", "load_artifacts", "load_weights", "move_model",
    "quantize_artifacts", "remote", "remove_model", "save_artifacts", "weights_loader_factory", "with_save_handler",
]  # fmt: skip
