"""Where the weights of layers lie in Keras's weight files: ``layers/dense_1/vars/0``.

Keras walks over the attributes of a model: what a layer holds itself is in ``vars``, by number; layers in attributes
are below the attribute's name, layers in lists below the name of their class. Knows layers; reads and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from lamina.layers.weights import HasWeights
from lamina.models import Model, Sequential
from lamina.optimizers import LossScaleOptimizer, Optimizer
from lamina.structures import flatten

CLASSES: Final = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Classes that Keras itself calls by another name than its files have."""

ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    "GroupQueryAttention": {f"{part}_dense": f"_{part}_dense" for part in ("query", "key", "value", "gate", "output")},
    "MultiHeadAttention": {"gate_dense": "_gate_dense"},
}
"""Attributes of built-in layers that have another name there."""

OLDER: Final = {f"{part}_dense": f"_{part}_dense" for part in ("query", "key", "value", "output")}
"""Names of attributes, and what they were before Keras 3.3."""

_BOOKKEEPING: Final = ("graph", "built_for", "optimizer")


class Place(NamedTuple):
    """A layer or optimizer: its path in the file, its name, and its own Variables in Keras's order."""

    path: str
    name: str
    variables: list[Any]

    def path_of(self, index: int) -> str:
        """Where one of the Variables is."""
        return f"{self.path}/vars/{index}".lstrip("/")


def places_of(model: Model) -> list[Place]:
    """The layers of a model, the model itself first. A layer that stands at several places is at the first one."""
    return list(_walk(model, "", set()))


def optimizer_places(optimizer: Optimizer) -> list[Place]:
    """The places of an optimizer's state."""
    places = [Place("optimizer", optimizer.name, optimizer.variables)]
    if isinstance(optimizer, LossScaleOptimizer):
        inner = optimizer.inner_optimizer
        places.append(Place("optimizer/inner_optimizer", inner.name, inner.variables))
    return places


def snake_case(name: str) -> str:
    """The name of a class as paths have it.

    >>> snake_case("Conv2DTranspose"), snake_case("GRUCell"), snake_case("ConvLSTM1D")
    ('conv2d_transpose', 'gru_cell', 'conv_lstm1d')
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def class_of(layer: Any) -> str:
    """The name of a layer's class in Keras, which calls every graph of layers that is no subclass Functional."""
    kind = type(layer)
    if kind is Model:
        return "Functional"
    return CLASSES.get(kind.__name__, kind.__name__) if kind.__module__.startswith("lamina.") else kind.__name__


def _walk(layer: HasWeights, path: str, seen: set[int]) -> Iterator[Place]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    own = layer.own_weights()
    ordered = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
    yield Place(path, layer.name, ordered)
    for attribute, value in _children(layer):
        below = f"{path}/{attribute}".lstrip("/")
        if isinstance(value, HasWeights):
            yield from _walk(value, below, seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _walk_container(value, below, seen)


def _walk_container(container: Any, path: str, seen: set[int]) -> Iterator[Place]:
    counts: dict[str, int] = {}
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, HasWeights):
            yield from _walk(value, f"{path}/{_numbered(snake_case(class_of(value)), counts)}", seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _walk_container(value, f"{path}/{_numbered('container', counts)}", seen)


def _numbered(name: str, counts: dict[str, int]) -> str:
    number = counts.get(name, 0)
    counts[name] = number + 1
    return f"{name}_{number}" if number else name


def _children(layer: Any) -> list[tuple[str, Any]]:
    """The attributes of a layer that hold layers, in the order in which Keras visits them."""
    if isinstance(layer, Sequential) and type(layer) is Sequential:
        return [("layers", layer.layers)]
    found = {key: value for key, value in vars(layer).items() if key not in _BOOKKEEPING and _has_layers(value, layer)}
    names = ATTRIBUTES.get(type(layer).__name__, {}) if type(layer).__module__.startswith("lamina.") else {}
    found = {names.get(key, key): value for key, value in found.items()}
    if not isinstance(layer, Model):
        return sorted(found.items(), key=_visited)
    if layer.graph is not None:
        return [("layers", layer.layers), *sorted(found.items(), key=_visited)]
    return sorted({**found, "layers": layer.sublayers()}.items(), key=_visited)


def _has_layers(value: Any, holder: Any) -> bool:
    return any(isinstance(x, HasWeights) and x is not holder for x in flatten(value))


def _visited(item: tuple[str, Any]) -> str:
    """Private attributes come last."""
    return f"~{item[0]}" if item[0].startswith("_") else item[0]
