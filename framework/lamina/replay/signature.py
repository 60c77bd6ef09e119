"""What must be equal for a recorded step to serve again: shapes, dtypes, backend and static arguments."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from lamina.contract import Backend
from lamina.errors import ReplayError
from lamina.runtime.convert import from_numpy, to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


def signature(argument: Any, tensors: list[Tensor], backend: Backend) -> Hashable:
    """The part of the key that an argument makes, nested as it is; its tensors are appended to ``tensors``.

    NumPy arrays and arrays that speak DLPack count as tensors; Python numbers, strings and objects are static.
    Raises ReplayError for a static argument that is not hashable.
    """
    kind = type(argument)
    if kind is Tensor:
        tensors.append(argument)
        return (argument.shape, argument.dtype, id(argument._backend))
    if argument is None:
        return None
    if kind is dict:
        return ("dict", *((key, signature(value, tensors, backend)) for key, value in argument.items()))
    if isinstance(argument, (list, tuple)):
        return (kind, *(signature(value, tensors, backend) for value in argument))
    if is_array(argument):
        made = from_numpy(argument, backend) if kind is np.ndarray else to_tensor(argument, backend=backend)
        return signature(made, tensors, backend)
    try:
        hash(argument)
    except TypeError as error:
        raise ReplayError(
            f"an argument of a recorded step cannot be part of its signature: {error}.",
            expected="tensors, arrays, numbers, strings, and nested lists, tuples and dicts of them.",
        ) from error
    if kind is float:
        return (kind, repr(argument))  # -0.0 equals 0.0 and is another number; NaN equals nothing
    return (kind, argument)


def without_sizes(part: Hashable) -> Hashable:
    """A signature in which of each tensor's shape only the number of axes is left.

    >>> without_sizes((tuple, ((3, 4), "float32", 1), (int, 5)))
    (<class 'tuple'>, (2, 'float32', 1), (<class 'int'>, 5))
    """
    if type(part) is not tuple:
        return part
    head, *rest = part
    if type(head) is tuple:  # only a tensor's begins so, with its shape
        return (len(head), *rest)
    if head == "dict":
        return (head, *((key, without_sizes(value)) for key, value in rest))
    return (head, *map(without_sizes, rest))


def is_array(argument: Any) -> bool:
    """Whether an argument that is no Tensor is taken for one."""
    return isinstance(argument, np.ndarray) or (hasattr(argument, "__dlpack__") and not isinstance(argument, Variable))


def with_tensors(argument: Any, tensors: Iterator[Tensor]) -> Any:
    """The argument with its arrays replaced, in order, by the tensors that ``signature`` found."""
    if isinstance(argument, dict):
        return {key: with_tensors(value, tensors) for key, value in argument.items()}
    if isinstance(argument, (list, tuple)):
        values = [with_tensors(value, tensors) for value in argument]
        return type(argument)(*values) if hasattr(argument, "_fields") else type(argument)(values)
    return next(tensors) if is_array(argument) else argument
