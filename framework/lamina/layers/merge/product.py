"""Products of two inputs, example by example."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import flag
from lamina.layers.merge.base import Merge, described
from lamina.layers.normalization.unit import to_length_one
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class Dot(Merge):
    """Product of two inputs, example by example, summed over one axis of each: y = sum over k of a[.., k] * b[k, ..].

    ``axes`` is one axis for both, or a pair; 0 is the batch and cannot be summed. The result has the other axes of a,
    then those of b, and at least two. ``normalize`` scales both to length 1 along their axes first, which makes the
    product of two vectors the cosine of their angle.

    Raises ArgumentTypeError unless called on a list of two tensors, ShapeError if the sizes of the axes differ or
    there is no such axis.

    >>> Dot(1)([ops.tensor([[1.0, 2.0]]), ops.tensor([[3.0, 4.0]])]).tolist()
    [[11.0]]
    """

    count: ClassVar[int] = 2

    def __init__(self, axes: Any, normalize: bool = False, **common: Any) -> None:
        super().__init__(**common)
        self.axes: int | tuple[int, int] = _as_axes(axes)
        self.normalize: bool = flag(normalize, "normalize")

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        a, b = input_shape
        i, j = self._of_both(input_shape)
        if None not in (a[i], b[j]) and a[i] != b[j]:
            raise ShapeError(
                f"Dot(axes={self.axes}) got inputs of shapes {described(input_shape)}.",
                expected=f"equal sizes on axis {i} of the first ({a[i]}) and axis {j} of the second ({b[j]}).",
            )
        if None not in (a[0], b[0]) and a[0] != b[0]:
            raise ShapeError(f"Dot got inputs of shapes {described(input_shape)}.", expected="batches of one size.")

    def _of_both(self, shapes: Any) -> tuple[int, int]:
        """The axis of each input, counted from the front."""
        given = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        found = []
        for axis, shape in zip(given, shapes, strict=True):
            at = axis + len(shape) if axis < 0 else axis
            if not 0 < at < len(shape):
                raise ShapeError(
                    f"Dot(axes={self.axes}) got inputs of shapes {described(shapes)}.",
                    expected=f"an axis {axis} beside the batch.",
                )
            found.append(at)
        return found[0], found[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.check_input(list(map(tuple, input_shape)))
        i, j = self._of_both(input_shape)
        rest = [
            [s for at, s in enumerate(shape) if at not in (0, k)] for shape, k in zip(input_shape, (i, j), strict=True)
        ]
        batch = input_shape[0][0] if input_shape[0][0] is not None else input_shape[1][0]
        return (batch, *rest[0], *rest[1]) if rest[0] or rest[1] else (batch, 1)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        axes = self._of_both([x.shape for x in inputs])
        if self.normalize:
            inputs = [to_length_one(x, axis) for x, axis in zip(inputs, axes, strict=True)]
        a, b = (_as_matrices(x, axis) for x, axis in zip(inputs, axes, strict=True))
        product = ops.matmul(a, b, transpose_a=axes[0] == 1, transpose_b=axes[1] != 1)
        return ops.reshape(product, self.compute_output_shape([x.shape for x in inputs]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def _as_axes(axes: Any) -> int | tuple[int, int]:
    if hasattr(axes, "__index__"):
        return as_int(axes, "axes")
    if isinstance(axes, str) or not isinstance(axes, Sequence):
        raise ArgumentTypeError(f"axes is {axes!r}.", expected="an integer, or a pair of integers.")
    if len(axes) != 2:
        raise ArgumentError(f"axes is {axes!r}.", expected="an integer, or a pair of integers.")
    return as_int(axes[0], "axes[0]"), as_int(axes[1], "axes[1]")


def _as_matrices(x: Tensor, axis: int) -> Tensor:
    """A matrix for each example: the axis first if it is the first after the batch, else last."""
    if axis == 1:
        return ops.reshape(x, (x.shape[0], x.shape[1], prod(x.shape[2:])))
    if axis != x.ndim - 1:
        x = ops.transpose(x, [*(a for a in range(x.ndim) if a != axis), axis])
    return ops.reshape(x, (x.shape[0], prod(x.shape[1:-1]), x.shape[-1]))
