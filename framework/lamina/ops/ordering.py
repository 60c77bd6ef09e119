"""Ops about order: sorting, the largest elements, places in sorted sequences, what occurs once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lamina.dtypes import ALL, REAL
from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.ops.elementwise import cast, equal
from lamina.ops.indexing import basic_index, gather
from lamina.ops.reduction import any as _any
from lamina.ops.shaping import expand_dims, reshape, transpose
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, host_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, normalize_axis


class TopK(NamedTuple):
    """What ``top_k`` gives."""

    values: Tensor
    indices: Tensor


class Unique(NamedTuple):
    """What ``unique`` gives: each slice once, and for every slice the place of its like among them."""

    values: Tensor
    indices: Tensor


class Remaining(NamedTuple):
    """What ``setdiff1d`` gives: the elements that remain, and their places."""

    values: Tensor
    indices: Tensor


@op(result=lambda x, axis, descending: Spec(x.shape, "int32"), dtypes=REAL)
def argsort(x: TensorLike, axis: int = -1, descending: bool = False) -> Tensor:
    """The positions that sort x along an axis, as int32; equal elements keep their order. NaN counts as largest.

    As ``numpy.argsort`` with ``stable=True``. Raises OutOfRangeError if there is no such axis.

    >>> argsort([3.0, 1.0, 2.0]).tolist(), argsort([1.0, 2.0, 2.0], descending=True).tolist()
    ([1, 2, 0], [1, 2, 0])
    """


@argsort.settings
def _(x: Tensor, axis: Any, descending: Any) -> dict[str, Any]:
    return {"axis": normalize_axis(axis, x.ndim), "descending": bool(descending)}


def top_k(x: TensorLike, k: int = 1, sorted: bool = True) -> TopK:
    """The k largest elements along the last axis, and their positions as int32, from the largest down.

    Of equal elements the one with the lower index comes first. ``sorted`` False allows any order; they are sorted all
    the same. As TensorFlow. Raises ShapeError for a scalar, ArgumentError if k is not between 0 and the axis's size.

    >>> found = top_k([1.0, 3.0, 2.0], k=2)
    >>> found.values.tolist(), found.indices.tolist()
    ([3.0, 2.0], [1, 2])
    """
    x = to_tensor(x)
    if not x.ndim:
        raise ShapeError("top_k(x): x is a scalar.", expected="x to have at least one axis.")
    count = as_int(k, "k", minimum=0)
    if count > x.shape[-1]:
        raise ArgumentError(f"top_k(x): k is {count} and x is {x.shape}.", expected=f"k to be at most {x.shape[-1]}.")
    order = argsort(x, -1, descending=True)
    indices = basic_index(order, (*((0, size, 1) for size in x.shape[:-1]), (0, count, 1)))
    return TopK(gather(x, indices, axis=-1, batch_dims=x.ndim - 1), indices)


def in_top_k(predictions: TensorLike, targets: TensorLike, k: int = 1) -> Tensor:
    """Whether each target is among the k largest predictions along the last axis, as bool.

    ``targets`` are integers in the shape of ``predictions`` without the last axis. As TensorFlow. Raises ShapeError if
    the shapes do not fit, ArgumentError for a k outside the axis.

    >>> in_top_k([[0.1, 0.9, 0.3]], [2], k=2).tolist()
    [True]
    """
    predictions, targets = to_tensor(predictions), to_tensor(targets)
    if predictions.ndim < 2 or predictions.shape[:-1] != targets.shape:
        raise ShapeError(
            f"in_top_k: predictions is {predictions.shape} and targets is {targets.shape}.",
            expected="at least two axes, and targets to have the shape of predictions without the last.",
        )
    as_int(k, "k", minimum=1)
    best = top_k(predictions, k).indices
    return _any(equal(best, cast(expand_dims(targets, -1), "int32")), axis=-1)


def _found(sorted_sequence: Any, values: Any, side: str) -> Spec:
    if not sorted_sequence.ndim or sorted_sequence.shape[:-1] != values.shape[:-1] or not values.ndim:
        raise ShapeError(
            f"searchsorted: sorted_sequence is {sorted_sequence.shape} and values is {values.shape}.",
            expected="at least one axis, and all but the last to be equal.",
        )
    return Spec(values.shape, "int32")


@op(result=_found, dtypes=REAL[1:])
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values would be put into an ascending sequence so that it stays ascending, as int32.

    ``side`` says whether before ('left') or after ('right') equal elements. Both may have further axes in front, which
    go together. As ``numpy.searchsorted`` for one axis. Raises ShapeError if these axes differ.

    Raises ArgumentError for another side.

    >>> searchsorted([1.0, 2.0, 2.0, 3.0], [2.0, 5.0]).tolist()
    [1, 4]
    """


