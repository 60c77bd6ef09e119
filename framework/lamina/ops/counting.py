"""How often numbers occur, perhaps weighed."""

from __future__ import annotations

from lamina.dtypes import INTEGER, NUMERIC
from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.ops.creation import arange, ones_like
from lamina.ops.elementwise import add, cast, greater_equal, less, logical_and, minimum, multiply, where
from lamina.ops.indexing import one_hot
from lamina.ops.matmul import matmul
from lamina.ops.reduction import max as _max
from lamina.ops.scattering import unsorted_segment_sum
from lamina.ops.shaping import reshape
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


def bincount(x: TensorLike, weights: TensorLike = None, size: int | None = None) -> Tensor:
    """How often each number from 0 up to but without ``size`` occurs: y[v] = sum of weights[i] where x[i] = v.

    ``x`` are integers along one axis; ``weights`` in its shape count in place of 1, None or no elements mean 1. Numbers
    outside are not counted. ``size`` None takes the largest number and reads x to find it. The counts are int32, or of
    the weights' dtype. As ``numpy.bincount``. Raises ShapeError, or DTypeError if x are no integers.

    Raises ArgumentError for a negative size.

    >>> bincount([1, 1, 3], size=4).tolist(), bincount([1, 1, 3], [0.5, 1.0, 2.0], 4).tolist()
    ([0, 2, 0, 1], [0.0, 1.5, 0.0, 2.0])
    """
    x = _integers(x, "bincount", (1,))
    return dense_bincount(x, weights, size)


def dense_bincount(
    x: TensorLike, weights: TensorLike = None, size: int | None = None, binary_output: bool = False
) -> Tensor:
    """``bincount`` along the last axis of one or two; with ``binary_output`` 1 where a number occurs at all, else 0.

    As TensorFlow. Raises ShapeError for more axes or weights of another shape, DTypeError if x are no integers.

    Raises ArgumentError for a negative size.

    >>> dense_bincount([[1, 1], [0, 2]], size=3).tolist()
    [[0, 2, 0], [1, 0, 1]]
    >>> dense_bincount([1, 1], size=3, binary_output=True).tolist()
    [0, 1, 0]
    """
    x = _integers(x, "bincount", (1, 2))
    counted = _weights(x, weights, binary_output)
    count = (int(_max(x).item()) + 1 if x.size else 0) if size is None else as_int(size, "size", minimum=0)
    if x.ndim == 1:
        found = unsorted_segment_sum(counted, x, count)
    else:  # each row counts in segments of its own
        rows, inside = x.shape[0], logical_and(greater_equal(x, 0), less(x, count))
        places = add(x, reshape(multiply(arange(rows, dtype=x.dtype), count), (-1, 1)))
        found = reshape(unsorted_segment_sum(counted, where(inside, places, -1), rows * count), (rows, count))
    return minimum(found, 1) if binary_output else found


def _integers(x: TensorLike, name: str, ranks: tuple[int, ...]) -> Tensor:
    tensor = to_tensor(x)
    if tensor.dtype not in INTEGER:
        raise DTypeError(f"{name}: x has dtype {tensor.dtype}.", expected="integers.", fix="use x.cast('int32').")
    if tensor.ndim not in ranks:
        axes = " or ".join(map(str, ranks))
        raise ShapeError(f"{name}: x is {tensor.shape}.", expected=f"{axes} axes.")
    return tensor


def _weights(x: Tensor, weights: TensorLike, binary: bool) -> Tensor:
    ones = cast(ones_like(x), "int32")
    if weights is None:
        return ones
    found = to_tensor(weights)
    if found.dtype not in NUMERIC:
        raise DTypeError(f"bincount: weights has dtype {found.dtype}.", expected="a numeric dtype.")
    if found.size == 0 and x.size:
        return cast(ones, found.dtype)
    if found.shape != x.shape:
        raise ShapeError(f"bincount: x is {x.shape} and weights is {found.shape}.", expected="equal shapes.")
    return cast(ones, found.dtype) if binary else found


def confusion_matrix(labels: TensorLike, predictions: TensorLike, num_classes: int) -> Tensor:
    """How often each class was taken for each: y[i, j] counts the predictions j where the label is i, as int32.

    ``labels`` and ``predictions`` are class numbers along one axis. As TensorFlow. Raises ShapeError if their lengths
    differ or they have other axes, ArgumentError if there are no classes.

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], 2).tolist()
    [[1, 0], [1, 1]]
    """
    labels, predictions = to_tensor(labels), to_tensor(predictions)
    for name, tensor in (("labels", labels), ("predictions", predictions)):
        if tensor.ndim != 1:
            raise ShapeError(f"confusion_matrix: {name} is {tensor.shape}.", expected="one axis.")
    if labels.shape != predictions.shape:
        raise ShapeError(
            f"confusion_matrix: labels is {labels.shape} and predictions is {predictions.shape}.",
            expected="equal lengths.",
        )
    classes = as_int(num_classes, "num_classes")
    if classes < 1:
        raise ArgumentError(f"confusion_matrix: num_classes is {classes}.", expected="at least 1.")
    rows, columns = (one_hot(cast(t, "int32"), classes, dtype="int32") for t in (labels, predictions))
    return matmul(rows, columns, transpose_a=True)
