"""What TensorFlow.js returns as objects, and where it insists on arguments."""

from __future__ import annotations

from typing import Any

from adapting import Indices, TensorLike, adapter

import lamina
from adapters.elementwise import dtype_of


@adapter("topk")
def top_k(x: TensorLike, k: int = 1, sorted: bool = True) -> Any:
    return lamina.top_k(x, k, sorted)._asdict()


@adapter("unique")
def unique(x: TensorLike, axis: int = 0) -> Any:
    return lamina.unique(x, axis)._asdict()


@adapter("setdiff1dAsync")
def setdiff1d(x: TensorLike, y: TensorLike) -> Any:
    return list(lamina.setdiff1d(x, y))


@adapter("moments")
def moments(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    return dict(zip(("mean", "variance"), lamina.moments(x, axis, keepdims), strict=True))


@adapter("bincount")
def bincount(x: Indices, weights: TensorLike, size: int) -> Any:
    return lamina.bincount(x, weights, size)


@adapter("denseBincount")
def dense_bincount(x: Indices, weights: TensorLike, size: int, binary_output: bool = False) -> Any:
    return lamina.dense_bincount(x, weights, size, binary_output)


@adapter("math.confusionMatrix")
def confusion_matrix(labels: Indices, predictions: Indices, num_classes: int) -> Any:
    return lamina.math.confusion_matrix(labels, predictions, num_classes)


@adapter("inTopKAsync")
def in_top_k(predictions: TensorLike, targets: Indices, k: int = 1) -> Any:
    return lamina.in_top_k(predictions, targets, k)


@adapter("addN")
def add_n(tensors: TensorLike) -> Any:
    return lamina.add_n(list(tensors) if isinstance(tensors, lamina.Tensor) else tensors)


@adapter("divNoNan")
def divide_no_nan(a: TensorLike, b: TensorLike) -> Any:
    y = lamina.divide_no_nan(a, b)
    rounded = {dtype_of(a), dtype_of(b)} in ({"int32"}, {"int32", "bool"})
    return lamina.cast(lamina.floor(y), "int32") if rounded else y


@adapter("searchSorted")
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Any:
    return _as_rows(lamina.searchsorted(sorted_sequence, values, side))


@adapter("lowerBound")
def lower_bound(sorted_sequence: TensorLike, values: TensorLike) -> Any:
    return _as_rows(lamina.lower_bound(sorted_sequence, values))


@adapter("upperBound")
def upper_bound(sorted_sequence: TensorLike, values: TensorLike) -> Any:
    return _as_rows(lamina.upper_bound(sorted_sequence, values))


def _as_rows(found: Any) -> Any:
    """TensorFlow.js makes one row of one axis."""
    return lamina.expand_dims(found, 0) if found.ndim == 1 else found
