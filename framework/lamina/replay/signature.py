"""What must be equal for a recorded step to serve again: shapes, dtypes, backend and static arguments."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from lamina.contract import Backend
from lamina.errors import ReplayError
from lamina.runtime.convert import from_numpy, to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable


def split_arguments(leaves: Sequence[Any], backend: Backend) -> tuple[list[Tensor], list[Any]]:
    """The tensors among a step's arguments, and all arguments with a marker in place of each tensor.

    NumPy arrays count as tensors; Python numbers, strings and objects are static.
    """
    tensors: list[Tensor] = []
    static: list[Any] = []
    for leaf in leaves:
        if type(leaf) is Tensor:
            tensors.append(leaf)
        elif isinstance(leaf, np.ndarray):
            tensors.append(from_numpy(leaf, backend))
        elif hasattr(leaf, "__dlpack__") and not isinstance(leaf, Variable):
            tensors.append(to_tensor(leaf, backend=backend))
        else:
            static.append(leaf)
            continue
        static.append(_TENSOR)
    return tensors, static


class _Marker:
    def __repr__(self) -> str:
        return "<tensor>"


_TENSOR = _Marker()


def signature(tensors: Sequence[Tensor], static: Sequence[Any], backend: Backend) -> Hashable:
    """The key under which a recorded step is kept.

    Raises ReplayError for a static argument that is not hashable.
    """
    key = (
        tuple((t.shape, t.dtype, id(t._backend)) for t in tensors),
        tuple((type(s), s) for s in static),
        id(backend),
    )
    try:
        hash(key)
    except TypeError as error:
        raise ReplayError(
            f"an argument of a recorded step cannot be part of its signature: {error}.",
            expected="tensors, arrays, numbers, strings, and nested lists, tuples and dicts of them.",
        ) from error
    return key
