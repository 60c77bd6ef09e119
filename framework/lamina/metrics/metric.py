"""The base of metrics."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.measures.settings import named
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import construct, get_object
from lamina.shapes import as_shape


class Metric(ABC):
    """Base of metrics: ``update_state`` takes a batch in, ``result`` gives the value so far, ``reset_state`` forgets.

    State is made in ``__init__`` with ``add_variable`` and changed with ops only, so that updates can be recorded and
    replayed. Calling the object updates it and returns the result. Raises ShapeError in ``update_state`` if labels,
    predictions or weights do not fit, ArgumentError for settings that are none.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.largest = self.add_variable(name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
    ...     def result(self):
    ...         return self.largest.value
    >>> largest = Largest()
    >>> largest([0.0], [2.0]).item(), largest([0.0], [1.0]).item()
    (2.0, 2.0)
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name: str = named(name, _snake_case(type(self).__name__))
        self.dtype: str = canonical_dtype(dtype or "float32")
        self._state: list[tuple[Variable, Tensor]] = []

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A Variable of the metric's state; ``initializer`` is a name or a function of shape and dtype."""
        make = ops.zeros if initializer == "zeros" else get_object("initializers", initializer, object)
        initial = make(as_shape(shape), dtype or self.dtype)
        variable = Variable(initial, trainable=False, name=f"{self.name}/{name or len(self._state)}")
        self._state.append((variable, initial))
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Like ``add_variable``: Keras's other name."""
        return self.add_variable(shape, initializer or "zeros", dtype, name)

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Makes the state whose shape depends on the data's. Called before the first update, and does nothing later.

        Most metrics need no such state. Training calls it before a step is recorded, for a recorded step makes none.
        """
        return None

    @property
    def variables(self) -> list[Variable]:
        """The Variables that hold the state."""
        return [variable for variable, _ in self._state]

    @abstractmethod
    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account."""

    @abstractmethod
    def result(self) -> Any:
        """The metric's value so far: a scalar, a vector of several, or a dict of them by name."""

    def reset_state(self) -> None:
        """Forgets what was taken into account."""
        for variable, initial in self._state:
            variable.assign(initial)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric, without state."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        """The metric of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


def _snake_case(name: str) -> str:
    """``AUC`` and ``TruePositives`` as they appear in logs: ``auc``, ``true_positives``."""
    apart = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", apart).lower()
