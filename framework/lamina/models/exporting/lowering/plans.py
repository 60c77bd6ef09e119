"""What a lowering is: a plan to put layers that TensorFlow.js knows in the place of one, with the same weights.

A rule looks at a layer and the shapes of its inputs and gives a Plan, None if the layer can stay, or raises Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from lamina import layers
from lamina.dtypes import FLOATING
from lamina.errors import LaminaError
from lamina.layers.layer import Layer
from lamina.models.exporting.words import known_config
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy, host_view, numpy_dtype
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

HostArray = np.ndarray[Any, Any]
Change = Callable[[HostArray], HostArray]


class Refused(LaminaError):
    """A layer that cannot be written for TensorFlow.js: why, and what to do."""

    def __init__(self, reason: str, fix: str | None = None) -> None:
        super().__init__(reason, fix=fix)
        self.reason = reason
        self.fix = fix


class Source(NamedTuple):
    """Where a weight of an exported model has its values from: a weight of the user's, rearranged, or a constant."""

    variable: Variable | None
    change: Change | None = None
    constant: HostArray | None = None

    def array(self) -> HostArray:
        """The values."""
        if self.variable is None:
            assert self.constant is not None
            return self.constant
        return self.rearranged(host_view(self.variable.value))

    def rearranged(self, array: HostArray) -> HostArray:
        """An array of the original's shape, as what an optimizer keeps, in the new shape."""
        return array if self.change is None else np.ascontiguousarray(self.change(array))


class Sources(dict[str, Source]):
    """The sources of all weights of an exported model, by their names there."""

    def value(self, name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
        """The value for a weight that is being made: what ``lamina.layers.weights.weights_from`` asks for."""
        array = self[name].array()
        if tuple(array.shape) != tuple(shape):
            raise LaminaError(f"the weight {name!r} is to have shape {shape}, and comes with {array.shape}.")
        return from_numpy(np.array(array, numpy_dtype(dtype)), get_backend())


class Plan(NamedTuple):
    """How a layer is replaced: ``what`` says by which; ``build(block, inputs)`` makes them and gives the outputs.

    ``inputs`` is one symbolic tensor, or a list. ``single`` plans make one layer, which takes the name of the old one.
    """

    what: str
    build: Callable[[Block, Any], Any]
    notes: tuple[str, ...] = ()
    single: bool = False


Rule = Callable[[Any, Any], Plan | None]
RULES: Final[dict[str, Rule]] = {}
"""The rule of each class of layers that has one."""

REFUSALS: Final[dict[str, str]] = {}
"""Classes that are never lowered, with the reason."""


def lowers(*classes: str) -> Callable[[Rule], Rule]:
    """Registers a function as the rule of classes."""

    def registered(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(classes, rule))
        return rule

    return registered


class Block:
    """Makes the layers that stand in for one, named after it, and remembers where their weights come from."""

    def __init__(self, layer: Layer, sources: Sources, single: bool = False) -> None:
        self.layer = layer
        self.settings: dict[str, Any] = known_config(layer.get_config())[0]
        self._sources = sources
        self._single = single
        self._count = 0
        self.last: Layer | None = None

    def __call__(self, kind: str, x: Any, weights: Mapping[str, Source] | None = None, **settings: Any) -> Any:
        """Calls a new layer of a class on a symbolic tensor, or a list; ``weights`` are the sources of its weights."""
        if isinstance(x, list):
            x = each_once(x, lambda again, _: self("Activation", again, activation="linear"))
        self._count += 1
        name = self.layer.name if self._single else f"{self.layer.name}_{self._count}_{kind.lower()}"
        settings.setdefault("trainable", self.layer.trainable)
        if self.layer.dtype in FLOATING:
            settings.setdefault("dtype", self.layer.dtype)
        self.last = getattr(layers, kind)(name=name, **settings)
        self._sources.update({f"{name}/{label}": source for label, source in (weights or {}).items()})
        return self.last(x)

    def own(self, label: str, change: Change | None = None) -> Source:
        """The weight of the layer with a name such as ``"kernel"``, perhaps rearranged."""
        found = next(v for v in self.layer.weights if v.name.partition("/")[2] == label)
        return Source(found, change)

    def chosen(self, *keys: str) -> dict[str, Any]:
        """Some settings of the layer, where it has them."""
        return {key: self.settings[key] for key in keys if key in self.settings}


def each_once(tensors: list[Any], copied: Callable[[Any, int], Any]) -> list[Any]:
    """The tensors with a copy for each that came before.

    TensorFlow.js disposes of a tensor that a layer takes twice while other layers wait for it.
    """
    return [copied(x, i) if any(x is other for other in tensors[:i]) else x for i, x in enumerate(tensors)]


def constant(values: Any) -> Source:
    """Values that no weight of the user's has."""
    return Source(None, None, np.asarray(values))
