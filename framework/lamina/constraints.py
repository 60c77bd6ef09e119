"""Constraints: what a weight is brought back to after each update.

Computed with ops inside every training step. Knows ops and the registry; knows nothing of layers or optimizers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from lamina import ops
from lamina.measures.settings import axes, share
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct, custom_object_scope, get_object, serialize_as
from lamina.shapes import as_float

EPSILON: Final = 1e-7
"""Added to a norm before dividing by it, as in Keras."""


class Constraint(ABC):
    """Base of constraints: called with a weight, gives the allowed weight in its place.

    Raises ArgumentTypeError for limits that are no numbers, OutOfRangeError for an axis that a weight has not.

    >>> class Halved(Constraint):
    ...     def __call__(self, w):
    ...         return ops.multiply(w, 0.5)
    >>> Halved()([2.0]).tolist()
    [1.0]
    """

    @abstractmethod
    def __call__(self, w: Any) -> Tensor:
        """The weight after the constraint, of the same shape."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Constraint:
        """The constraint of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


def _norms(w: Any, axis: Any) -> Tensor:
    """Euclidean norms along axes, which stay with size 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales down where the norm along ``axis`` exceeds ``max_value``: w * min(n, max_value) / n.

    >>> MaxNorm(2.0)([[3.0], [4.0]]).round().tolist()
    [[1.0], [2.0]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value: float = as_float(max_value, "max_value", minimum=0.0)
        self.axis: Any = axes(axis)

    def __call__(self, w: Any) -> Tensor:
        norms = _norms(w, self.axis)
        return ops.multiply(w, ops.divide(ops.clip(norms, 0.0, self.max_value), ops.add(norms, EPSILON)))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Puts 0 where a weight is negative.

    >>> NonNeg()([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Tensor:
        return ops.relu(w)


class UnitNorm(Constraint):
    """Scales to norm 1 along ``axis``: w / n.

    >>> UnitNorm()([[3.0], [4.0]]).multiply(10.0).round().tolist()
    [[6.0], [8.0]]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis: Any = axes(axis)

    def __call__(self, w: Any) -> Tensor:
        return ops.divide(w, ops.add(_norms(w, self.axis), EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Brings the norm along ``axis`` towards [min_value, max_value] by the share ``rate`` of the way.

    >>> MinMaxNorm(0.0, 1.0)([[3.0], [4.0]]).multiply(10.0).round().tolist()
    [[6.0], [8.0]]
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value: float = as_float(min_value, "min_value", minimum=0.0)
        self.max_value: float = as_float(max_value, "max_value", minimum=self.min_value)
        self.rate: float = share(rate, "rate")
        self.axis: Any = axes(axis)

    def __call__(self, w: Any) -> Tensor:
        norms = _norms(w, self.axis)
        limited = ops.clip(norms, self.min_value, self.max_value)
        wanted = ops.add(ops.multiply(limited, self.rate), ops.multiply(norms, 1.0 - self.rate))
        return ops.multiply(w, ops.divide(wanted, ops.add(norms, EPSILON)))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


# Keras's other names of the same classes.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm


def get(identifier: Any) -> Any:
    """The constraint that a name, config, class, function or constraint stands for; None for None.

    Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("nonNeg").get_config()
    {}
    """
    return get_object("constraints", identifier, Constraint)


def serialize(constraint: Any) -> Any:
    """What stands for a constraint in a config: see ``lamina.serialization.serialize_as``.

    Raises SerializationError for what has no name.

    >>> serialize(UnitNorm(axis=1))
    {'class_name': 'UnitNorm', 'config': {'axis': 1}}
    """
    return serialize_as("constraints", constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a config or name, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize(serialize(UnitNorm(axis=1))).axis
    1
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
