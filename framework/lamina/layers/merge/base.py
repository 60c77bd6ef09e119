"""The base of layers that take a list of tensors: how many, and what is known of their sizes together."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentTypeError
from lamina.layers.layer import Layer
from lamina.layers.probing import Output
from lamina.runtime.tensor import Tensor


class Merge(Layer):
    """Base of layers that take a list of tensors.

    The mask of the output: an element counts where it counts in any input, and all count if an input has no mask, as
    in Keras. (TensorFlow.js keeps those that count in every input.)
    """

    supports_masking = True
    count: ClassVar[int | None] = None
    """How many inputs there are; None for one or more."""

    def check_input(self, input_shape: Any) -> None:
        wanted = "one tensor or more" if self.count is None else f"exactly {self.count} tensors"
        if not isinstance(input_shape, list) or not all(isinstance(shape, tuple) for shape in input_shape):
            raise ArgumentTypeError(f"{type(self).__name__} was called on one tensor.", expected=f"a list of {wanted}.")
        if not input_shape or self.count not in (None, len(input_shape)):
            raise ArgumentTypeError(
                f"{type(self).__name__} was called on a list of {len(input_shape)} tensors.",
                expected=f"a list of {wanted}.",
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = list(mask or ())
        return either(masks) if masks and all(m is not None for m in masks) else None


class Aligned(Merge):
    """Base of layers whose inputs meet axis by axis."""

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Also where one input knows a size that another does not: they will turn out equal."""
        return super().compute_output_spec(_filled(inputs, self._free_axis(inputs)), *args, **kwargs)

    def _free_axis(self, inputs: Any) -> int | None:
        """The axis along which sizes may differ."""
        return None


def either(masks: list[Tensor]) -> Tensor:
    """Where any of the masks is True."""
    found = masks[0]
    for other in masks[1:]:
        found = ops.logical_or(found, other)
    return found


def described(shapes: Any) -> str:
    """Shapes in a row, for messages."""
    return ", ".join(map(str, shapes))


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
