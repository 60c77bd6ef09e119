"""The base of initializers, and of those that draw random numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lamina.ops.random import SeedGenerator
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct
from lamina.shapes import as_int


class Initializer(ABC):
    """Base of initializers: called with a shape and a dtype, gives a tensor.

    Raises ArgumentError for a shape with sizes below 0 and for settings that are none, DTypeError for a dtype that it
    cannot have.

    >>> from lamina import ops
    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return ops.full(shape, 0.5, dtype)
    >>> Halves()((2,)).tolist()
    [0.5, 0.5]
    """

    @abstractmethod
    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        """The initial value of a weight."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Initializer:
        """The initializer of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


class RandomInitializer(Initializer):
    """Base of initializers that draw random numbers.

    ``seed`` is an int (every call gives the same), a ``SeedGenerator``, its config, or None for the default generator,
    which ``lamina.random.set_seed`` starts.

    >>> from lamina.ops import random
    >>> class Coins(RandomInitializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return random.bernoulli(shape, seed=self.seed)
    >>> Coins(seed=3)((2, 2)).shape
    (2, 2)
    """

    def __init__(self, seed: Any = None) -> None:
        if isinstance(seed, Mapping) and seed.get("class_name") == "SeedGenerator":
            seed = SeedGenerator(seed["config"]["seed"])
        if seed is not None and not isinstance(seed, SeedGenerator):
            seed = as_int(seed, "seed")
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        if isinstance(self.seed, SeedGenerator):
            return {"seed": {"class_name": "SeedGenerator", "config": {"seed": self.seed.seed}}}
        return {"seed": self.seed}
