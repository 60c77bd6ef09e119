"""Weights by layer, as ``.h5`` files of Keras have them: a group for each layer, with its weights in a fixed order.

Names lie in attributes, which HDF5 bounds: long lists are split. Knows layers and groups; reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.errors import ModelFileError, NotBuiltError, UnsafeModelError
from lamina.io.checks import check_name, first_repeated, shown
from lamina.models.saving.sources import values_of
from lamina_keras.hdf5 import LARGEST_ATTRIBUTE, Group

HostArray = np.ndarray[Any, Any]
Pair = tuple[Any, HostArray]

LAYER_NAMES: Final = "layer_names"
WEIGHT_NAMES: Final = "weight_names"
TOP_LEVEL: Final = "top_level_model_weights"
"""The group of the weights that a model holds itself, outside of its layers."""


class Stored(NamedTuple):
    """The weights of one layer in a file, by their names in their order."""

    name: str
    weights: dict[str, HostArray]


def ordered(layer: Any) -> list[Any]:
    """The weights of a layer, or of a model inside another one, in the order of these files: trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def weights_of(model: Any) -> Group:
    """The group of a model's weights. Raises NotBuiltError before there are any."""
    _check_built(model)
    group = Group()
    put_names(group, LAYER_NAMES, [check_name(layer.name, "the model") for layer in model.layers])
    for layer in model.layers:
        put_arrays(group.group(layer.name), ((v.name, values_of(v)) for v in ordered(layer)))
    put_arrays(group.group(TOP_LEVEL), ((v.name, values_of(v)) for v in _own(model)))
    return group


def _own(model: Any) -> list[Any]:
    in_layers = {id(v) for layer in model.layers for v in layer.weights}
    return [v for v in ordered(model) if id(v) not in in_layers]


def _check_built(model: Any) -> None:
    if not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )


def put_arrays(group: Group, pairs: Iterable[tuple[str, HostArray]]) -> None:
    """Puts arrays into a group at the paths that are their names, and the names in order."""
    names = []
    for name, array in pairs:
        path = _free(group, check_name(name, "the model").strip("/"))
        names.append(path)
        above, _, last = path.rpartition("/")
        (group.group(above) if above else group).children[last] = array
    put_names(group, WEIGHT_NAMES, names)


def _free(group: Group, path: str) -> str:
    """The path, or, where something is there already, one like it."""
    found, number = path, 0
    while group.find(found) is not None:
        number += 1
        found = f"{path}_{number}"
    return found


