"""Ops that pick elements: NumPy indexing, gather and scatter, one-hot."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from lamina.dtypes import ALL, BOOL, INTEGER, NUMERIC, canonical_dtype
from lamina.errors import ArgumentError, ArgumentTypeError, OutOfRangeError, ShapeError
from lamina.ops.creation import arange
from lamina.ops.elementwise import add, cast, less, multiply, where
from lamina.ops.elementwise import equal as _equal
from lamina.ops.shaping import broadcast_to, expand_dims, reshape, stack, transpose
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, broadcast_shapes, normalize_axis

Key = tuple[Any, ...]
"""One canonical entry per axis of x, and None for each new axis: an int, or (start, stop, step)."""

_INDICES: Final = ("int32", "int64", "int16", "int8", "uint8")


def _sliced(x: Any, key: Key) -> Spec:
    sizes = (1 if k is None else len(range(*k)) for k in key if not isinstance(k, int))
    return Spec(tuple(sizes), x.dtype)


@op(result=_sliced, dtypes=ALL, effect="view", public=False)
def basic_index(x: TensorLike, key: Any) -> Tensor:
    """x indexed by integers, slices and new axes; what ``x[...]`` is made of.

    >>> basic_index([1, 2, 3], ((0, 2, 1),)).tolist()
    [1, 2]
    """


@basic_index.gradient
def _(dy: Tensor, *, x: Tensor, key: Key) -> Tensor:
    return basic_index_gradient(dy, key, x.shape)


@op(result=lambda dy, key, shape: Spec(shape, dy.dtype), dtypes=NUMERIC, public=False)
def basic_index_gradient(dy: TensorLike, key: Any, shape: Any) -> Tensor:
    """Zeros of a shape, with dy at the elements that ``basic_index`` picks.

    >>> basic_index_gradient([5.0], ((0, 1, 1),), (3,)).tolist()
    [5.0, 0.0, 0.0]
    """


@basic_index_gradient.gradient
def _(dy: Tensor, *, key: Key) -> Tensor:
    return basic_index(dy, key)


def getitem(x: TensorLike, key: Any) -> Tensor:
    """``x[key]`` as in NumPy: integers, slices, ``...``, ``None``, integer arrays and boolean arrays, in any mixture.

    Raises OutOfRangeError for an index outside its axis, or for too many indices.

    Raises ShapeError for a mask of another shape, ArgumentError for a step of 0.

    >>> getitem([[1, 2], [3, 4]], (slice(None), 0)).tolist()
    [1, 3]
    """
    x = to_tensor(x)
    entries, masked = _without_masks(key if isinstance(key, tuple) else (key,))
    entries = _without_ellipsis(entries, x.ndim)
    basic: list[Any] = []
    arrays: dict[int, Tensor] = {}
    axis = 0
    for entry in entries:
        if isinstance(entry, Tensor):
            _check_mask(masked.get(entry.uid), x.shape[axis], axis)
            arrays[sum(not isinstance(b, int) for b in basic)] = entry
            basic.append((0, x.shape[axis], 1))
        else:
            basic.append(_canonical(entry, x.shape[axis] if entry is not None else 0, axis))
        axis += entry is not None
    if not all(b == (0, size, 1) for b, size in zip(basic, x.shape, strict=False)) or len(basic) != x.ndim:
        x = basic_index(x, tuple(basic))
    return _take(x, arrays, entries) if arrays else x


def _without_masks(entries: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[int, int]]:
    """Boolean arrays replaced by the integer arrays of their true positions, other arrays made tensors.

    Beside them, for the positions out of a boolean array, the size of the axis they are for.
    """
    found: list[Any] = []
    masked: dict[int, int] = {}
    for entry in entries:
        if isinstance(entry, (bool, np.bool_)):
            raise ArgumentTypeError("a single bool is no index.", fix="use an array of bool, or expand_dims.")
        if entry is None or entry is Ellipsis or isinstance(entry, slice) or _is_integer(entry):
            found.append(entry)
            continue
        tensor = to_tensor(entry)
        if tensor.dtype == "bool":
            positions = _positions(tensor)
            found.extend(positions)
            masked.update((p.uid, size) for p, size in zip(positions, tensor.shape, strict=True))
        elif tensor.dtype in INTEGER:
            found.append(tensor)
        else:
            raise ArgumentTypeError(f"an index has dtype {tensor.dtype}.", expected="integers or bool.")
    return tuple(found), masked


def _check_mask(masked: int | None, size: int, axis: int) -> None:
    if masked is not None and masked != size:
        raise ShapeError(
            f"a mask has {masked} elements for axis {axis} of size {size}.", expected="the shape of the masked axes."
        )


def _is_integer(entry: Any) -> bool:
    return hasattr(entry, "__index__") and not getattr(entry, "shape", ()) and not isinstance(entry, Tensor)


def _positions(mask: Tensor) -> list[Tensor]:
    where_true = argwhere(mask)
    return [basic_index(where_true, ((0, where_true.shape[0], 1), i)) for i in range(mask.ndim)]


def _without_ellipsis(entries: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    used = sum(entry is not None and entry is not Ellipsis for entry in entries)
    if used > ndim or sum(entry is Ellipsis for entry in entries) > 1:
        raise OutOfRangeError(
            f"{used} indices for a tensor with {ndim} axes.", expected=f"at most {ndim} indices and one '...'."
        )
    place = next((i for i, entry in enumerate(entries) if entry is Ellipsis), len(entries))
    return (*entries[:place], *(slice(None),) * (ndim - used), *entries[place + 1 :])


def _canonical(entry: Any, size: int, axis: int) -> Any:
    if entry is None:
        return None
    if isinstance(entry, slice):
        return _bounds(entry, size)
    index = as_int(entry, "index")
    if not -size <= index < size:
        raise OutOfRangeError(f"index {index} for axis {axis} of size {size}.", expected=f"{-size} to {size - 1}.")
    return index % size


def _bounds(entry: Any, size: int) -> tuple[int, int, int]:
    """The canonical start, stop and step of a slice of an axis."""
    try:
        start, stop, step = entry.indices(size)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{entry} is no slice of an axis: {error}.", expected="integers, and a step.") from error
    return start, stop, step


def _take(x: Tensor, arrays: dict[int, Tensor], entries: tuple[Any, ...]) -> Tensor:
    """Indexes several axes by integer arrays at once, by one gather over their flattened combination."""
    axes = sorted(arrays)
    shape = broadcast_shapes("x[...]", [f"index {a}" for a in axes], [arrays[a].shape for a in axes])
    places = [i for i, entry in enumerate(entries) if isinstance(entry, Tensor) or _is_integer(entry)]
    together = places == list(range(places[0], places[0] + len(places)))
    front = axes[0] if together else 0
    rest = [a for a in range(x.ndim) if a not in arrays]
    sizes = [x.shape[a] for a in axes]
    rows = reshape(transpose(x, (*axes, *rest)), (math.prod(sizes), *(x.shape[a] for a in rest)))
    flat: Tensor | None = None
    for axis, size in zip(axes, sizes, strict=True):
        index = cast(arrays[axis], "int64" if arrays[axis].dtype == "int64" else "int32")
        index = where(less(index, 0), add(index, size), index)
        flat = index if flat is None else add(multiply(flat, size), index)
    assert flat is not None
    taken = take(rows, flat, axis=0)
    order = list(range(len(shape), taken.ndim))
    order[front:front] = range(len(shape))
    return transpose(taken, order)


@op(
    result=lambda x, indices, axis: Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype),
    dtypes={"x": ALL, "indices": _INDICES},
    promote=False,
    public=False,
)
def take(x: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """``gather`` without batch axes.

    >>> take([1, 2, 3], [2, 2]).tolist()
    [3, 3]
    """


@take.settings
def _(x: Tensor, indices: Tensor, axis: Any) -> dict[str, Any]:
    return {"axis": normalize_axis(axis, x.ndim)}


@take.gradient("x")
def _(dy: Tensor, *, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    return scatter_add(dy, indices, axis, x.shape[axis])


def gather(x: TensorLike, indices: TensorLike, axis: int = 0, batch_dims: int = 0) -> Tensor:
    """The slices of x at integer positions along an axis: the axis is replaced by those of ``indices``.

    As ``numpy.take``: negative positions count from the end. The first ``batch_dims`` axes of both are walked together,
    as in TensorFlow: the positions of one entry of the batch pick from its own slices. Raises OutOfRangeError for a
    position outside the axis where the backend can tell without waiting for the device, ShapeError if the batch axes
    differ.

    Raises DTypeError unless indices are integers.

    >>> gather([[1, 2], [3, 4]], [1, 1, 0]).tolist()
    [[3, 4], [3, 4], [1, 2]]
    >>> gather([[1, 2], [3, 4]], [[1], [0]], axis=1, batch_dims=1).tolist()
    [[2], [3]]
    """
    x, indices = to_tensor(x), to_tensor(indices)
    place, batch = normalize_axis(axis, x.ndim), _batch_axes(x, indices, batch_dims)
    if not batch:
        return take(x, indices, place)
    if batch > place:
        raise OutOfRangeError(f"gather: batch_dims is {batch_dims} and axis is {axis}.", expected="batch_dims <= axis.")
    moved = transpose(x, (*range(batch), place, *range(batch, place), *range(place + 1, x.ndim)))
    rows = reshape(moved, (math.prod(moved.shape[: batch + 1]), *moved.shape[batch + 1 :]))
    taken = take(rows, _positions_in_batch(indices, batch, x.shape[place]), 0)
    before, after = indices.ndim, indices.ndim + place - batch
    order = (*range(batch), *range(before, after), *range(batch, before), *range(after, taken.ndim))
    return transpose(taken, order)


def _batch_axes(x: Tensor, indices: Tensor, batch_dims: Any) -> int:
    given = as_int(batch_dims, "batch_dims")
    batch = given + indices.ndim if given < 0 else given
    if not 0 <= batch <= indices.ndim or x.shape[:batch] != indices.shape[:batch]:
        raise ShapeError(
            f"gather(x, indices, batch_dims={batch_dims}): x is {x.shape} and indices is {indices.shape}.",
            expected="the first batch_dims axes of both to be equal.",
        )
    return batch


def _positions_in_batch(indices: Tensor, batch: int, size: int) -> Tensor:
    """The positions along an axis that the batch and an axis of the given size are joined to."""
    count = math.prod(indices.shape[:batch])
    wide = cast(indices, "int64" if indices.dtype == "int64" else "int32")
    entries = reshape(arange(count, dtype=wide.dtype), (*indices.shape[:batch], *(1,) * (indices.ndim - batch)))
    return flat_positions(stack([broadcast_to(entries, indices.shape), wide], axis=-1), (count, size))


def _flat(indices: Any, shape: tuple[int, ...]) -> Spec:
    count = math.prod(shape)
    if not indices.shape or indices.shape[-1] != len(shape):
        raise ShapeError(
            f"indices is {indices.shape}, to pick from axes of sizes {shape}.",
            expected=f"the last axis of indices to have size {len(shape)}.",
        )
    if not count and math.prod(indices.shape[:-1]):
        raise OutOfRangeError(f"indices is {indices.shape}, but there is nothing in axes of sizes {shape}.")
    return Spec(indices.shape[:-1], "int32" if count < 2**31 else "int64")


@op(result=_flat, dtypes=_INDICES, public=False)
def flat_positions(indices: TensorLike, shape: Any) -> Tensor:
    """Positions in a flattened tensor from coordinates in the last axis: ``numpy.ravel_multi_index``.

    Negative coordinates count from the end. Raises OutOfRangeError for a coordinate outside its axis where the backend
    can tell without waiting for the device.

    >>> flat_positions([[0, 1], [1, -1]], (2, 3)).tolist()
    [1, 5]
    """


@op(result=lambda positions, size: Spec((size,), "int32"), dtypes=_INDICES, public=False)
def last_writer(positions: TensorLike, size: int) -> Tensor:
    """For each place of an axis the number of the last position that names it, -1 if none does.

    ``positions`` has one axis and counts from the front.

    >>> last_writer([2, 0, 2], 4).tolist()
    [1, -1, 2, -1]
    """


def _scattered(updates: Any, indices: Any, axis: int, size: int) -> Spec:
    """Raises ShapeError if updates do not have the shape of indices along axis."""
    end = axis + indices.ndim
    if updates.shape[axis:end] != indices.shape:
        raise ShapeError(
            f"scatter_add: indices is {indices.shape} and updates is {updates.shape}.",
            expected=f"axes {axis} to {end - 1} of updates to have the shape of indices.",
        )
    return Spec((*updates.shape[:axis], size, *updates.shape[end:]), updates.dtype)


@op(result=_scattered, dtypes={"updates": NUMERIC, "indices": _INDICES}, promote=False)
def scatter_add(updates: TensorLike, indices: TensorLike, axis: int, size: int) -> Tensor:
    """Zeros with the slices of ``updates`` added at integer positions of an axis of the given size.

    The reverse of ``gather``; slices for one position add up.

    >>> scatter_add([1.0, 2.0, 3.0], [0, 2, 2], 0, 4).tolist()
    [1.0, 0.0, 5.0, 0.0]
    """


@scatter_add.settings
def _(updates: Tensor, indices: Tensor, axis: Any, size: Any) -> dict[str, Any]:
    axes = max(1, updates.ndim - indices.ndim + 1)  # those of the result
    return {"axis": normalize_axis(axis, axes), "size": as_int(size, "size", minimum=0)}


@scatter_add.gradient("updates")
def _(dy: Tensor, *, indices: Tensor, axis: int) -> Tensor:
    return take(dy, indices, axis)


@op(result=lambda x: Spec((0, x.ndim), "int32"), dtypes=BOOL, shape_from_values=True)
def argwhere(x: TensorLike) -> Tensor:
    """The positions of the true elements in row-major order, shape (count, axes of x), as int32. As NumPy.

    Its shape depends on values: a step that uses it is not replayed.

    >>> argwhere([False, True, True]).tolist()
    [[1], [2]]
    """


def one_hot(
    indices: TensorLike, depth: int, on_value: float = 1, off_value: float = 0, dtype: Any = "float32"
) -> Tensor:
    """A new last axis of size ``depth`` with on_value at each index and off_value elsewhere.

    Indices outside 0 to depth - 1 give a row of off_value.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    indices = to_tensor(indices)
    if indices.dtype not in INTEGER:
        raise ArgumentTypeError(f"one_hot: indices has dtype {indices.dtype}.", expected="an integer dtype.")
    positions = arange(as_int(depth, "depth", minimum=1), dtype=indices.dtype)
    hit = _equal(expand_dims(indices, -1), positions)
    if (on_value, off_value) == (1, 0):
        return cast(hit, canonical_dtype(dtype))
    return cast(where(hit, on_value, off_value), canonical_dtype(dtype))
