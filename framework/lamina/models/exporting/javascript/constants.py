"""Constants of a recorded layer as JavaScript: the same at each size, or of a form that follows from sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.errors import SerializationError
from lamina.models.exporting.javascript.sizes import merged
from lamina.models.exporting.javascript.text import array_text, dtype_text, literal

Array = np.ndarray[Any, Any]


def constant_text(arrays: Sequence[Array], names: Mapping[str, Sequence[int]]) -> str:
    """One constant, given its value at each recording. Raises SerializationError for one that cannot be expressed."""
    first = arrays[0]
    if all(a.shape == first.shape and np.array_equal(a, first, equal_nan=a.dtype.kind == "f") for a in arrays):
        return array_text(first)
    if all(a.ndim == 0 for a in arrays):
        value = merged([a.item() for a in arrays], names)
        return f"tf.scalar({literal(value)}, {dtype_text(str(first.dtype))})"
    found = _band(arrays, names) or _steps(arrays, names)
    if found is None:
        raise SerializationError(
            f"a constant of shape {first.shape} follows from unknown sizes of its inputs.",
            fix="give the shape of its inputs in full, or make the constant with ops.",
        )
    return found


def _band(arrays: Sequence[Array], names: Mapping[str, Sequence[int]]) -> str | None:
    """A matrix of truth that is true in a band around its diagonal, as masks of attention are."""
    reaches = {_reaches(a) for a in arrays}
    if len(reaches) != 1 or (found := reaches.pop()) is None:
        return None
    rows, columns = merged([a.shape for a in arrays], names)
    lower, upper = (
        literal(n) if n < 0 else f"Math.min({n}, {literal(size)})"
        for n, size in zip(found, (rows, columns), strict=True)
    )
    return f"tf.cast(tf.linalg.bandPart(tf.ones({literal([rows, columns])}), {lower}, {upper}), 'bool')"


def _reaches(array: Array) -> tuple[int, int] | None:
    """How far a band goes below and above the diagonal, -1 for all; None if it is none."""
    if array.ndim != 2 or array.dtype != bool or not array.any():
        return None
    distance = np.arange(array.shape[1]) - np.arange(array.shape[0])[:, None]
    low, high = int(distance[array].min()), int(distance[array].max())
    if low > 0 or high < 0 or not np.array_equal(array, (distance >= low) & (distance <= high)):
        return None
    return (-1 if low == distance.min() else -low, -1 if high == distance.max() else high)


def _steps(arrays: Sequence[Array], names: Mapping[str, Sequence[int]]) -> str | None:
    """A row of numbers at even distances."""
    if any(a.ndim != 1 or a.dtype.kind != "i" or len(a) < 2 for a in arrays):
        return None
    starts, steps = {int(a[0]) for a in arrays}, {int(s) for a in arrays for s in np.diff(a)}
    if len(starts) != 1 or len(steps) != 1:
        return None
    start, step = starts.pop(), steps.pop()
    size = literal(merged([len(a) for a in arrays], names))
    return f"tf.range({start}, {start} + {step} * ({size}), {step}, 'int32')" if step else None
