"""Moving averages."""

from __future__ import annotations

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.ops.elementwise import add, divide, multiply, power, subtract
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor


def moving_average(
    v: TensorLike, x: TensorLike, decay: TensorLike, step: TensorLike = None, zero_debias: bool = True
) -> Tensor:
    """The next value of a moving average v: y = v + (x - v) * (1 - decay) / (1 - decay ** step).

    The divisor, which is there with ``zero_debias``, makes up for an average that began at 0; ``step`` counts from 1.
    (Kingma and Ba 2014, arXiv:1412.6980.) As TensorFlow.js, all of it differentiable. Raises ShapeError and DTypeError
    if x is not like v, ArgumentError if ``step`` is missing.

    >>> moving_average([0.0], [2.0], 0.75, step=1).tolist()
    [2.0]
    >>> moving_average([0.0], [2.0], 0.75, zero_debias=False).tolist()
    [0.5]
    """
    v, x = to_tensor(v), to_tensor(x)
    if v.shape != x.shape:
        raise ShapeError(f"moving_average(v, x): v is {v.shape} and x is {x.shape}.", expected="equal shapes.")
    if v.dtype != x.dtype:
        raise DTypeError(f"moving_average(v, x): v is {v.dtype} and x is {x.dtype}.", expected="equal dtypes.")
    decay = to_tensor(decay, dtype=v.dtype) if isinstance(decay, int | float) else decay
    rest = subtract(1.0, decay)
    if zero_debias:
        if step is None:
            raise ArgumentError("moving_average: step is missing.", expected="the number of the update, from 1.")
        rest = divide(rest, subtract(1.0, power(decay, step)))
    return add(v, multiply(subtract(x, v), rest))
