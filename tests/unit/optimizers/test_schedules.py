"""Schedules: their formulas, as an optimizer's rate, replayed, and in saved configs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import lamina
from lamina import Variable, optimizers
from lamina.errors import ArgumentError, ArgumentTypeError, SerializationError
from lamina.optimizers import SGD, schedules
from lamina.optimizers.schedules import LearningRateSchedule

FORMULAS: dict[str, tuple[LearningRateSchedule, Callable[[int], float]]] = {
    "exponential": (schedules.ExponentialDecay(0.1, 4, 0.5), lambda t: 0.1 * 0.5 ** (t / 4)),
    "staircase": (schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True), lambda t: 0.1 * 0.5 ** (t // 4)),
    "inverse": (schedules.InverseTimeDecay(0.1, 4, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 4)),
    "pieces": (
        schedules.PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 2 else 0.2 if t <= 5 else 0.1,
    ),
    "polynomial": (
        schedules.PolynomialDecay(0.1, 6, 0.01, power=2.0),
        lambda t: 0.09 * (1 - min(t, 6) / 6) ** 2 + 0.01,
    ),
    "cycles": (
        schedules.PolynomialDecay(0.1, 4, 0.01, cycle=True),
        lambda t: 0.09 * (1 - t / (4 * max(1, math.ceil(t / 4)))) + 0.01,
    ),
    "cosine": (
        schedules.CosineDecay(0.1, 6, alpha=0.2),
        lambda t: 0.1 * (0.8 * 0.5 * (1 + math.cos(math.pi * min(t, 6) / 6)) + 0.2),
    ),
    "warm-up": (
        schedules.CosineDecay(0.0, 4, warmup_target=0.1, warmup_steps=4),
        lambda t: 0.1 * t / 4 if t < 4 else 0.05 * (1 + math.cos(math.pi * min(t - 4, 4) / 4)),
    ),
    "restarts": (
        schedules.CosineDecayRestarts(0.1, 3, t_mul=2.0, m_mul=0.5),
        lambda t: 0.05 * (1 + math.cos(math.pi * t / 3)) if t < 3 else 0.025 * (1 + math.cos(math.pi * (t - 3) / 6)),
    ),
    "equal restarts": (
        schedules.CosineDecayRestarts(0.1, 4, t_mul=1.0),
        lambda t: 0.05 * (1 + math.cos(math.pi * (t % 4) / 4)),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    schedule, formula = FORMULAS[name]
    for step in range(9):
        assert schedule(step).item() == pytest.approx(formula(step), rel=1e-5, abs=1e-7), step


@pytest.mark.parametrize("name", FORMULAS)
def test_replayed_steps_follow_it(name: str) -> None:
    schedule, formula = FORMULAS[name]
    w, optimizer = Variable([0.0]), SGD(schedule)
    optimizer.build([w])

    @lamina.function
    def step() -> None:
        optimizer.apply([[1.0]], [w])

    for _ in range(8):
        step()
    assert w.numpy()[0] == pytest.approx(-sum(formula(t) for t in range(8)), rel=1e-4)
    assert optimizer.learning_rate.item() == pytest.approx(formula(8), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", FORMULAS)
def test_config(name: str) -> None:
    schedule, _ = FORMULAS[name]
    config = SGD(schedule).get_config()
    again = optimizers.get({"class_name": "SGD", "config": config})
    assert again.get_config() == config
    assert type(schedules.deserialize(schedules.serialize(schedule))) is type(schedule)


def test_steps_that_only_gather_gradients_count() -> None:
    w, optimizer = (
        Variable([0.0]),
        SGD(schedules.PiecewiseConstantDecay([1], [1.0, 10.0]), gradient_accumulation_steps=2),
    )
    for _ in range(4):
        optimizer.apply([[1.0]], [w])
    assert w.numpy().tolist() == [-11.0]


def test_a_schedule_is_replaced_by_schedules_only() -> None:
    optimizer = SGD(schedules.CosineDecay(0.1, 4))
    with pytest.raises(ArgumentTypeError, match="follows a schedule"):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = schedules.CosineDecay(0.2, 4)
    assert optimizer.learning_rate.item() == pytest.approx(0.2)


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(ArgumentError, match="one value more"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ArgumentError, match="ascending"):
        schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])
    with pytest.raises(SerializationError):
        schedules.deserialize({"class_name": "CosineDecay", "config": {"steps": 3}})
