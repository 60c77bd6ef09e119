"""What one case of the check of every layer says."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lamina.layers import Layer

GENERATOR = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray[Any, Any]:
    return GENERATOR.normal(size=shape).astype(np.float32)


class Arguments(NamedTuple):
    """Inputs that are arguments of their own."""

    query: Any
    value: Any


def called(layer: Any, inputs: Any, **settings: Any) -> Any:
    """What a layer gives for the inputs of a case."""
    return layer(*inputs, **settings) if isinstance(inputs, Arguments) else layer(inputs, **settings)


class Case(NamedTuple):
    """A layer by class and settings, inputs, its weights' shapes by name, and a NumPy reference of its inference."""

    kind: type[Layer]
    settings: dict[str, Any]
    inputs: Any
    weights: dict[str, tuple[int, ...]]
    reference: Any

    def __str__(self) -> str:
        return f"{self.kind.__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings.items())})"
