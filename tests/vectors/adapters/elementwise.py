"""Element by element: TensorFlow.js divides int32 by rounding down, and ``floorDiv`` gives int32 always."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


@adapter("div")
def divide(a: TensorLike, b: TensorLike) -> Any:
    if {dtype_of(a), dtype_of(b)} in ({"int32"}, {"int32", "bool"}):
        return lamina.floor_divide(a, b)
    return lamina.divide(a, b)


@adapter("floorDiv")
def floor_divide(a: TensorLike, b: TensorLike) -> Any:
    return lamina.cast(lamina.floor_divide(_number(a), _number(b)), "int32")


@adapter("minimum")
def minimum(a: TensorLike, b: TensorLike) -> Any:
    return lamina.minimum(_number(a), _number(b))


@adapter("maximum")
def maximum(a: TensorLike, b: TensorLike) -> Any:
    return lamina.maximum(_number(a), _number(b))


def _number(x: Any) -> Any:
    return lamina.cast(x, "int32") if dtype_of(x) == "bool" else x


def dtype_of(x: Any) -> str:
    """The dtype of a tensor; nothing for what is none, which lamina will refuse."""
    return getattr(x, "dtype", "")


@adapter("clone")
def clone(x: TensorLike) -> Any:
    return lamina.identity(x)


@adapter("reciprocal")
def reciprocal(x: TensorLike) -> Any:
    return lamina.cast(lamina.reciprocal(x), dtype_of(x) or "float32")


@adapter("clipByValue")
def clip(x: TensorLike, low: float, high: float) -> Any:
    return lamina.clip(x, low, high)
