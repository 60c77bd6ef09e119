"""Sums and means: what most metrics are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lamina import ops
from lamina.metrics.metric import Metric
from lamina.ops.weighting import all_masks, divide_or_zero, floating, mask_of, masked_weight, precise, samplewise
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import construct, lookup_function, serialize_as


class Sum(Metric):
    """The sum of all values, each multiplied by its sample weight.

    >>> total = Sum()
    >>> total.update_state([1.0, 2.0])
    >>> total.result().item()
    3.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total: Variable = self.add_variable(name="total")

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
        self.total: Variable = self.add_variable(name="total")
        self.count: Variable = self.add_variable(name="count")

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

    ``fn`` is the function; further settings are handed on to it.

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
        values = floating(self.fn(ops.tensor(y_true), precise(y_pred), **self.settings), self.dtype)
        weight = None if sample_weight is None else floating(sample_weight, self.dtype)
        self.add_values(values, masked_weight(weight, mask, self.dtype, keep_mean=False))

    def get_config(self) -> dict[str, Any]:
        own = {"fn": serialize_as("metrics", self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        if cls is not MeanMetricWrapper:
            return construct(cls, config)
        return cls(**{**config, "fn": lookup_function("metrics", config.get("fn"))})
