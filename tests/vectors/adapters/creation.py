"""Making tensors: TensorFlow.js's numbers are float32, and it has forms for a fixed number of axes."""

from __future__ import annotations

from typing import Any

from adapting import Indices, TensorLike, adapter

import lamina


def _ranked(rank: int) -> None:
    @adapter(f"tensor{rank}d")
    def tensor(values: TensorLike, shape: Any = None, dtype: Any = None) -> Any:
        return lamina.ensure_shape(lamina.tensor(values, shape, dtype), (None,) * rank)


for _rank in (2, 3, 4, 5, 6):
    _ranked(_rank)


@adapter("tensor1d")
def tensor1d(values: TensorLike, dtype: Any = None) -> Any:
    return lamina.ensure_shape(lamina.tensor(values, dtype=dtype), (None,))


@adapter("scalar")
def scalar(value: TensorLike, dtype: Any = None) -> Any:
    return lamina.scalar(value, dtype)


@adapter("fill")
def fill(shape: Any, value: Any, dtype: Any = None) -> Any:
    inferred = "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "float32"
    return lamina.full(shape, value, dtype or inferred)


@adapter("eye")
def eye(num_rows: int, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32") -> Any:
    return lamina.eye(num_rows, num_columns, batch_shape, dtype)


@adapter("range")
def arange(start: float, stop: float, step: float = 1, dtype: Any = "float32") -> Any:
    """Without a step it counts down where stop is below start."""
    return lamina.arange(start, stop, -1 if stop < start and step == 1 else step, dtype)


@adapter("oneHot")
def one_hot(indices: Indices, depth: int, on_value: float = 1, off_value: float = 0, dtype: Any = "int32") -> Any:
    return lamina.one_hot(indices, depth, on_value, off_value, dtype)
