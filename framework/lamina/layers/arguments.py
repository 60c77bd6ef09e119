"""Checks of constructors' arguments, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError
from lamina.layers.symbolic import SymbolicShape
from lamina.shapes import as_bool, as_int

LARGEST_SIZE: Final = 2**31 - 1


def positive(value: Any, name: str) -> int:
    """A size: an integer from 1 to what an int32 index reaches."""
    return as_int(value, name, minimum=1, maximum=LARGEST_SIZE)


def rate(value: Any, name: str = "rate") -> float:
    """A fraction: a number from 0 to below or at 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be a number.")
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ArgumentError(f"{name} is {value}.", expected=f"{name} to be between 0 and 1.")
    return float(value)


def number(value: Any, name: str, *, minimum: float = -math.inf) -> float:
    """A finite number of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be a number.")
    if not math.isfinite(value) or value < minimum:
        raise ArgumentError(f"{name} is {value}.", expected=f"{name} to be finite and at least {minimum}.")
    return float(value)


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if value not in allowed:
        raise ArgumentError(f"{name} is {value!r}.", expected=f"one of {', '.join(map(repr, allowed))}.")
    return str(value)


def flag(value: Any, name: str) -> bool:
    """True or False; None counts as False."""
    return False if value is None else as_bool(value, name)


def given_dtype(dtype: Any) -> str:
    """The dtype of a layer, from its name or from the config of a dtype policy of Keras; float32 for None.

    Raises DTypeError for a policy that computes in another dtype than the weights have.
    """
    if isinstance(dtype, Mapping):
        inner = dtype.get("config")
        dtype = inner.get("name") if isinstance(inner, Mapping) else inner
    if isinstance(dtype, str) and dtype.startswith("mixed_"):
        raise DTypeError(f"the dtype policy {dtype!r} mixes dtypes.", expected="one dtype, such as 'float32'.")
    return canonical_dtype(dtype or "float32")


def given_shape(input_shape: Any, batch_input_shape: Any, batch_size: Any, input_dim: Any) -> SymbolicShape | None:
    """The shape of a layer's input with the batch, from what was given of it; None if nothing was."""
    if input_dim is not None:
        input_shape = (input_dim,)
    if input_shape is None and batch_input_shape is None:
        return None
    sizes = tuple(batch_input_shape) if batch_input_shape is not None else (batch_size, *_sizes(input_shape))
    for size in sizes:
        if size is not None and (isinstance(size, bool) or not hasattr(size, "__index__") or int(size) < 0):
            raise ArgumentError(
                f"an input shape of {sizes}.", expected="non-negative integers, None for unknown sizes."
            )
    return sizes


def _sizes(shape: Any) -> tuple[Any, ...]:
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__iter__"):
        raise ArgumentTypeError(
            f"input_shape is {shape!r}.", expected="a tuple of integers without the batch, such as (784,)."
        )
    return tuple(shape)
