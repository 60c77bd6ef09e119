"""Arrays made ready: classes as rows of zeros and a one, vectors brought to length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.data import as_array
from lamina.errors import ArgumentTypeError, DataError, OutOfRangeError
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows: y[i, k] = 1 if x[i] == k, else 0. A last axis of size 1 is left out first.

    ``x`` holds integers from 0; ``num_classes`` defaults to the largest of them plus 1. Returns float64, as Keras; for
    a tensor of lamina a float32 tensor. Raises DataError for what is no class number: negative numbers (which Keras
    takes for the last classes), numbers that are not whole, or as large as ``num_classes``.

    >>> to_categorical([0, 2, 1]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    numbers = as_array(x, "x")
    if numbers.dtype.kind not in "biuf" or (numbers.dtype.kind == "f" and not (numbers == np.floor(numbers)).all()):
        raise DataError("x holds what is no class number.", expected="integers from 0.")
    numbers = numbers.astype(np.int64)
    if num_classes is None and not numbers.size:
        raise DataError("x is empty.", fix="give num_classes.")
    count = int(numbers.max()) + 1 if num_classes is None else as_int(num_classes, "num_classes", minimum=1)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise DataError(f"x holds the class number {wrong}.", expected=f"integers from 0 to {count - 1}.")
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    if isinstance(x, Tensor):
        return ops.one_hot(ops.tensor(numbers.astype(np.int32)), count)
    return np.eye(count)[numbers]


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Any:
    """Vectors along an axis, each divided by its length: y = x / norm(x), zeros staying zeros.

    ``order`` is that of the norm, as in ``numpy.linalg.norm`` for vectors: 1 for the sum of absolute values, 2 for the
    Euclidean length, infinity for the largest. Arrays give arrays, tensors of lamina tensors; integers become floats.
    Raises OutOfRangeError for an axis that is not there.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    if isinstance(order, (bool, str)) or not hasattr(order, "__float__"):
        raise ArgumentTypeError(f"order is {order!r}.", expected="a number, such as 2.")
    if isinstance(x, Tensor):
        return ops.divide_no_nan(x, ops.norm(x, order, axis=axis, keepdims=True))
    array = as_array(x, "x")
    if not -array.ndim <= as_int(axis, "axis") < array.ndim:
        raise OutOfRangeError(f"axis is {axis} for an array of shape {array.shape}.", expected="one of its axes.")
    length = np.linalg.norm(array, order, axis=axis, keepdims=True)
    found: np.ndarray[Any, Any] = array / np.where(length == 0, np.ones_like(length), length)
    return found
