"""Ops that arrange elements: reshape, transpose, join, split, pad, repeat."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from lamina.dtypes import ALL, ARITHMETIC, COMPLEX
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.ops.elementwise import conjugate as _conjugate
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import Op, TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import (
    Spec,
    as_entries,
    as_int,
    as_pairs,
    as_shape,
    broadcast_shapes,
    normalize_axes,
    normalize_axis,
    resolve_reshape,
)


@op(result=lambda x, shape: Spec(shape, x.dtype), dtypes=ALL, effect="view")
def reshape(x: TensorLike, shape: Any) -> Tensor:
    """The same elements in row-major order in another shape; one size may be -1. As NumPy.

    Raises ShapeError if the number of elements differs.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """


@reshape.settings
def _(x: Tensor, shape: Any) -> dict[str, Any]:
    """Raises ShapeError if the number of elements would change, ArgumentTypeError for sizes that are no integers."""
    return {"shape": resolve_reshape(x.shape, shape)}


@reshape.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return reshape(dy, x.shape)


def reshape_as(x: TensorLike, like: TensorLike) -> Tensor:
    """The elements of x in the shape of another tensor.

    Raises ShapeError if the numbers of elements differ.

    >>> reshape_as([1, 2, 3, 4], [[0, 0], [0, 0]]).tolist()
    [[1, 2], [3, 4]]
    """
    return reshape(x, to_tensor(like).shape)


def ensure_shape(x: TensorLike, shape: Any) -> Tensor:
    """x as it is, if its shape is the given one; None stands for any size. As TensorFlow.

    Raises ShapeError if x has another shape.

    >>> ensure_shape([[1, 2], [3, 4]], (None, 2)).shape
    (2, 2)
    """
    found = to_tensor(x)
    wanted = tuple(None if s is None else as_int(s, f"shape[{i}]") for i, s in enumerate(as_entries(shape, "shape")))
    if len(wanted) != found.ndim or any(w not in (None, s) for w, s in zip(wanted, found.shape, strict=True)):
        raise ShapeError(f"ensure_shape(x, {wanted}): x is {found.shape}.", expected=f"the shape {wanted}.")
    return found


def flatten(x: TensorLike) -> Tensor:
    """All elements in one axis.

    >>> flatten([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return reshape(x, -1)


def transpose(x: TensorLike, axes: Any = None, conjugate: bool = False) -> Tensor:
    """The axes in another order: axis i of the result is axis ``axes[i]`` of x; None reverses them. As NumPy.

    ``conjugate`` takes the complex conjugate as well. Raises ArgumentError unless ``axes`` names each axis once,
    OutOfRangeError for one that x does not have.

    >>> transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    y = permute(x, axes)
    return _conjugate(y) if conjugate else y


def _permute(x: TensorLike, axes: Any = None) -> Tensor:
    """The axes in another order; what ``transpose`` is made of.

    >>> permute([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """


_permute.__name__ = "transpose"  # the method of arrays that executables call by the op's name
permute: Op[..., Tensor] = op(
    result=lambda x, axes: Spec(tuple(x.shape[a] for a in axes), x.dtype), dtypes=ALL, effect="view", public=False
)(_permute)


@permute.settings
def _(x: Tensor, axes: Any) -> dict[str, Any]:
    """Raises ArgumentError if the axes are not each axis of x once, OutOfRangeError for one that x does not have."""
    if axes is None:
        return {"axes": tuple(range(x.ndim))[::-1]}
    order = tuple(normalize_axis(a, x.ndim, f"axes[{i}]") for i, a in enumerate(as_entries(axes, "axes")))
    if sorted(order) != list(range(x.ndim)):
        raise ArgumentError(f"transpose: axes is {axes!r}.", expected=f"each of the {x.ndim} axes of x once.")
    return {"axes": order}


@permute.gradient
def _(dy: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    return permute(dy, tuple(axes.index(i) for i in range(len(axes))))


def expand_dims(x: TensorLike, axis: int = 0) -> Tensor:
    """A new axis of size 1 at a position. As NumPy.

    Raises OutOfRangeError for an axis that the result does not have.

    >>> expand_dims([1, 2], -1).tolist()
    [[1], [2]]
    """
    x = to_tensor(x)
    place = normalize_axis(axis, x.ndim + 1)
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """The axes of size 1 gone: all of them, or those given. As NumPy. Raises ShapeError if a given one is not 1.

    >>> squeeze([[[1, 2]]]).tolist()
    [1, 2]
    """
    x = to_tensor(x)
    gone = [i for i, s in enumerate(x.shape) if s == 1] if axis is None else normalize_axes(axis, x.ndim)
    for i in gone:
        if x.shape[i] != 1:
            raise ShapeError(f"squeeze(x, axis={axis}): x is {x.shape}.", expected=f"axis {i} of x to have size 1.")
    return reshape(x, tuple(s for i, s in enumerate(x.shape) if i not in gone))


@op(result=lambda x, shape: Spec(shape, x.dtype), dtypes=ALL, effect="view")
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """x repeated along new axes and axes of size 1 up to a shape. As NumPy.

    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """


@broadcast_to.settings
def _(x: Tensor, shape: Any) -> dict[str, Any]:
    """Raises ShapeError if x does not broadcast to the shape."""
    target = as_shape(shape)
    if broadcast_shapes("broadcast_to", ("x", "shape"), (x.shape, target)) != target:
        raise ShapeError(
            f"broadcast_to(x, {target}): x is {x.shape}.", expected="sizes of x to be 1 where they differ."
        )
    return {"shape": target}


@broadcast_to.gradient
def _(dy: Tensor) -> Tensor:
    return dy


def _joined(*tensors: Any, axis: int) -> Spec:
    first = tensors[0]
    for i, t in enumerate(tensors):
        if t.ndim != first.ndim or any(
            a != b for j, (a, b) in enumerate(zip(t.shape, first.shape, strict=True)) if j != axis
        ):
            raise ShapeError(
                f"concatenate: tensors[{i}] is {t.shape} and tensors[0] is {first.shape}.",
                expected=f"equal shapes except along axis {axis}.",
            )
    total = sum(t.shape[axis] for t in tensors)
    return Spec((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


@op(result=_joined, dtypes=ALL, public=False)
def concat(*tensors: TensorLike, axis: int = 0) -> Tensor:
    """The tensors one after the other along an axis: ``concatenate`` with the tensors as arguments of their own.

    >>> concat([1], [2, 3]).tolist()
    [1, 2, 3]
    """


@concat.settings
def _(*tensors: Tensor, axis: Any) -> dict[str, Any]:
    return {"axis": normalize_axis(axis, tensors[0].ndim)}


@concat.gradient("tensors")
def _(dy: Tensor, *, tensors: tuple[Tensor, ...], axis: int) -> tuple[Tensor, ...]:
    return split(dy, [t.shape[axis] for t in tensors], axis)


def concatenate(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The tensors of a list one after the other along an axis. As NumPy.

    Raises ShapeError if they differ along another axis, ArgumentError if there is none.

    >>> concatenate([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    return concat(*_some(tensors, "concatenate"), axis=axis)


def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis. As NumPy.

    Raises ShapeError if shapes differ, ArgumentError for no tensors.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return concatenate([expand_dims(t, axis) for t in _some(tensors, "stack")], axis)


def unstack(x: TensorLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of x along an axis, without that axis; the reverse of ``stack``.

    >>> [t.tolist() for t in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = to_tensor(x)
    place = normalize_axis(axis, x.ndim)
    return tuple(squeeze(part, place) for part in split(x, x.shape[place], place)) if x.shape[place] else ()


def _parts(x: Any, sizes: tuple[int, ...], axis: int) -> tuple[Spec, ...]:
    return tuple(Spec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes)


@op(result=_parts, dtypes=ALL, effect="view", outputs=())
def split(x: TensorLike, sizes: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """x cut along an axis: into an int number of equal parts, or into parts of the given sizes (one may be -1).

    Raises ShapeError if the sizes do not add up. As TensorFlow.

    >>> [t.tolist() for t in split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """


@split.settings
def _(x: Tensor, sizes: Any, axis: Any) -> dict[str, Any]:
    """Raises ShapeError if the sizes do not add up to that of the axis, ArgumentError for no parts, or no such axis."""
    place = normalize_axis(axis, x.ndim)
    total = x.shape[place]
    if hasattr(sizes, "__index__"):
        count = as_int(sizes, "sizes", minimum=1)
        sizes = [total // count] * count
    sizes = [as_int(s, f"sizes[{i}]", minimum=-1) for i, s in enumerate(as_entries(sizes, "sizes"))]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = total - sum(s for s in sizes if s != -1)
    if sum(sizes) != total or min(sizes, default=0) < 0:
        raise ShapeError(f"split: x has size {total} along axis {place}.", expected=f"sizes that add up to {total}.")
    return {"sizes": tuple(sizes), "axis": place}


@split.gradient
def _(dys: Any, *, axis: int) -> Tensor:
    return concat(*(dys if isinstance(dys, tuple) else (dys,)), axis=axis)


def _padded(x: Any, paddings: tuple[tuple[int, int], ...], constant_value: float) -> Spec:
    return Spec(tuple(b + s + a for s, (b, a) in zip(x.shape, paddings, strict=True)), x.dtype)


@op(result=_padded, dtypes=ARITHMETIC)
def pad(x: TensorLike, paddings: Any, constant_value: float = 0) -> Tensor:
    """x with elements of a constant value before and after each axis: paddings is a list of (before, after). As NumPy.

    >>> pad([1, 2], [(1, 0)]).tolist()
    [0, 1, 2]
    """


@pad.settings
def _(x: Tensor, paddings: Any, constant_value: Any) -> dict[str, Any]:
    """Raises ShapeError if there is not one pair for each axis, ArgumentError for negative ones."""
    if not isinstance(constant_value, numbers.Number):
        raise ArgumentTypeError(f"pad: constant_value is {constant_value!r}.", expected="a number.")
    if isinstance(constant_value, complex) and x.dtype not in COMPLEX:
        raise DTypeError(f"pad: constant_value is {constant_value!r} and x is {x.dtype}.", expected="a real number.")
    return {"paddings": as_pairs(paddings, "paddings", x.ndim), "constant_value": constant_value}


@pad.gradient
def _(dy: Tensor, *, x: Tensor, paddings: tuple[tuple[int, int], ...]) -> Tensor:
    from lamina.ops.indexing import getitem

    return getitem(dy, tuple(slice(b, b + s) for s, (b, _) in zip(x.shape, paddings, strict=True)))


@op(result=lambda x, axis: Spec(x.shape, x.dtype), dtypes=ALL)
def flip(x: TensorLike, axis: Any = None) -> Tensor:
    """The elements in reverse order along axes (None: all of them). As NumPy.

    >>> flip([1, 2, 3]).tolist()
    [3, 2, 1]
    """


@flip.settings
def _(x: Tensor, axis: Any) -> dict[str, Any]:
    """Raises OutOfRangeError for an axis that x does not have."""
    return {"axis": normalize_axes(axis, x.ndim)}


@flip.gradient
def _(dy: Tensor, *, axis: tuple[int, ...]) -> Tensor:
    return flip(dy, axis)


@composite_op(
    result=lambda x, reps: Spec(tuple(s * r for s, r in zip(x.shape, reps, strict=True)), x.dtype), dtypes=ALL
)
def tile(x: TensorLike, reps: Any) -> Tensor:
    """x repeated as a whole: reps[i] times along axis i. As NumPy, with one number for each axis.

    >>> tile([1, 2], [2]).tolist()
    [1, 2, 1, 2]
    """
    spread = tuple(size for s, r in zip(x.shape, reps, strict=True) for size in (r, s))
    single = tuple(size for s in x.shape for size in (1, s))
    return reshape(broadcast_to(reshape(x, single), spread), tuple(s * r for s, r in zip(x.shape, reps, strict=True)))


@tile.settings
def _(x: Tensor, reps: Any) -> dict[str, Any]:
    """Raises ShapeError if there is not one number for each axis."""
    counts = as_shape(reps, "reps")
    if len(counts) != x.ndim:
        raise ShapeError(f"tile: x has {x.ndim} axes and reps is {counts}.", expected="one number for each axis.")
    return {"reps": counts}


def _some(tensors: Sequence[TensorLike], name: str) -> list[Any]:
    try:
        found = list(tensors)
    except TypeError as error:
        raise ArgumentTypeError(f"{name} of {tensors!r}.", expected="a list of tensors.") from error
    if not found:
        raise ArgumentError(f"{name} of no tensors.", expected="at least one.")
    return found
