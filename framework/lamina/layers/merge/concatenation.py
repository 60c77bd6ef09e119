"""One input after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.merge.base import Aligned, described, either
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class Concatenate(Aligned):
    """The inputs one after the other along ``axis``; their other axes are equal.

    Inputs: a list of one tensor or more. Raises ArgumentTypeError for one tensor that is not in a list, ShapeError if
    the inputs have no such axis or differ along another one. An input without a mask counts everywhere.

    >>> Concatenate()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.0, 2.0]]
    """

    def __init__(self, axis: int = -1, **common: Any) -> None:
        super().__init__(**common)
        self.axis: int = as_int(axis, "axis")

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        ndim = len(input_shape[0])
        if not -ndim <= self.axis < ndim:
            raise ShapeError(
                f"Concatenate got inputs of shapes {described(input_shape)}.", expected=f"an axis {self.axis}."
            )
        axis = self.axis % ndim
        for shape in input_shape[1:]:
            pairs = zip(shape, input_shape[0], strict=False)
            clash = any(i != axis and None not in (a, b) and a != b for i, (a, b) in enumerate(pairs))
            if len(shape) != ndim or clash:
                raise ShapeError(
                    f"Concatenate got inputs of shapes {described(input_shape)}.",
                    expected=f"equal shapes except along axis {axis}.",
                )

    def _free_axis(self, inputs: Any) -> int | None:
        return self.axis % len(inputs[0].shape)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return ops.concatenate(inputs, self.axis) if len(inputs) > 1 else inputs[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        given = [m for m in mask or () if m is not None]
        if not given:
            return None
        axes = given[0].ndim
        full = [ops.ones(x.shape[:axes], "bool") if m is None else m for x, m in zip(inputs, mask, strict=True)]
        axis = self.axis % inputs[0].ndim
        return ops.concatenate(full, axis) if axis < axes else either(full)
