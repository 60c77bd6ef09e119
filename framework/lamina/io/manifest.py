"""Weights by a manifest alone: the part of a ``model.json`` that names weight files, without a model."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.errors import ArgumentError
from lamina.io.checks import DEFAULT_LIMITS, Limits
from lamina.io.model_json import decode_manifest
from lamina.io.shards import read_weights
from lamina.io.weights import decode_weights


def load_weights(
    manifest: Any,
    folder: str | os.PathLike[str] = ".",
    weight_names: Iterable[str] | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a weights manifest by name, read from files in a folder or below it.

    ``manifest`` is the list of groups ``{"paths": [...], "weights": [...]}`` that a ``model.json`` calls
    weightsManifest; ``weight_names`` None means all. Only the files of groups that hold a wanted weight are read.
    Raises UnsafeModelError if the manifest or a file oversteps its bounds, ModelNotFoundError if a file is missing,
    ArgumentError for a name that the manifest lacks. As TensorFlow.js's ``io.loadWeights``.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open(folder.name + "/w.bin", "wb") as file:
    ...     written = file.write(np.float32([1.0, 2.0]).tobytes())
    >>> weights = [{"name": "w", "shape": [2], "dtype": "float32"}]
    >>> load_weights([{"paths": ["w.bin"], "weights": weights}], folder.name)["w"].tolist()
    [1.0, 2.0]
    >>> folder.cleanup()
    """
    where = "the weights manifest"
    groups = decode_manifest(manifest, where, limits)
    known = {spec.name for group in groups for spec in group.specs}
    wanted = known if weight_names is None else set(weight_names)
    if not wanted <= known:
        raise ArgumentError(
            f"{where} has no {', '.join(map(repr, sorted(wanted - known)))}.",
            expected=f"names of {', '.join(map(repr, sorted(known)))}.",
        )
    chosen = [group for group in groups if wanted & {spec.name for spec in group.specs}]
    data = read_weights(os.fsdecode(folder), chosen, where, None)
    specs = [spec for group in chosen for spec in group.specs]
    return {spec.name: array for spec, array in decode_weights(specs, data, where) if spec.name in wanted}
