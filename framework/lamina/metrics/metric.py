"""The base of metrics, and the means that most of them are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.errors import SerializationError
from lamina.ops.weighting import all_masks, divide_or_zero, floating, mask_of, masked_weight, samplewise
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import construct, get_object
from lamina.shapes import as_shape


class Metric(ABC):
    """Base of metrics: ``update_state`` takes a batch in, ``result`` gives the value so far, ``reset_state`` forgets.

    State is made in ``__init__`` with ``add_variable`` and changed with ops only, so that updates can be recorded and
    replayed. Calling the object updates it and returns the result.

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
        self.name = name or type(self).__name__
        self.dtype = canonical_dtype(dtype or "float32")
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

    @property
    def variables(self) -> list[Variable]:
        """The Variables that hold the state."""
        return [variable for variable, _ in self._state]

    @abstractmethod
    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account."""

    @abstractmethod
    def result(self) -> Any:
        """The metric's value so far, usually a scalar tensor."""

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


class Sum(Metric):
    """The sum of all values, each multiplied by its sample weight.

    >>> total = Sum()
    >>> total.update_state([1.0, 2.0])
    >>> total.result().item()
    3.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values; ``sample_weight`` has one weight per sample, or per value."""
        values = floating(values, self.dtype)
        self.total.assign(ops.add(self.total, samplewise(values, sample_weight, ops.sum)[0]))

    def result(self) -> Tensor:
        return self.total.value


class RunningMean(Metric):
    """Base of metrics that are a weighted mean over all samples so far: sum(weight * value) / sum(weight)."""

    def __init__(self, name: str, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def add_values(self, values: Tensor, weight: Tensor | None) -> None:
        """Takes values in; a value of several axes counts as the mean over all axes but the first."""
        total, count = samplewise(values, weight)
        total, count = ops.add(self.total, total), ops.add(self.count, count)
        self.total.assign(total)
        self.count.assign(count)

    def result(self) -> Tensor:
        return divide_or_zero(self.total.value, self.count.value)


class Mean(RunningMean):
    """The mean of all values, weighted: sum(weight * value) / sum(weight); 0 before the first.

    A value of several axes counts as the mean over all axes but the first.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([8.0])
    >>> mean.result().item()
    4.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values in; ``sample_weight`` has one weight per sample, or per value."""
        self.add_values(floating(values, self.dtype), sample_weight)


class MeanMetricWrapper(RunningMean):
    """The mean of a function ``f(y_true, y_pred, **settings)`` with one value per sample, or per element.

    >>> metric = MeanMetricWrapper(lambda t, p: ops.abs(t - p), name="distance")
    >>> metric([[1.0]], [[3.0]]).item()
    2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **settings: Any) -> None:
        super().__init__(name or str(getattr(fn, "__name__", "mean")), dtype)
        self.fn = fn
        self.settings = settings

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Takes a batch in; ``mask`` is False where a value must not count, and so is the mask that hangs on y_pred."""
        mask = all_masks([mask, mask_of(y_pred)])
        values = floating(self.fn(ops.tensor(y_true), ops.tensor(y_pred), **self.settings), self.dtype)
        weight = None if sample_weight is None else floating(sample_weight, self.dtype)
        self.add_values(values, masked_weight(weight, mask, self.dtype, keep_mean=False))

    def get_config(self) -> dict[str, Any]:
        if type(self) is MeanMetricWrapper:
            raise SerializationError(
                f"the metric function {self.name!r} has no config of its own.",
                fix="write it as a subclass of Metric, and decorate that with lamina.serialization.register().",
            )
        return {**super().get_config(), **self.settings}
