"""The weights of a layer: making, finding, freezing, reading and replacing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import numpy as np

from lamina import constraints, initializers, regularizers
from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import ArgumentError, ArgumentTypeError, NotBuiltError, ShapeError
from lamina.ops.elementwise import cast
from lamina.ops.random import SeedGenerator, default_generator
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import move, to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten

WeightSource = Callable[[str, tuple[int, ...], str], Any]
"""Gives the value of a weight by its name, shape and dtype, or raises if there is none."""

_WEIGHT_SOURCE: ContextVar[WeightSource | None] = ContextVar("lamina_weight_source", default=None)


@contextmanager
def weights_from(source: WeightSource) -> Iterator[None]:
    """Weights made inside the block take their values from ``source``; no initializer runs, nothing is allocated."""
    token = _WEIGHT_SOURCE.set(source)
    try:
        yield
    finally:
        _WEIGHT_SOURCE.reset(token)


_LARGEST_WEIGHT: Final = 2**34  # 64 GiB of float32: more is a mistake

_BOOKKEEPING: Final = ("_weights", "_regularized", "_nodes", "_first_values", "_first_weight")
"""Attributes in which Variables are kept a second time."""

_SETTINGS: Final = frozenset((type(None), bool, int, float, str))
"""Types of attributes that hold no weight: most are of one of them."""


def random_stream(seed: int | None, name: str) -> SeedGenerator:
    """The random stream of a layer; without a seed of its own it follows from ``lamina.random.set_seed``."""
    if seed is None:
        source = default_generator()
        seed = (source.seed * 0x9E3779B1 + int(source.next().numpy()[1]) * 0x85EBCA6B) & 0x7FFFFFFF
    return SeedGenerator(seed, name=f"{name}/seed_generator")


class HasWeights:
    """Something with weights of its own and in the layers it holds; ``Layer`` inherits it."""

    name: str
    dtype: str
    built: bool
    weight_scope: str | None = None
    """What stands before the names of the weights, if not the layer's name: a wrapper sets it for what it wraps."""
    _trainable: bool
    _weights: list[Variable]
    _regularized: list[tuple[Variable, Callable[[Any], Tensor]]]
    _call_losses: list[Tensor]

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight; call it in ``build``. The initializer defaults to GlorotUniform, for integers to Zeros."""
        wanted = canonical_dtype(dtype or self.dtype)
        sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if any(size is None for size in sizes):
            raise ShapeError(
                f"a weight {name or ''!r} of shape {sizes}: a size is unknown.",
                expected="every size but the batch to be known when the layer is built.",
                fix="give the input's shape in full.",
            )
        if math.prod(sizes) > _LARGEST_WEIGHT:
            raise ShapeError(
                f"a weight {name or ''!r} of shape {sizes}, which has {math.prod(sizes)} elements.",
                expected=f"at most {_LARGEST_WEIGHT}.",
                fix="check the sizes of the layer and of its input.",
            )
        label = name or f"weight_{len(self._weights)}"
        full_name = f"{self.weight_scope or self.name}/{label}"
        source = _WEIGHT_SOURCE.get()
        if source is not None:
            value = source(full_name, sizes, wanted)
        else:
            default = "glorot_uniform" if wanted in FLOATING else "zeros"
            value = initializers.get(initializer or default)(sizes, dtype=wanted)
        if any(v.name == full_name for v in self._weights):
            raise ArgumentError(f"the layer {self.name!r} has two weights named {label!r}.", expected="unique names.")
        value = move(to_tensor(value), get_backend())  # an initializer's random stream may be elsewhere
        variable = Variable(value, trainable, name=full_name)
        self._weights.append(variable)
        if regularizer is not None:
            self._regularized.append((variable, regularizers.get(regularizer)))
        variable.constraint = constraints.get(constraint)
        return variable

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights of this layer and of the layers in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise ArgumentTypeError(f"trainable is {value!r}.", expected="True or False.")
        self._trainable = value
        for layer in self.sublayers():
            layer.trainable = value

    def sublayers(self) -> list[Any]:
        """The layers kept in attributes of this one, also in lists and dicts, in order, each once."""
        return _unique(x for x in self._attributes() if isinstance(x, HasWeights) and x is not self)

    def _attributes(self) -> Iterator[Any]:
        """What the attributes hold, lists and dicts taken apart, without settings."""
        for key, value in self.__dict__.items():
            if type(value) in _SETTINGS or key in _BOOKKEEPING:
                continue
            if isinstance(value, (list, tuple, dict)):
                yield from flatten(value)
            else:
                yield value

    def own_weights(self) -> list[Variable]:
        """The Variables of this layer itself, without those of the layers in it."""
        return _unique([*self._weights, *(x for x in self._attributes() if isinstance(x, Variable))])

    @property
    def weights(self) -> list[Variable]:
        """All weights, those of the layers in it included, layer by layer."""
        found = self.own_weights()
        for layer in self.sublayers():
            found += layer.weights
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v, trained in self._weights_and_flags() if trained]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v, trained in self._weights_and_flags() if not trained]

    def _weights_and_flags(self) -> list[tuple[Variable, bool]]:
        found = {id(v): (v, v.trainable and self._trainable) for v in self.own_weights()}
        for layer in self.sublayers():
            for variable, trained in layer._weights_and_flags():
                present = found.get(id(variable))
                found[id(variable)] = (variable, (trained and self._trainable) or bool(present and present[1]))
        return list(found.values())

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def seed_generators(self) -> list[SeedGenerator]:
        """The random streams of this layer and of the layers in it."""
        found = [x for x in self._attributes() if isinstance(x, SeedGenerator)]
        for layer in self.sublayers():
            found += layer.seed_generators
        return _unique(found)

    @property
    def losses(self) -> list[Tensor]:
        """What ``add_loss`` collected in the last call, then the regularization of the weights, one scalar each.

        Those of the layers in it are among them. Weights that training leaves alone are not regularized, as in Keras.
        """
        layers = self._with_layers_within()
        trained = {id(variable) for variable in self.trainable_weights}
        penalties = [penalty for layer in layers for penalty in layer._regularized if id(penalty[0]) in trained]
        collected = [loss for layer in layers for loss in layer._call_losses]
        return collected + [regularizer(variable) for variable, regularizer in penalties]

    def _with_layers_within(self) -> list[Any]:
        """The layer itself and those within, at any depth, each once."""
        return _unique([self, *(inner for layer in self.sublayers() for inner in layer._with_layers_within())])

    def count_params(self) -> int:
        """The number of weights' elements. Raises NotBuiltError before the layer is built."""
        if not self.built:
            raise NotBuiltError(
                f"the layer {self.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The values of the weights as NumPy arrays, in the order of ``weights``."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives the weights new values, in the order of ``weights``; all or, if one does not fit, none.

        Constraints are not applied, as in Keras: what was saved comes back as it was.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise ShapeError(
                f"{len(weights)} arrays for the {len(variables)} weights of {self.name!r}.",
                expected=", ".join(f"{v.name} {v.shape}" for v in variables) + ".",
            )
        values = [to_tensor(w, backend=v.backend) for v, w in zip(variables, weights, strict=True)]
        for variable, value in zip(variables, values, strict=True):
            if value.shape != variable.shape:
                raise ShapeError(
                    f"the weight {variable.name!r} has shape {variable.shape}, the new value {value.shape}.",
                    expected="a value of the same shape.",
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(cast(value, variable.dtype))


T = TypeVar("T")


def _unique(found: Iterable[T]) -> list[T]:
    return list({id(x): x for x in found}.values())