def put_names(group: Group, key: str, names: Sequence[str]) -> None:
    """A list of names as an attribute, or as several where one cannot hold them."""
    if not names:
        group.attributes[key] = np.zeros(0)
        return
    each = max(len(name.encode()) for name in names)
    parts = -(-len(names) * each // LARGEST_ATTRIBUTE)
    size = -(-len(names) // parts)
    if parts == 1:
        group.attributes[key] = list(names)
        return
    for number, start in enumerate(range(0, len(names), size)):
        group.attributes[f"{key}{number}"] = list(names[start : start + size])


def names_in(group: Group, key: str, where: str) -> list[str]:
    """The names in an attribute, or in several."""
    found: list[str] = []
    numbered = (f"{key}{number}" for number in range(len(group.attributes) + 1))
    for part in [key] if key in group.attributes else numbered:
        value = group.attributes.get(part)
        if value is None:
            break
        texts = value if isinstance(value, list) else [] if isinstance(value, np.ndarray) and not value.size else None
        if texts is None:
            raise UnsafeModelError(f"{where}: the attribute {part} is {shown(value)}.", expected="a list of names.")
        found += texts
    repeated = first_repeated(found)
    if repeated is not None:
        raise UnsafeModelError(f"{where}: {key} has {shown(repeated)} twice.")
    return found


def named_in(group: Group, where: str) -> dict[str, HostArray]:
    """The arrays of a group by the names that it lists, in their order. Raises ModelFileError unless these are all."""
    found = {}
    for name in names_in(group, WEIGHT_NAMES, where):
        array = group.find(_path(name, where))
        if not isinstance(array, np.ndarray):
            raise UnsafeModelError(f"{where} has no weight {shown(name)}, which it lists.")
        found[name] = array
    return found


def _path(name: str, where: str) -> str:
    """A name that is a path below a group, and nowhere else."""
    if not all(check_name(name, where).split("/")):
        raise UnsafeModelError(f"{where}: the name {shown(name)} is not allowed.", expected="a path below its group.")
    return name


def arrays_in(group: Group) -> Iterator[HostArray]:
    """All arrays in a group and in those in it."""
    for child in group.children.values():
        if isinstance(child, Group):
            yield from arrays_in(child)
        else:
            yield child


def stored_layers(group: Group, where: str) -> tuple[list[Stored], Stored]:
    """The layers in a file, and what the model holds itself. Raises ModelFileError unless names and groups agree."""
    names = names_in(group, LAYER_NAMES, where)
    layers, top = [_stored(group, name, where) for name in names], _stored(group, TOP_LEVEL, where, needed=False)
    surplus = sum(1 for _ in arrays_in(group)) - sum(len(layer.weights) for layer in [*layers, top])
    if surplus:
        raise UnsafeModelError(f"{where}: {surplus} arrays are in no list of names, or in several.")
    return layers, top


def _stored(group: Group, name: str, where: str, needed: bool = True) -> Stored:
    """One layer. A name with slashes, as of layers in tf.keras, is a path."""
    found = group.find(_path(name, where))
    if found is None and not needed:
        return Stored(name, {})
    if not isinstance(found, Group):
        raise UnsafeModelError(f"{where} has no group for the layer {shown(name)}, which it lists.")
    return Stored(name, named_in(found, f"{where}: {shown(name)}"))


def matched(model: Any, group: Group, where: str, same_names: bool) -> list[Pair]:
    """Variables and their values, layer by layer in their order; all of both.

    ``same_names`` says that the layers must have the names that they have in the file. Raises ModelFileError if
    layers, counts or shapes differ.
    """
    _check_built(model)
    stored, top = stored_layers(group, where)
    there = [layer for layer in stored if layer.weights]
    here = [layer for layer in model.layers if layer.weights]
    if len(there) != len(here):
        raise ModelFileError(
            f"{where} has {len(there)} layers with weights, and the model {model.name!r} has {len(here)}.",
            expected="weights of a model with the same layers in the same order.",
        )
    pairs: list[Pair] = []
    for layer, found in zip(here, there, strict=True):
        if same_names and layer.name != found.name:
            raise ModelFileError(f"{where} has the layer {shown(found.name)} where the model has {layer.name!r}.")
        pairs += _pairs(layer.name, ordered(layer), found, where)
    own = _own(model)
    return pairs + (_pairs(model.name, own, top, where) if own or top.weights else [])


def matched_by_name(model: Any, group: Group, where: str) -> list[Pair]:
    """Variables and their values for the layers whose names the file has, as ``by_name`` of Keras.

    Raises ModelFileError if a layer of the same name has other weights.
    """
    _check_built(model)
    known: Mapping[str, Stored] = {layer.name: layer for layer in stored_layers(group, where)[0] if layer.weights}
    chosen = [layer for layer in model.layers if layer.name in known and layer.weights]
    return [pair for layer in chosen for pair in _pairs(layer.name, ordered(layer), known[layer.name], where)]


def _pairs(name: str, variables: Sequence[Any], found: Stored, where: str) -> list[Pair]:
    if len(variables) != len(found.weights):
        raise ModelFileError(
            f"{where} has {len(found.weights)} weights for the layer {shown(found.name)}, and {name!r} has "
            f"{len(variables)}."
        )
    pairs = list(zip(variables, found.weights.values(), strict=True))
    for variable, array in pairs:
        if variable.shape != array.shape:
            raise ModelFileError(
                f"a weight of the layer {shown(found.name)} has shape {array.shape} in {where}, and {variable.name!r} "
                f"has {variable.shape}."
            )
    return pairs
