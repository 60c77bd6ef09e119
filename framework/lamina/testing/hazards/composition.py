"""Recorded steps with random numbers, gradients and other steps in them, at every level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.ops.random import SeedGenerator
from lamina.testing.base import BackendTests
from lamina.testing.cases import random as reference
from lamina.testing.hazards.common import CALLS, replayed


class CompositionHazards(BackendTests):
    """Steps with random numbers, gradients and other steps in them, at every level."""

    area = "recorded steps"

    def test_random_numbers_are_new_in_each_replay_and_equal_the_eager_stream(self, backend: Backend) -> None:
        generator = SeedGenerator(11)
        step = lamina.function(lambda: lamina.random.uniform((3,), seed=generator))
        for draw in range(CALLS):
            expected = reference.uniform((11, draw), (3,)).astype(np.float32)
            np.testing.assert_array_equal(step().numpy(), expected)
        assert replayed(step)

    def test_two_equal_draws_of_a_step_differ(self, backend: Backend) -> None:
        lamina.random.set_seed(3)

        @lamina.function
        def step() -> Any:
            return lamina.random.uniform((3,)), lamina.random.uniform((3,))

        seen = [tuple(part.numpy().tolist()) for _ in range(CALLS) for part in step()]
        assert len(set(seen)) == 2 * CALLS
        lamina.random.set_seed(3)
        assert [tuple(lamina.random.uniform((3,)).tolist()) for _ in range(2 * CALLS)] == seen
        assert replayed(step)

    def test_a_step_inside_a_step(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        inner = lamina.function(lambda x: v.assign(v + x).value * 2.0)
        outer = lamina.function(lambda x: inner(x) + inner(x))
        expected = 1.0
        for _ in range(CALLS):
            assert outer(lamina.tensor([1.0])).tolist() == [2.0 * (expected + 1.0) + 2.0 * (expected + 2.0)]
            expected += 2.0
        assert replayed(outer)

    def test_a_gradient_of_a_step(self, backend: Backend) -> None:
        step = lamina.function(lambda x: (x * x * x).sum())
        x = lamina.tensor([1.0, 2.0])
        for _ in range(CALLS):
            assert step(x).item() == 9.0
            assert lamina.grad(step)(x).tolist() == [3.0, 12.0]
        assert replayed(step)

    def test_a_step_of_a_gradient(self, backend: Backend) -> None:
        step = lamina.function(lamina.grad(lamina.grad(lambda x: (x * x * x).sum())))
        for call in range(CALLS):
            assert step(lamina.tensor([1.0, float(call)])).tolist() == [6.0, 6.0 * call]
        assert replayed(step)

    def test_methods_can_be_steps(self, backend: Backend) -> None:
        class Counter:
            def __init__(self) -> None:
                self.value = lamina.Variable(0.0)
                self.step = lamina.function(self.advance)

            def advance(self, by: Any) -> Any:
                return self.value.assign(self.value + by).value * 1.0

        first, second = Counter(), Counter()
        for call in range(CALLS):
            assert first.step(lamina.tensor(1.0)).item() == call + 1.0
            assert second.step(lamina.tensor(2.0)).item() == 2.0 * call + 2.0

    def test_all_levels_agree(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        """LAMINA_REPLAY bisects a wrong answer only if all its levels give the same one."""
        found = {}
        for level in ("off", "interpret", "nopasses", "on"):
            monkeypatch.setenv("LAMINA_REPLAY", level)
            found[level] = _small_run()
        for level, (losses, weights) in found.items():
            np.testing.assert_allclose(losses, found["off"][0], 1e-6, err_msg=level)
            np.testing.assert_allclose(weights, found["off"][1], 1e-5, 1e-7, err_msg=level)

    def test_an_unknown_level_is_an_error(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAMINA_REPLAY", "sometimes")
        with pytest.raises(ValueError, match="off, interpret, nopasses, on"):
            lamina.function(lambda x: x)(lamina.tensor(1.0))


def _small_run() -> tuple[list[float], Any]:
    generator = SeedGenerator(2)
    w = lamina.Variable(np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(3, 2), name="w")

    @lamina.function
    def step(x: Any) -> Any:
        noise = lamina.random.normal((4, 3), stddev=0.1, seed=generator)
        value, gradients = lamina.variable_grads(lambda: lamina.relu((x + noise) @ w).square().mean(), [w])
        slope = gradients["w"]
        assert slope is not None
        w.assign(w - slope * 0.1)
        return value

    x = lamina.tensor(np.linspace(-2.0, 2.0, 12, dtype=np.float32).reshape(4, 3))
    return [step(x).item() for _ in range(CALLS)], w.numpy()
