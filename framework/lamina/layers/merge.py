"""Layers that bring several inputs together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.errors import ArgumentTypeError, ShapeError
from lamina.layers.layer import Layer
from lamina.layers.probing import Output
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class Merge(Layer):
    """Base of layers that take a list of tensors."""

    supports_masking = True

    def check_input(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise ArgumentTypeError(
                f"{type(self).__name__} was called on one tensor.", expected="a list of at least two tensors."
            )

    def compute_output_spec(self, inputs: Any) -> Any:
        """Also where one input knows a size that another does not: they will turn out equal."""
        return super().compute_output_spec(_filled(inputs, self._free_axis(inputs)))

    def _free_axis(self, inputs: Any) -> int | None:
        """The axis along which sizes may differ."""
        return None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """An element counts where it counts in every input that has a mask."""
        masks = [m for m in mask or () if m is not None]
        found = masks[0] if masks else None
        for other in masks[1:]:
            found = ops.logical_and(found, other)
        return found


class Add(Merge):
    """Sum of the inputs, element by element, broadcast; inputs of fewer axes get them after the batch.

    >>> Add()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[3.0]]
    """

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        ndim = max(map(len, input_shape))
        for sizes in zip(*((*s[:1], *(1,) * (ndim - len(s)), *s[1:]) for s in input_shape), strict=True):
            if len({size for size in sizes if size not in (None, 1)}) > 1:
                raise ShapeError(
                    f"{type(self).__name__} got inputs of shapes {', '.join(map(str, input_shape))}.",
                    expected="sizes that are equal, or 1, on each axis.",
                )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        ndim = max(x.ndim for x in inputs)
        aligned = [ops.reshape(x, (*x.shape[:1], *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in inputs]
        total = aligned[0]
        for x in aligned[1:]:
            total = ops.add(total, x)
        return total


class Concatenate(Merge):
    """The inputs one after the other along an axis; their other axes are equal.

    >>> Concatenate()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.0, 2.0]]
    """

    def __init__(self, axis: int = -1, **common: Any) -> None:
        super().__init__(**common)
        self.axis = as_int(axis, "axis")

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        ndim = len(input_shape[0])
        if not -ndim <= self.axis < ndim:
            raise ShapeError(
                f"Concatenate got inputs of shapes {', '.join(map(str, input_shape))}.",
                expected=f"an axis {self.axis}.",
            )
        axis = self.axis % ndim
        for shape in input_shape[1:]:
            pairs = zip(shape, input_shape[0], strict=False)
            clash = any(i != axis and None not in (a, b) and a != b for i, (a, b) in enumerate(pairs))
            if len(shape) != ndim or clash:
                raise ShapeError(
                    f"Concatenate got inputs of shapes {', '.join(map(str, input_shape))}.",
                    expected=f"equal shapes except along axis {axis}.",
                )

    def _free_axis(self, inputs: Any) -> int | None:
        return self.axis % len(inputs[0].shape)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return ops.concatenate(inputs, self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not mask or all(m is None for m in mask):
            return None
        if self.axis % inputs[0].ndim != 1:
            return super().compute_mask(inputs, mask)
        full = [ops.ones(x.shape[:2], "bool") if m is None else m for x, m in zip(inputs, mask, strict=True)]
        return ops.concatenate(full, 1)


def _filled(inputs: Any, free_axis: int | None) -> list[Output]:
    """The inputs with unknown sizes replaced by known ones of the same axis, if they have equally many axes.

    Without a free axis the layer broadcasts, and a size of 1 tells nothing of the others.
    """
    shapes = [x.shape for x in inputs]
    if len({len(shape) for shape in shapes}) == 1:
        least = 2 if free_axis is None else 0
        axes = zip(*shapes, strict=True)
        known = [max((s for s in sizes if s is not None and s >= least), default=None) for sizes in axes]
        if free_axis is not None:
            known[free_axis] = None
        shapes = [tuple(k if s is None else s for s, k in zip(shape, known, strict=True)) for shape in shapes]
    return [Output(shape, x.dtype) for shape, x in zip(shapes, inputs, strict=True)]
