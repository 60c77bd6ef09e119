"""Scaled losses: what a step that is not finite changes, how the scale moves, and the state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Variable, ops, optimizers
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.optimizers import SGD, Adam, LossScaleOptimizer


def scale_of(optimizer: LossScaleOptimizer) -> float:
    return float(optimizer.dynamic_scale.numpy())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_step_that_is_not_finite_changes_only_the_scale(bad: float) -> None:
    variables = [Variable([1.0, 2.0]), Variable([3.0])]
    optimizer = LossScaleOptimizer(Adam(0.1, use_ema=True, gradient_accumulation_steps=2), initial_scale=8.0)
    optimizer.apply([[1.0, 1.0], [1.0]], variables)
    before = [v.numpy().tolist() for v in (*variables, *optimizer.inner_optimizer.variables)]
    optimizer.apply([[1.0, 1.0], [bad]], variables)
    assert [v.numpy().tolist() for v in (*variables, *optimizer.inner_optimizer.variables)] == before
    assert (scale_of(optimizer), int(optimizer.step_counter.numpy())) == (4.0, 0)


def test_the_scale_doubles_after_finite_steps_in_a_row() -> None:
    w = Variable([1.0])
    optimizer = LossScaleOptimizer("sgd", initial_scale=8.0, dynamic_growth_steps=3)
    scales = []
    for gradient in (1.0, 1.0, float("nan"), 1.0, 1.0, 1.0, 1.0):
        optimizer.apply([[gradient]], [w])
        scales.append(scale_of(optimizer))
    assert scales == [8.0, 8.0, 4.0, 4.0, 4.0, 8.0, 8.0]
    assert optimizer.iterations.numpy() == 6


def test_the_scale_stays_finite_and_above_zero() -> None:
    w = Variable([1.0])
    optimizer = LossScaleOptimizer(SGD(0.1), initial_scale=2.0**127, dynamic_growth_steps=1)
    optimizer.apply([[1.0]], [w])
    assert scale_of(optimizer) == 2.0**127
    optimizer = LossScaleOptimizer(SGD(0.1), initial_scale=2.0**-126)
    optimizer.apply([[float("nan")]], [w])
    assert scale_of(optimizer) == 2.0**-126


def test_steps_are_those_of_the_inner_optimizer() -> None:
    plain, scaled = Variable([1.0, -2.0]), Variable([1.0, -2.0])
    one, other = Adam(0.1), LossScaleOptimizer(Adam(0.1))
    for _ in range(3):
        one.minimize(lambda: ops.sum(ops.square(plain)))
        other.minimize(lambda: ops.sum(ops.square(scaled)))
    assert plain.numpy().tolist() == scaled.numpy().tolist()
    other.learning_rate = 0.5
    assert other.inner_optimizer.learning_rate.numpy() == 0.5


def test_small_gradients_survive_half_precision() -> None:
    def loss() -> Any:  # the gradient of the cast weight is below the smallest float16
        return ops.sum(ops.multiply(ops.multiply(ops.cast(w, "float16"), 2.0**-12), 2.0**-14))

    w = Variable([1.0])
    SGD(2.0**20).minimize(loss)
    assert w.numpy()[0] == 1.0
    LossScaleOptimizer(SGD(2.0**20), initial_scale=2.0**12).minimize(loss)
    assert w.numpy()[0] == 1.0 - 2.0**-6


def test_replayed_steps_skip_and_grow() -> None:
    w = Variable([1.0])
    optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=8.0, dynamic_growth_steps=2)
    optimizer.build([w])
    step = lamina.function(lambda gradient: optimizer.apply([gradient], [w]))
    scales = []
    for gradient in (8.0, 8.0, 16.0, float("inf"), 8.0):
        step(lamina.tensor([gradient]))
        scales.append(scale_of(optimizer))
    assert scales == [8.0, 16.0, 16.0, 8.0, 8.0]
    assert w.numpy().tolist() == [1.0 - 0.5 * 4]
    assert step.programs


def test_config_and_state() -> None:
    variables = [Variable([1.0], name="w")]
    optimizer = LossScaleOptimizer(Adam(0.1), initial_scale=4.0, name="scaled")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    optimizer.apply([[float("nan")]], variables)
    assert optimizer.save_names == ["iter", "w/m", "w/v", "step_counter", "dynamic_scale"]
    again.build(variables)
    again.set_weights(optimizer.get_weights())
    assert scale_of(again) == 2.0
    again.set_weights([np.int32(0)])
    assert scale_of(again) == 4.0


@pytest.mark.parametrize("inner", [None, 3, LossScaleOptimizer("sgd")])
def test_inner_optimizers_that_are_none(inner: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="is"):
        LossScaleOptimizer(inner)


@pytest.mark.parametrize("settings", [{"initial_scale": 0.0}, {"initial_scale": None}, {"dynamic_growth_steps": 0}])
def test_settings_out_of_range(settings: Any) -> None:
    with pytest.raises(ArgumentError):
        LossScaleOptimizer("sgd", **settings)
