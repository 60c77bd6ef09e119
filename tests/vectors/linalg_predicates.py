"""Properties of recorded calls of norms and sums of products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from comparing import leaves
from predicates import Record, arrays, predicate

Array = np.ndarray[Any, Any]


def _axes(record: Record, x: Array, place: int = 1) -> tuple[int, ...]:
    """The axes that are reduced, as the call gave them."""
    given = record["args"][place] if len(record["args"]) > place else None
    if isinstance(given, int):
        return (given % x.ndim,) if x.ndim else ()
    if isinstance(given, list):
        return tuple(a % x.ndim for a in given)
    return tuple(range(x.ndim))


def _tied(values: Array, best: Array, weights: Array) -> bool:
    return bool(np.any((np.sum(values == best, axis=-1) > 1) & (weights.reshape(-1) != 0)))


def _rows(x: Array, axes: tuple[int, ...]) -> Array:
    """The reduced elements of each result in a row."""
    rest = [a for a in range(x.ndim) if a not in axes]
    count = math.prod(x.shape[a] for a in rest)
    return x.transpose(*rest, *axes).reshape(count, -1)


@predicate
def tied_or_zero_sizes(record: Record) -> bool:
    """A gradient was recorded for an element that is 0, or of an extreme that occurs more than once."""
    order = record["args"][1] if len(record["args"]) > 1 else "euclidean"
    if order not in (1, math.inf, -math.inf) or not record.get("grads"):
        return False
    x, gradient = np.asarray(record["args"][0]), record["grads"][0]["grad"]
    if gradient is not None and np.any(gradient[x == 0] != 0):
        return True
    given = record["args"][2] if len(record["args"]) > 2 else None
    sizes = np.abs(x)
    if isinstance(given, list) and len(given) == 2:
        sizes = sizes.sum(given[0 if order == 1 else 1], keepdims=True)
    elif order == 1:
        return False
    axes = _axes(record, x, 2)
    rows = _rows(sizes, axes)
    best: Any = np.min if order == -math.inf else np.max
    return _tied(rows, best(rows, -1, keepdims=True), record["cotangents"][0]["cotangent"])


@predicate
def not_numpys_einsum(record: Record) -> bool:
    """NumPy gives a result of another shape."""
    equation, *tensors = record["args"]
    return bool(np.einsum(equation, *tensors).shape != np.shape(record["result"]))


@predicate
def equation_of_numpy(record: Record) -> bool:
    """NumPy takes the call."""
    equation, *tensors = record["args"]
    try:
        np.einsum(equation, *tensors)
    except ValueError:
        return False
    return True


@predicate
def nan_of_finite(record: Record) -> bool:
    """NaN was recorded for a finite matrix."""
    results = [value for _, value in leaves(record["result"])]
    return all(np.all(np.isfinite(a)) for a in arrays(record)) and any(np.any(np.isnan(r)) for r in results)
