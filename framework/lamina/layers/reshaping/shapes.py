"""Other shapes and other orders of the same elements."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import LARGEST_SIZE, positive
from lamina.layers.checks import check_axes, check_one
from lamina.layers.layer import Layer
from lamina.layers.probing import Output
from lamina.layers.spatial import as_format
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class Flatten(Layer):
    """All axes but the batch as one: (batch, a, b, ...) becomes (batch, a * b * ...), and (batch,) (batch, 1).

    With data_format='channels_first' the channels of (batch, channels, ...) are moved behind the others before, so that
    the order is that of channels-last. Raises ArgumentError for another ``data_format``, ShapeError for an input
    without axes.

    >>> Flatten()(ops.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(self, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.data_format: str = as_format(data_format)

    def check_input(self, input_shape: Any) -> None:
        check_one(self, input_shape)
        if not input_shape:
            raise ShapeError("Flatten got an input without axes.", expected="at least the axis of the batch.")

    def call(self, x: Tensor) -> Tensor:
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.transpose(x, (0, *range(2, x.ndim), 1))
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))


class Reshape(Layer):
    """The elements of each example in another shape; one size may be -1, for what is left over.

    Input (batch, ...), output (batch, *target_shape). Raises ShapeError for an input with another number of elements.

    >>> Reshape((2, -1))(ops.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, target_shape: Any, **common: Any) -> None:
        super().__init__(**common)
        self.target_shape: tuple[int, ...] = _sizes(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError(f"target_shape is {self.target_shape}.", expected="at most one -1.")

    def check_input(self, input_shape: Any) -> None:
        if None in input_shape[1:]:
            return
        total, known = prod(input_shape[1:]), prod(s for s in self.target_shape if s != -1)
        if total != known if -1 not in self.target_shape else known == 0 or total % known:
            raise ShapeError(
                f"Reshape got an input of shape {input_shape} for the target {self.target_shape}.",
                expected=f"as many elements in each example: {total} are not {known}"
                + (" or a multiple of it." if -1 in self.target_shape else "."),
            )

    def compute_output_spec(self, x: Any) -> Any:
        """Also for unknown sizes, which the trial with some numbers would not divide."""
        if None not in x.shape[1:]:
            return super().compute_output_spec(x)
        return Output((x.shape[0], *(None if s == -1 else s for s in self.target_shape)), x.dtype)

    def call(self, x: Tensor) -> Tensor:
        shape = self.target_shape
        if -1 in shape:
            known = prod(s for s in shape if s != -1)
            shape = tuple(prod(x.shape[1:]) // known if s == -1 else s for s in shape)
        return ops.reshape(x, (x.shape[0], *shape))


def _sizes(target_shape: Any) -> tuple[int, ...]:
    if hasattr(target_shape, "__index__"):
        target_shape = (target_shape,)
    if not isinstance(target_shape, (list, tuple)):
        raise ArgumentTypeError(
            f"target_shape is {target_shape!r}.", expected="an integer or a tuple of them, with at most one -1."
        )
    sizes = (-1 if size is None else size for size in target_shape)
    return tuple(as_int(size, "target_shape", minimum=-1, maximum=LARGEST_SIZE) for size in sizes)


class Permute(Layer):
    """The axes of each example in another order: ``dims`` says which axis comes where, counted from 1.

    Input (batch, ...) with as many axes behind the batch as ``dims`` has; Permute((2, 1)) exchanges the two. Raises
    ShapeError for another number of axes.

    >>> Permute((2, 1))(ops.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """

    def __init__(self, dims: Any, **common: Any) -> None:
        super().__init__(**common)
        if not isinstance(dims, (list, tuple)):
            raise ArgumentTypeError(f"dims is {dims!r}.", expected="a tuple of integers.")
        self.dims: tuple[int, ...] = tuple(as_int(axis, "dims") for axis in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"dims is {self.dims}.", expected=f"each of the axes 1 to {max(1, len(self.dims))} once, in any order."
            )

    def check_input(self, input_shape: Any) -> None:
        if len(input_shape) != len(self.dims) + 1:
            raise ShapeError(
                f"Permute got an input of shape {input_shape} for dims {self.dims}.",
                expected=f"{len(self.dims)} axes behind the batch.",
            )

    def call(self, x: Tensor) -> Tensor:
        return ops.transpose(x, (0, *self.dims))


class RepeatVector(Layer):
    """Each vector ``n`` times: (batch, features) becomes (batch, n, features). Raises ShapeError for other axes.

    >>> RepeatVector(2)(ops.tensor([[1.0, 2.0]])).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **common: Any) -> None:
        super().__init__(**common)
        self.n: int = positive(n, "n")

    def check_input(self, input_shape: Any) -> None:
        check_axes(self, input_shape, "(batch, features)")

    def call(self, x: Tensor) -> Tensor:
        batch, features = x.shape
        return ops.broadcast_to(ops.expand_dims(x, 1), (batch, self.n, features))
