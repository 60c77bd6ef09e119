"""Integers in what is computed with fractions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina import ops
from lamina.dtypes import FLOATING
from lamina.runtime.tensor import Tensor

_RANGES: Final = {
    "uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767), "int32": (-2147483648, 2147483520),
}  # fmt: skip
"""The smallest and largest value, as float32 has them."""


def in_floats(x: Tensor, function: Callable[[Tensor], Any]) -> Tensor:
    """function(x); for integers computed in float32, rounded, and cut at the ends of their range."""
    if x.dtype in FLOATING:
        result: Tensor = function(x)
        return result
    found = ops.round(function(ops.cast(x, "float32")))
    if x.dtype in _RANGES:
        found = ops.clip(found, *_RANGES[x.dtype])
    return ops.cast(found, x.dtype)


def as_floats(x: Tensor, dtype: str) -> Tensor:
    """x, in ``dtype`` if it has none with fractions."""
    return x if x.dtype in FLOATING else ops.cast(x, dtype)
