"""Numbers on another scale."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import number
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor


class Rescaling(Layer):
    """x * scale + offset, in the dtype of the layer also for integers: Rescaling(1 / 255) brings bytes to [0, 1].

    ``scale`` and ``offset`` are numbers, or lists with one for each entry of the last axis. Input and output have the
    same shape. Raises ArgumentTypeError for a scale or offset that is no number.

    >>> Rescaling(2.0, offset=-1.0)(ops.tensor([0, 1])).tolist()
    [-1.0, 1.0]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale: Any = _numbers(scale, "scale")
        self.offset: Any = _numbers(offset, "offset")

    def call(self, x: Tensor) -> Tensor:
        scale, offset = (
            ops.tensor(v, dtype=self.dtype) if isinstance(v, list) else v for v in (self.scale, self.offset)
        )
        return ops.add(ops.multiply(ops.cast(x, self.dtype), scale), offset)


def _numbers(value: Any, name: str) -> Any:
    """A finite number, or a list of them."""
    values = value.tolist() if hasattr(value, "tolist") else value
    return [number(v, name) for v in values] if isinstance(values, (list, tuple)) else number(values, name)
