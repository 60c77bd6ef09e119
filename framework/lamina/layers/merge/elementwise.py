"""Sum, difference, product, mean and extremes of the inputs, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.merge.base import Aligned, described
from lamina.runtime.tensor import Tensor


class ElementwiseMerge(Aligned):
    """Base of layers that combine the inputs element by element, broadcast.

    Inputs of fewer axes get them after the batch, so that (batch, features) meets (batch, time, features).
    """

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        if len({shape[0] for shape in input_shape if shape and shape[0] is not None}) > 1:
            raise ShapeError(
                f"{type(self).__name__} got inputs of shapes {described(input_shape)}.",
                expected="one batch size, as in Keras.",
            )
        ndim = max(map(len, input_shape))
        for sizes in zip(*((*s[:1], *(1,) * (ndim - len(s)), *s[1:]) for s in input_shape), strict=True):
            if len({size for size in sizes if size not in (None, 1)}) > 1:
                raise ShapeError(
                    f"{type(self).__name__} got inputs of shapes {described(input_shape)}.",
                    expected="sizes that are equal, or 1, on each axis.",
                )

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        """What two of the inputs give."""
        raise NotImplementedError

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        ndim = max(x.ndim for x in inputs)
        return reduce(self.combine, (_with_axes(x, ndim) for x in inputs))


def _with_axes(x: Tensor, ndim: int) -> Tensor:
    return x if x.ndim == ndim else ops.reshape(x, (*x.shape[:1], *(1,) * (ndim - x.ndim), *x.shape[1:]))


class Add(ElementwiseMerge):
    """Sum of the inputs, element by element: y = a + b + ...

    Inputs: a list of one tensor or more, whose shapes broadcast. Raises ArgumentTypeError for one tensor that is not
    in a list, ShapeError if the shapes do not fit.

    >>> Add()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[3.0]]
    """

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.add(a, b)


class Subtract(ElementwiseMerge):
    """Difference of two inputs, element by element: y = a - b. Errors as for ``Add``.

    >>> Subtract()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[-1.0]]
    """

    count: ClassVar[int] = 2

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.subtract(a, b)


class Multiply(ElementwiseMerge):
    """Product of the inputs, element by element: y = a * b * ... Errors as for ``Add``.

    >>> Multiply()([ops.tensor([[3.0]]), ops.tensor([[2.0]])]).tolist()
    [[6.0]]
    """

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.multiply(a, b)


class Average(Add):
    """Mean of the inputs, element by element: y = (a + b + ...) / n. Errors as for ``Add``.

    >>> Average()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.5]]
    """

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        total = super().call(inputs)
        return ops.divide(total, float(len(inputs))) if len(inputs) > 1 else total


class Maximum(ElementwiseMerge):
    """Largest of the inputs, element by element; equal ones share the gradient evenly. Errors as for ``Add``.

    >>> Maximum()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[2.0]]
    """

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.maximum(a, b)


class Minimum(ElementwiseMerge):
    """Smallest of the inputs, element by element; equal ones share the gradient evenly. Errors as for ``Add``.

    >>> Minimum()([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.0]]
    """

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.minimum(a, b)
