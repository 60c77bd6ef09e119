"""Ops that cut out a part: slices by begin and size, by begin, end and strides, and by a mask."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.ops.indexing import getitem
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_entries, as_int

_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def slice(x: TensorLike, begin: Any, size: Any = None) -> Tensor:
    """The elements of x from ``begin`` on, ``size`` of them, along each axis. As TensorFlow; ``x[...]`` does more.

    ``begin`` and ``size`` are an int for the first axis, or an int for each of the first axes; a size of -1, or none,
    takes the rest of an axis, and further axes are whole. Raises ArgumentError for a negative begin, OutOfRangeError
    if a slice reaches beyond its axis.

    Raises ShapeError for more numbers than x has axes.

    >>> slice([1, 2, 3, 4], 1, 2).tolist()
    [2, 3]
    >>> slice([[1, 2], [3, 4]], [0, 1]).tolist()
    [[2], [4]]
    """
    x = to_tensor(x)
    begins = _one_per_axis(begin, "begin", x, minimum=0, missing=0)
    sizes = _one_per_axis(-1 if size is None else size, "size", x, minimum=-1, missing=-1)
    ends = [total if s == -1 else b + s for b, s, total in zip(begins, sizes, x.shape, strict=True)]
    for axis, (start, end, total) in enumerate(zip(begins, ends, x.shape, strict=True)):
        if not start <= end <= total:
            raise OutOfRangeError(
                f"slice: begin[{axis}] is {start} and size[{axis}] is {sizes[axis]}, but x is {x.shape}.",
                expected=f"begin + size to be at most {total} along axis {axis}.",
            )
    return getitem(x, tuple(builtins.slice(start, end) for start, end in zip(begins, ends, strict=True)))


def _one_per_axis(given: Any, name: str, x: Tensor, *, minimum: int, missing: int) -> list[int]:
    values = _integers(given, name, minimum=minimum)
    if len(values) > x.ndim and hasattr(given, "__len__"):
        raise ShapeError(f"slice: {name} is {given!r} and x is {x.shape}.", expected=f"at most {x.ndim} numbers.")
    return (values + [missing] * x.ndim)[: x.ndim]


def _integers(given: Any, name: str, *, minimum: int | None = None) -> list[int]:
    return [as_int(value, f"{name}[{i}]", minimum=minimum) for i, value in enumerate(as_entries(given, name))]


def strided_slice(
    x: TensorLike,
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int] | None = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Tensor:
    """``x[begin:end:strides]``, entry by entry, with TensorFlow's bit masks. ``x[...]`` does the same.

    Bit i of a mask is for entry i: begin_mask and end_mask leave out its begin or end, ellipsis_mask makes it ``...``,
    new_axis_mask ``None``, and shrink_axis_mask the integer ``begin[i]``; of several bits the first in this order
    counts. ``strides`` is 1 where it is left out. Raises ArgumentError for a stride of 0, ShapeError for lists of
    unequal length, OutOfRangeError for more entries than axes.

    >>> strided_slice([0, 1, 2, 3], [3], [0], [-2]).tolist()
    [3, 1]
    >>> strided_slice([[1, 2], [3, 4]], [0, 1], [0, 0], begin_mask=1, end_mask=1, shrink_axis_mask=2).tolist()
    [2, 4]
    """
    begins, ends = _integers(begin, "begin"), _integers(end, "end")
    steps = [1] * len(begins) if strides is None else _integers(strides, "strides")
    if not len(begins) == len(ends) == len(steps):
        raise ShapeError(
            f"strided_slice: begin has {len(begins)} entries, end {len(ends)} and strides {len(steps)}.",
            expected="lists of equal length.",
        )
    given = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    masks = dict(zip(_MASKS, (as_int(m, n, minimum=0) for n, m in zip(_MASKS, given, strict=True)), strict=True))
    key = [_entry(i, *entry, masks) for i, entry in enumerate(zip(begins, ends, steps, strict=True))]
    return getitem(x, tuple(key))


def _entry(i: int, begin: int, end: int, step: int, masks: dict[str, int]) -> Any:
    """Entry i as what ``x[...]`` takes."""
    begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask = (bool(m >> i & 1) for m in masks.values())
    if ellipsis_mask:
        return ...
    if new_axis_mask:
        return None
    if step == 0 or (shrink_axis_mask and step < 0):
        wanted = "a positive stride for a single element." if step else "a stride that is not 0."
        raise ArgumentError(f"strided_slice: strides[{i}] is {step}.", expected=wanted)
    if shrink_axis_mask:
        return begin
    return builtins.slice(None if begin_mask else begin, None if end_mask else end, step)


def boolean_mask(x: TensorLike, mask: TensorLike, axis: int = 0) -> Tensor:
    """The slices of x along an axis where a mask is true; a mask with several axes spans as many of x. As TensorFlow.

    The masked axes become one. Raises DTypeError if the mask is not bool, ShapeError if it has not the shape of the
    axes from ``axis`` on. The result's shape depends on values: a step that uses it is not replayed.

    >>> boolean_mask([[1, 2], [3, 4], [5, 6]], [True, False, True]).tolist()
    [[1, 2], [5, 6]]
    """
    x, mask = to_tensor(x), to_tensor(mask)
    if mask.dtype != "bool":
        raise DTypeError(f"boolean_mask: mask has dtype {mask.dtype}.", expected="bool.", fix="mask.cast('bool')")
    start = as_int(axis, "axis")
    start = start + x.ndim if start < 0 else start
    masked = x.shape[start : start + mask.ndim] if start >= 0 else None
    if not mask.ndim or masked != mask.shape:
        raise ShapeError(
            f"boolean_mask(x, mask, axis={axis}): x is {x.shape} and mask is {mask.shape}.",
            expected="mask to have the shape of the axes of x from axis on, at least one.",
        )
    return getitem(x, (*(builtins.slice(None),) * start, mask))
