"""Weights by a manifest alone: the part of a ``model.json`` that names weight files, without a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.contract.io import Bytes, WeightSpec
from lamina.errors import ArgumentError
from lamina.io.checks import Limits
from lamina.io.model_json import WeightGroup, decode_manifest
from lamina.io.shards import read_weights
from lamina.io.weights import decode_weights

Arrays = dict[str, np.ndarray[Any, Any]]

_WHERE: Final = "the weights manifest"


def load_weights(
    manifest: Any,
    folder: str | os.PathLike[str] = ".",
    weight_names: Iterable[str] | None = None,
    *,
    limits: Limits | None = None,
) -> Arrays:
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
    found = _chosen(manifest, weight_names, limits)
    return found.decoded(read_weights(os.fsdecode(folder), found.groups, _WHERE, None, limits=limits))


def get_weight_specs(manifest: Any, *, limits: Limits | None = None) -> tuple[WeightSpec, ...]:
    """The specs of all weights of a manifest, group after group. Raises UnsafeModelError if it oversteps its bounds.

    >>> get_weight_specs([{"paths": [], "weights": [{"name": "w", "shape": [0], "dtype": "bool"}]}])[0].name
    'w'
    """
    return tuple(spec for group in decode_manifest(manifest, _WHERE, limits) for spec in group.specs)


def weights_loader_factory(fetch: Callable[[list[str]], Iterable[Bytes]]) -> Callable[..., Arrays]:
    """A function like ``load_weights`` for files that ``fetch`` brings, from wherever they are.

    ``fetch`` is called once, with the paths that are needed, and gives the bytes of each. The function that comes back
    is called as ``load(manifest, prefix="", weight_names=None)``; the prefix is put before each path as it is. It
    raises what ``load_weights`` raises. As TensorFlow.js's ``io.weightsLoaderFactory``.

    >>> files = {"m/w.bin": bytes([0, 0, 128, 63])}
    >>> load = weights_loader_factory(lambda paths: [files[path] for path in paths])
    >>> load([{"paths": ["w.bin"], "weights": [{"name": "w", "shape": [1], "dtype": "float32"}]}], "m/")["w"].tolist()
    [1.0]
    """

    def load(
        manifest: Any,
        prefix: str = "",
        weight_names: Iterable[str] | None = None,
        *,
        limits: Limits | None = None,
    ) -> Arrays:
        found = _chosen(manifest, weight_names, limits)
        return found.decoded(b"".join(fetch([prefix + path for group in found.groups for path in group.paths])))

    return load


class _Chosen(NamedTuple):
    """The groups of a manifest that hold wanted weights."""

    groups: Sequence[WeightGroup]
    wanted: Collection[str]

    def decoded(self, data: Bytes) -> Arrays:
        specs = [spec for group in self.groups for spec in group.specs]
        return {spec.name: array for spec, array in decode_weights(specs, data, _WHERE) if spec.name in self.wanted}


def _chosen(manifest: Any, weight_names: Iterable[str] | None, limits: Limits | None) -> _Chosen:
    groups = decode_manifest(manifest, _WHERE, limits)
    known = {spec.name for group in groups for spec in group.specs}
    wanted = known if weight_names is None else set(weight_names)
    if not wanted <= known:
        raise ArgumentError(
            f"{_WHERE} has no {', '.join(map(repr, sorted(wanted - known)))}.",
            expected=f"names of {', '.join(map(repr, sorted(known)))}.",
        )
    return _Chosen([group for group in groups if wanted & {spec.name for spec in group.specs}], wanted)
