"""Axes that a layer is set to work along: one or several, counted from either end."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.layers.checks import check_one
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_entries, as_int


def as_axes(axis: Any, name: str = "axis") -> int | list[int]:
    """One axis as an int, several as a list; refuses none and what is no integer."""
    if hasattr(axis, "__index__"):
        return as_int(axis, name)
    axes = [as_int(a, name) for a in as_entries(axis, name)]
    if not axes:
        raise ArgumentError(f"{name} is empty.", expected="an axis or several.")
    return axes


def found_axes(layer: Any, axis: Any, input_shape: Any) -> tuple[int, ...]:
    """The axes counted from the front and sorted; refuses those that an input does not have, or twice the same."""
    check_one(layer, input_shape)
    axes, ndim = as_entries(axis, "axis"), len(input_shape)
    if any(not -ndim <= a < ndim for a in axes):
        raise ShapeError(f"{type(layer).__name__} got an input of shape {input_shape}.", expected=f"an axis {axis}.")
    found = sorted({a % ndim for a in axes})
    if len(found) != len(axes):
        raise ArgumentError(f"axis is {axis} for an input of shape {input_shape}.", expected="each axis at most once.")
    return tuple(found)


def check_sizes(layer: Any, input_shape: Any, axes: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Refuses an input whose sizes along ``axes`` are not those that the layer was built for."""
    if any(input_shape[axis] not in (None, size) for axis, size in zip(axes, sizes, strict=True)):
        known = dict(zip(axes, sizes, strict=True))
        wanted = " and ".join(f"axis {a} to be {s}" for a, s in known.items())
        built_for = tuple(known.get(axis) for axis in range(len(input_shape)))
        raise ShapeError(
            f"{type(layer).__name__} got an input of shape {input_shape}.",
            expected=f"{wanted}, as in the {built_for} it was built for.",
        )


def along(weight: Any, axes: tuple[int, ...], x: Tensor) -> Any:
    """A weight for the sorted ``axes`` of x in a shape that broadcasts against x."""
    if axes == tuple(range(x.ndim - len(axes), x.ndim)):
        return weight
    return ops.reshape(weight, tuple(x.shape[a] if a in axes else 1 for a in range(x.ndim)))
