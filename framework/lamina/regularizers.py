"""Regularizers: what a weight's size adds to the loss.

Computed with ops inside every training step. Knows ops and the registry; knows nothing of layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.measures.regression import normalized
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct, custom_object_scope, get_object, serialize_as
from lamina.shapes import as_float


class Regularizer(ABC):
    """Base of regularizers: called with a weight, gives a scalar that is added to the loss.

    Raises ArgumentError for factors below 0, DTypeError for a weight without arithmetic.

    >>> class Sum(Regularizer):
    ...     def __call__(self, x):
    ...         return ops.sum(x)
    >>> Sum()([1.0, 2.0]).item()
    3.0
    """

    @abstractmethod
    def __call__(self, x: Any) -> Tensor:
        """The penalty of a weight, a scalar."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regularizer."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Regularizer:
        """The regularizer of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


class L1L2(Regularizer):
    """Penalty l1 * sum(|x|) + l2 * sum(x^2).

    >>> L1L2(l1=1.0, l2=10.0)([1.0, -2.0]).item()
    53.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1: float = as_float(0.0 if l1 is None else l1, "l1", minimum=0.0)
        self.l2: float = as_float(0.0 if l2 is None else l2, "l2", minimum=0.0)

    def __call__(self, x: Any) -> Tensor:
        total: Tensor | None = None
        if self.l1:
            total = ops.multiply(ops.sum(ops.abs(x)), self.l1)
        if self.l2:
            squares = ops.multiply(ops.sum(ops.square(x)), self.l2)
            total = squares if total is None else ops.add(total, squares)
        return ops.zeros(()) if total is None else total

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """Penalty l1 * sum(|x|), which drives weights to exactly 0.

    >>> L1(1.0)([1.0, -2.0]).item()
    3.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(L1L2):
    """Penalty l2 * sum(x^2).

    >>> L2(1.0)([1.0, -2.0]).item()
    5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Penalty for rows (or columns) that are not at right angles: factor times the mean |cosine| of each two of them.

    ``mode`` is "rows" or "columns". Raises ShapeError for a weight that has not two axes.

    >>> round(OrthogonalRegularizer(factor=1.0)([[1.0, 0.0], [3.0, 4.0]]).item(), 6)
    0.6
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor: float = as_float(factor, "factor", minimum=0.0)
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"mode is {mode!r}.", expected="'rows' or 'columns'.")
        self.mode = mode

    def __call__(self, x: Any) -> Tensor:
        x = to_tensor(x)
        if x.ndim != 2:
            raise ShapeError(f"an orthogonal regularizer for a weight of shape {x.shape}.", expected="two axes.")
        vectors = normalized(x if self.mode == "rows" else x.T)
        size = vectors.shape[0]
        cosines = ops.matmul(vectors, vectors, transpose_b=True)
        others = ops.multiply(ops.abs(cosines), ops.subtract(1.0, ops.eye(size, dtype=x.dtype)))
        pairs = size * (size - 1.0) / 2.0
        return ops.multiply(ops.sum(others), 0.5 * self.factor / max(pairs, 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


# Keras's other names of the same classes.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def get(identifier: Any) -> Any:
    """The regularizer that a name, config, class, function or regularizer stands for; None for None.

    Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("l2").get_config()
    {'l2': 0.01}
    """
    return get_object("regularizers", identifier, Regularizer)


def serialize(regularizer: Any) -> Any:
    """What stands for a regularizer in a config: see ``lamina.serialization.serialize_as``.

    Raises SerializationError for what has no name.

    >>> serialize(L1(0.5))
    {'class_name': 'L1', 'config': {'l1': 0.5}}
    """
    return serialize_as("regularizers", regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a config or name, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize(serialize(L1(0.5))).l1
    0.5
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
