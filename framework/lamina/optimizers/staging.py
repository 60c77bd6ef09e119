"""What surrounds an update rule, as pure functions of tensors: gathering gradients, averages, decay."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.dtypes import FLOATING
from lamina.errors import DTypeError, ShapeError
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


class Staged:
    """New values of Variables that are not assigned yet."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[Variable, Tensor]] = {}

    def __setitem__(self, variable: Variable, value: Tensor) -> None:
        self._values[id(variable)] = (variable, value)

    def __getitem__(self, variable: Variable) -> Tensor:
        return self._values[id(variable)][1] if id(variable) in self._values else variable.value

    def only_if(self, condition: Tensor) -> None:
        """Takes the new values back where a scalar condition does not hold."""
        for variable, value in self._values.values():
            self[variable] = ops.where(condition, value, variable.value)

    def joined(self, other: Staged) -> Staged:
        """These, and the new values of other Variables."""
        self._values.update(other._values)
        return self

    def assign(self) -> None:
        """Gives all Variables their new values."""
        for variable, value in self._values.values():
            variable.assign(value)


def fitting_gradient(gradient: Any, variable: Variable) -> Tensor:
    """A gradient as a tensor of its Variable's shape and dtype. Raises ShapeError or DTypeError if it is not one."""
    tensor = to_tensor(gradient, variable.dtype)
    if tensor.shape != variable.shape:
        raise ShapeError(
            f"the gradient of {variable.name!r} has shape {tensor.shape}.",
            expected=f"the shape of the Variable, {variable.shape}.",
        )
    if tensor.dtype not in FLOATING:
        raise DTypeError(f"the gradient of {variable.name!r} has dtype {tensor.dtype}.", expected="a floating dtype.")
    return tensor if tensor.dtype == variable.dtype else ops.cast(tensor, variable.dtype)


def every(steps: int, iterations: Variable | Tensor) -> Tensor:
    """Whether the step that is under way is the n-th, 2n-th ... one, as a scalar bool."""
    return ops.equal(ops.mod(ops.add(iterations, 1), steps), 0)


def gathered(gradient: Tensor, held: Variable, steps: int, due: Tensor, staged: Staged) -> Tensor:
    """The mean of the gradients since the last update, which ``held`` adds up and forgets when it is ``due``."""
    total = ops.add(held, gradient)
    staged[held] = ops.where(due, 0.0, total)
    return ops.divide(total, float(steps))


def averaged(average: Variable, value: Tensor, momentum: float, iterations: Variable | Tensor) -> Tensor:
    """momentum * average + (1 - momentum) * value; the value itself at the first step."""
    later = ops.cast(ops.greater(iterations, 0), value.dtype)
    share = ops.multiply(later, momentum)
    return ops.add(ops.multiply(average, share), ops.multiply(value, ops.subtract(1.0, share)))


def decayed(parameter: Tensor, decay: float, rate: Tensor) -> Tensor:
    """A parameter smaller by ``decay`` times the rate."""
    return ops.multiply(parameter, ops.subtract(1.0, ops.multiply(rate, decay)))
