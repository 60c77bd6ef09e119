"""Initializers that draw nothing: zeros, ones, constants, identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.errors import ShapeError
from lamina.initializers.initializer import Initializer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float, as_shape


class Zeros(Initializer):
    """All 0.

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.zeros(shape, dtype)


class Ones(Initializer):
    """All 1.

    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.ones(shape, dtype)


class Constant(Initializer):
    """One value everywhere: a number, or an array that broadcasts to the shape.

    >>> Constant(0.25)((2,)).tolist()
    [0.25, 0.25]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value: float | Any = as_float(value, "value") if isinstance(value, (bool, str)) else value

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        if isinstance(self.value, (int, float)):
            return ops.full(shape, self.value, dtype)
        return ops.broadcast_to(ops.cast(ops.tensor(self.value), dtype), as_shape(shape))

    def get_config(self) -> dict[str, Any]:
        scalar = isinstance(self.value, (int, float))
        return {"value": self.value if scalar else np.asarray(self.value).tolist()}


class Identity(Initializer):
    """A matrix of ``gain`` on the diagonal and 0 elsewhere. Raises ShapeError for a shape that has not two axes.

    >>> Identity()((2, 2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain: float = as_float(gain, "gain")

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        if len(sizes) != 2:
            raise ShapeError(f"an identity weight of shape {sizes}.", expected="two axes.")
        return ops.cast(ops.multiply(ops.eye(*sizes), self.gain), canonical_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
