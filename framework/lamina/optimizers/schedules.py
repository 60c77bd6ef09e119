"""Learning rates that follow the step count, written in ops, so that replayed steps follow too."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct, custom_object_scope
from lamina.serialization import deserialize as _deserialize
from lamina.serialization import serialize as _serialize
from lamina.shapes import as_bool, as_float, as_int


class LearningRateSchedule(ABC):
    """Base of schedules: ``schedule(step)`` is the rate of an update, ``step`` the number of updates before it.

    Raises ArgumentError for numbers of steps below 1 and other settings that are none.

    >>> class Halved(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** ops.cast(step, "float32")
    ...     def get_config(self):
    ...         return {}
    >>> Halved()(2).item()
    0.25
    """

    @abstractmethod
    def __call__(self, step: Any) -> Tensor:
        """The rate, a float32 scalar; ``step`` is an int32 scalar tensor or an int. Ops only."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningRateSchedule:
        """The schedule of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


class ExponentialDecay(LearningRateSchedule):
    """initial * decay_rate^(step / decay_steps); with ``staircase`` the exponent is rounded down.

    ``initial_learning_rate`` is the rate of the first update.

    >>> round(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20).item(), 4)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate: float = as_float(initial_learning_rate, "initial_learning_rate", minimum=0.0)
        self.decay_steps: int = as_int(decay_steps, "decay_steps", minimum=1)
        self.decay_rate: float = as_float(decay_rate, "decay_rate")
        self.staircase: bool = as_bool(staircase, "staircase")
        self.name = name

    def _share(self, step: Any) -> Tensor:
        share = ops.divide(_count(step), float(self.decay_steps))
        return ops.floor(share) if self.staircase else share

    def __call__(self, step: Any) -> Tensor:
        return ops.multiply(ops.power(self.decay_rate, self._share(step)), self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(ExponentialDecay):
    """initial / (1 + decay_rate * step / decay_steps); with ``staircase`` the quotient of steps is rounded down.

    ``initial_learning_rate`` is the rate of the first update.

    >>> round(InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10).item(), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Tensor:
        return ops.divide(self.initial_learning_rate, ops.add(ops.multiply(self._share(step), self.decay_rate), 1.0))


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and with step ``boundaries[i]``, the last value after all of them.

    >>> [round(PiecewiseConstantDecay([10, 20], [0.3, 0.2, 0.1])(step).item(), 1) for step in (10, 11, 21)]
    [0.3, 0.2, 0.1]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                f"there are {len(boundaries)} boundaries and {len(values)} values.", expected="one value more."
            )
        if list(boundaries) != sorted(boundaries):
            raise ArgumentError(f"boundaries is {list(boundaries)}.", expected="them in ascending order.")
        self.boundaries: list[float] = list(boundaries)
        self.values: list[float] = [as_float(v, f"values[{i}]", minimum=0.0) for i, v in enumerate(values)]
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        count, rate = _count(step), ops.scalar(self.values[-1], dtype="float32")
        for boundary, value in reversed(list(zip(self.boundaries, self.values, strict=False))):
            rate = ops.where(ops.less_equal(count, float(boundary)), value, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """From initial to end as (1 - step / decay_steps)^power, and end after that.

    ``cycle`` goes on with decay_steps as often as it takes to reach beyond the step. ``initial_learning_rate`` is the
    rate of the first update.

    >>> round(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5).item(), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate: float = as_float(initial_learning_rate, "initial_learning_rate", minimum=0.0)
        self.decay_steps: int = as_int(decay_steps, "decay_steps", minimum=1)
        self.end_learning_rate: float = as_float(end_learning_rate, "end_learning_rate", minimum=0.0)
        self.power: float = as_float(power, "power")
        self.cycle: bool = as_bool(cycle, "cycle")
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        share = ops.divide(_count(step), float(self.decay_steps))
        if self.cycle:
            share = ops.divide(share, ops.maximum(ops.ceil(share), 1.0))
        left = ops.power(ops.subtract(1.0, ops.minimum(share, 1.0)), self.power)
        span = self.initial_learning_rate - self.end_learning_rate
        return ops.add(ops.multiply(left, span), self.end_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class CosineDecay(LearningRateSchedule):
    """Half a cosine from initial down to alpha * initial (Loshchilov and Hutter 2016, arXiv:1608.03983).

    With ``warmup_target`` the rate first goes straight from initial to that in ``warmup_steps``, then the cosine starts
    there. ``initial_learning_rate`` is the rate of the first update.

    >>> round(CosineDecay(0.1, decay_steps=10)(5).item(), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate: float = as_float(initial_learning_rate, "initial_learning_rate", minimum=0.0)
        self.decay_steps: int = as_int(decay_steps, "decay_steps", minimum=1)
        self.alpha: float = as_float(alpha, "alpha")
        self.name = name
        self.warmup_target: float | None = (
            None if warmup_target is None else as_float(warmup_target, "warmup_target", minimum=0.0)
        )
        self.warmup_steps: int = as_int(warmup_steps, "warmup_steps", minimum=0)

    def __call__(self, step: Any) -> Tensor:
        count = _count(step)
        if self.warmup_target is None:
            return self._cosine(count, self.initial_learning_rate)
        start, target = self.initial_learning_rate, self.warmup_target
        slope = (target - start) / max(1, self.warmup_steps)
        warming = ops.add(ops.multiply(count, slope), start)
        later = self._cosine(ops.subtract(count, float(self.warmup_steps)), target)
        return ops.where(ops.less(count, float(self.warmup_steps)), warming, later)

    def _cosine(self, count: Tensor, start: float) -> Tensor:
        share = ops.minimum(ops.divide(count, float(self.decay_steps)), 1.0)
        return ops.multiply(_half_cosine(share, 1.0, self.alpha), start)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each ``t_mul`` as long and ``m_mul`` as high as the one before.

    The first takes ``first_decay_steps`` (Loshchilov and Hutter 2016, arXiv:1608.03983). ``initial_learning_rate`` is
    the rate of the first update. Each ends at ``alpha`` times the height at which it began.

    >>> round(CosineDecayRestarts(0.1, first_decay_steps=10)(10).item(), 4)
    0.1
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate: float = as_float(initial_learning_rate, "initial_learning_rate", minimum=0.0)
        self.first_decay_steps: int = as_int(first_decay_steps, "first_decay_steps", minimum=1)
        self.t_mul: float = as_float(t_mul, "t_mul", minimum=1.0)
        self.m_mul: float = as_float(m_mul, "m_mul", minimum=0.0)
        self.alpha: float = as_float(alpha, "alpha")
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        share = ops.divide(_count(step), float(self.first_decay_steps))
        if self.t_mul == 1.0:
            restarts = ops.floor(share)
            share = ops.subtract(share, restarts)
        else:
            grown = ops.log(ops.add(ops.multiply(share, self.t_mul - 1.0), 1.0))
            restarts = ops.floor(ops.divide(grown, math.log(self.t_mul)))
            length = ops.power(self.t_mul, restarts)
            share = ops.divide(ops.subtract(share, ops.divide(ops.subtract(length, 1.0), self.t_mul - 1.0)), length)
        height = ops.power(self.m_mul, restarts)
        return ops.multiply(_half_cosine(share, height, self.alpha), self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The config of a schedule, as ``deserialize`` takes it.

    ``learning_rate_schedule`` is the schedule. Raises SerializationError for one whose class is not registered.

    >>> deserialize(serialize(CosineDecay(0.1, 10))).decay_steps
    10
    """
    return _serialize(learning_rate_schedule)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a config; ``custom_objects`` names classes of your own.

    Raises UnknownNameError or SerializationError if the config names none.

    >>> deserialize(serialize(ExponentialDecay(0.1, 10, 0.5))).decay_steps
    10
    """
    with custom_object_scope(custom_objects or {}):
        return _deserialize("schedules", config, LearningRateSchedule)  # type: ignore[type-abstract]


def _count(step: Any) -> Tensor:
    return ops.cast(step, "float32")


def _half_cosine(share: Tensor, height: Any, alpha: float) -> Tensor:
    """From height down to alpha along half a cosine."""
    cosine = ops.multiply(ops.add(ops.cos(ops.multiply(share, math.pi)), 1.0), ops.multiply(height, 0.5))
    return ops.add(ops.multiply(cosine, 1.0 - alpha), alpha)