@searchsorted.settings
def _(sorted_sequence: Tensor, values: Tensor, side: Any) -> dict[str, Any]:
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side is {side!r}.", expected="'left' or 'right'.")
    return {"side": side}


def lower_bound(sorted_sequence: TensorLike, values: TensorLike) -> Tensor:
    """Where values would be put before equal elements: ``searchsorted`` on the left.

    >>> lower_bound([1.0, 2.0, 2.0], [2.0]).tolist()
    [1]
    """
    return searchsorted(sorted_sequence, values, "left")


def upper_bound(sorted_sequence: TensorLike, values: TensorLike) -> Tensor:
    """Where values would be put after equal elements: ``searchsorted`` on the right.

    >>> upper_bound([1.0, 2.0, 2.0], [2.0]).tolist()
    [3]
    """
    return searchsorted(sorted_sequence, values, "right")


@host_op(
    result=lambda x: (Spec((0,), "int32"), Spec((x.shape[0],), "int32")),
    dtypes=ALL,
    outputs=("first", "inverse"),
    public=False,
)
def first_occurrences(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The place of each different row's first occurrence, in order, and for every row the place of its like.

    >>> [t.tolist() for t in first_occurrences([[3], [1], [3]])]
    [[0, 1], [0, 1, 0]]
    """
    rows: Any = x
    seen: dict[Any, int] = {}
    first: list[int] = []
    inverse = np.empty(len(rows), np.int32)
    for place, row in enumerate(rows):
        key = tuple(None if v != v else v for v in row.tolist())  # NaN is like NaN
        if key not in seen:
            seen[key] = len(first)
            first.append(place)
        inverse[place] = seen[key]
    return np.array(first, np.int32), inverse  # type: ignore[return-value]


def unique(x: TensorLike, axis: int | None = 0) -> Unique:
    """The different slices of x along an axis in the order of their first occurrence, and each slice's place there.

    None stands for 0. As TensorFlow, where ``numpy.unique`` sorts. The shape depends on values: a step that uses it is
    not replayed. Raises OutOfRangeError if there is no such axis.

    >>> found = unique([3, 1, 3, 2])
    >>> found.values.tolist(), found.indices.tolist()
    ([3, 1, 2], [0, 1, 0, 2])
    """
    x = to_tensor(x)
    place = normalize_axis(0 if axis is None else axis, x.ndim)
    order = (place, *(a for a in range(x.ndim) if a != place))
    rows = reshape(transpose(x, order), (x.shape[place], x.size // max(1, x.shape[place])))
    first, inverse = first_occurrences(rows)
    return Unique(gather(x, first, axis=place), inverse)


@host_op(result=lambda x, y: Spec((0,), "int32"), dtypes=ALL, outputs=("places",), public=False)
def places_without(x: TensorLike, y: TensorLike) -> Tensor:
    """The places of the elements of x that y has not, as int32.

    >>> places_without([1, 2, 3], [2]).tolist()
    [0, 2]
    """
    given, taken = np.asarray(x), set(np.asarray(y).tolist())
    return np.array([i for i, v in enumerate(given.tolist()) if v not in taken], np.int32)  # type: ignore[return-value]


def setdiff1d(x: TensorLike, y: TensorLike) -> Remaining:
    """The elements of x that y has not, in their order and as often as they occur, and their places as int32.

    As TensorFlow, where ``numpy.setdiff1d`` sorts. The shape depends on values: a step that uses it is not replayed.
    Raises ShapeError if x or y has not one axis, DTypeError if their dtypes differ.

    >>> found = setdiff1d([1, 2, 3, 2, 4], [2])
    >>> found.values.tolist(), found.indices.tolist()
    ([1, 3, 4], [0, 2, 4])
    """
    x, y = to_tensor(x), to_tensor(y)
    for name, tensor in (("x", x), ("y", y)):
        if tensor.ndim != 1:
            raise ShapeError(f"setdiff1d: {name} is {tensor.shape}.", expected="one axis.")
    if x.dtype != y.dtype:
        raise DTypeError(f"setdiff1d: x has dtype {x.dtype} and y {y.dtype}.", expected="one dtype.")
    places = places_without(x, y)
    return Remaining(gather(x, places), places)
