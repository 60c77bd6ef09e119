"""A backend at work: random streams, and a small model trained with ops alone."""

from __future__ import annotations

from typing import Any

import numpy as np

import lamina
from lamina.contract import Backend
from lamina.ops import adam_update
from lamina.ops.random import SeedGenerator
from lamina.testing.base import BackendTests
from lamina.testing.cases import random as reference
from lamina.testing.cases.activation import log_softmax
from lamina.testing.inputs import Array

STEPS = 30
SETTINGS: dict[str, Any] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


class RandomTests(BackendTests):
    """Streams are the same numbers on every backend."""

    area = "random streams"

    def test_uniform_is_the_reference_bit_for_bit(self, backend: Backend) -> None:
        drawn = lamina.random.uniform((1000,), seed=SeedGenerator(123)).numpy()
        expected = reference.uniform((123, 0), (1000,)).astype(np.float32)
        assert drawn.tobytes() == expected.tobytes(), f"{drawn[:3]}... is not the stream of lamina.random"

    def test_integers_are_the_reference_bit_for_bit(self, backend: Backend) -> None:
        drawn = lamina.random.randint((1000,), -7, 1000, seed=SeedGenerator(123)).numpy()
        assert drawn.tolist() == reference.integers((123, 0), (1000,), -7, 1000).tolist()

    def test_normal_is_the_reference_within_one_ulp(self, backend: Backend) -> None:
        drawn = lamina.random.normal((1000,), seed=SeedGenerator(123)).numpy()
        expected = reference.standard_normal((123, 0), (1000,)).astype(np.float32)
        np.testing.assert_array_max_ulp(drawn, expected, 1)

    def test_a_generator_goes_on_and_starts_anew(self, backend: Backend) -> None:
        generator = SeedGenerator(5)
        draws = [lamina.random.uniform((4,), seed=generator).numpy() for _ in range(3)]
        for number, draw in enumerate(draws):
            np.testing.assert_array_equal(draw, reference.uniform((5, number), (4,)).astype(np.float32))

    def test_numbers_are_spread_evenly(self, backend: Backend) -> None:
        drawn = lamina.random.uniform((20000,), seed=3).numpy()
        counts = np.histogram(drawn, 20, (0.0, 1.0))[0]
        assert float(((counts - 1000.0) ** 2 / 1000.0).sum()) < 50.0  # chi squared, 19 degrees: 1 in 10,000
        normal = lamina.random.normal((20000,), seed=3).numpy()
        assert abs(float(normal.mean())) < 0.03
        assert abs(float(normal.std()) - 1.0) < 0.03


class TrainingTests(BackendTests):
    """A two-layer classifier trained by a recorded step of ops."""

    area = "training runs"

    def test_a_recorded_training_run_agrees_with_numpy(self, backend: Backend) -> None:
        x, labels, weights = _problem()
        variables = [lamina.Variable(w.astype(np.float32)) for w in weights]
        moments = [lamina.Variable(np.zeros(w.shape, np.float32), trainable=False) for w in [*weights, *weights]]
        count = lamina.Variable(0.0, trainable=False)

        @lamina.function
        def step(x: Any, labels: Any) -> Any:
            def loss() -> Any:
                hidden = lamina.tanh(lamina.matmul(x, variables[0]) + variables[1])
                return lamina.softmax_cross_entropy(labels, lamina.matmul(hidden, variables[2])).mean()

            value, gradients = lamina.variable_grads(loss, variables)
            count.assign(count + 1.0)
            rate = lamina.sqrt(1.0 - 0.999**count) / (1.0 - 0.9**count) * 0.05
            listed = [gradients[v.name] for v in variables]
            updated = adam_update(rate, *variables, *listed, *moments, count=3, **SETTINGS)
            for variable, new in zip([*variables, *moments], updated, strict=True):
                variable.assign(new)
            return value

        x_tensor, labels_tensor = lamina.tensor(x.astype(np.float32)), lamina.tensor(labels.astype(np.float32))
        losses = [step(x_tensor, labels_tensor).item() for _ in range(STEPS)]
        assert "replays" in step.explain()
        assert losses[-1] < 0.5 * losses[0], f"the loss does not fall: {losses}"
        np.testing.assert_allclose(losses, _numpy_losses(x, labels, weights), 1e-5, 1e-5)


def _problem() -> tuple[Array, Array, list[Array]]:
    generator = np.random.default_rng(7)
    x = generator.standard_normal((24, 4))
    classes = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    weights = [generator.standard_normal((4, 8)) * 0.5, np.zeros(8), generator.standard_normal((8, 3)) * 0.5]
    return x, np.eye(3)[classes], weights


def _numpy_losses(x: Array, labels: Array, weights: list[Array]) -> list[float]:
    """The same run with derivatives by hand, in float64."""
    w1, b1, w2 = (w.copy() for w in weights)
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    losses = []
    for count in range(1, STEPS + 1):
        hidden = np.tanh(x @ w1 + b1)
        log_p = log_softmax(hidden @ w2)
        losses.append(float(-(labels * log_p).sum(-1).mean()))
        d_logits = (np.exp(log_p) - labels) / len(x)
        d_hidden = (d_logits @ w2.T) * (1.0 - hidden**2)
        gradients = (x.T @ d_hidden, d_hidden.sum(0), hidden.T @ d_logits)
        rate = 0.05 * np.sqrt(1.0 - 0.999**count) / (1.0 - 0.9**count)
        for w, g, m, v in zip((w1, b1, w2), gradients, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            w -= rate * m / (np.sqrt(v) + 1e-7)
    return losses
