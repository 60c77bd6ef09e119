"""The cross entropy of class numbers in a step: as without its slopes, and as eagerly where something is not usual."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, losses
from lamina.autodiff.gradients import gradients_of_variables
from lamina.models import Sequential
from lamina.ops.entropy import class_cross_entropy, class_log_loss
from lamina.utils import set_random_seed

LOGITS = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
LABELS = np.array([0, 2, 1, 1, 0])


def _changed(array: Any, place: Any, value: float) -> Any:
    found = array.copy()
    found[place] = value
    return found


@pytest.mark.parametrize(("labels", "logits"), [
    (LABELS, LOGITS),
    (_changed(LABELS, 1, -1), LOGITS),
    (_changed(LABELS, 1, 3).astype("i4"), LOGITS),
    (LABELS, _changed(LOGITS, (1, 0), np.inf)),
    (LABELS, _changed(LOGITS, 1, np.inf)),
    (LABELS, _changed(LOGITS, 1, -np.inf)),
    (LABELS, _changed(LOGITS, (1, 2), -np.inf)),
    (LABELS, _changed(LOGITS, (1, 1), np.nan)),
    (LABELS, LOGITS * 1000),
    (LABELS, np.round(LOGITS)),
    (LABELS, np.zeros_like(LOGITS)),
])  # fmt: skip
def test_a_recorded_step_gives_what_the_op_gives(labels: Any, logits: Any) -> None:
    weight = lamina.Variable(np.ones((3,), "f4"))

    def step(labels: Any, logits: Any) -> Any:
        found: list[Any] = []

        def loss() -> Any:
            found.append(class_cross_entropy(labels, logits * weight))
            return found[0].mean()

        _, ((_, gradient),) = gradients_of_variables(loss, [weight])
        return found[0], gradient

    recorded = lamina.function(step)
    usual = lamina.tensor(LABELS.astype(labels.dtype)), lamina.tensor(LOGITS)
    given = lamina.tensor(labels), lamina.tensor(logits)
    for _ in range(2):
        recorded(*usual)
        for mine, wanted in zip(recorded(*given), step(*given), strict=True):
            np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=2e-6, atol=1e-7)
    assert "2 class_cross_entropy" not in recorded.explain()
    assert "class_cross_entropy_gradient" not in recorded.explain().partition("NumPyExecutable")[2].partition("\n")[0]


@pytest.mark.parametrize(("labels", "shares"), [
    (LABELS, np.abs(LOGITS)),
    (_changed(LABELS, 1, -1), np.abs(LOGITS)),
    (LABELS, _changed(np.abs(LOGITS), (1, 2), 0.0)),
    (LABELS, _changed(np.abs(LOGITS), (1, 2), 1e9)),
    (LABELS, _changed(np.abs(LOGITS), (1, 1), np.inf)),
    (LABELS, _changed(np.abs(LOGITS), (1, 1), np.nan)),
    (LABELS, _changed(np.abs(LOGITS), 1, 0.0)),
    (LABELS, LOGITS),
])  # fmt: skip
def test_a_recorded_step_of_shares_gives_what_the_op_gives(labels: Any, shares: Any) -> None:
    weight = lamina.Variable(np.ones((3,), "f4"))

    def step(labels: Any, shares: Any) -> Any:
        found: list[Any] = []

        def loss() -> Any:
            found.append(class_log_loss(labels, shares * weight, epsilon=1e-7))
            return found[0].mean()

        _, ((_, gradient),) = gradients_of_variables(loss, [weight])
        return found[0], gradient

    recorded = lamina.function(step)
    usual = lamina.tensor(LABELS), lamina.tensor(np.abs(LOGITS))
    given = lamina.tensor(labels), lamina.tensor(shares)
    for _ in range(2):
        recorded(*usual)
        for mine, wanted in zip(recorded(*given), step(*given), strict=True):
            np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=2e-6, atol=1e-6)
    assert "class_log_loss_gradient" not in recorded.explain().partition("NumPyExecutable")[2].partition("\n")[0]


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_training_is_alike_without_kept_slopes(
    classes: int, weighted: bool, from_logits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = "class_cross_entropy_gradient" if from_logits else "class_log_loss_gradient"
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(24, 5)).astype("f4"), rng.integers(0, classes, 24), rng.uniform(size=24)
    found = []
    for without in ("", "kept-slopes"):
        monkeypatch.setenv("LAMINA_WITHOUT", without)
        set_random_seed(3)
        model = Sequential([layers.Input((5,)), layers.Dense(4, activation="relu"), *_last(classes, from_logits)])
        model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=from_logits))
        model.fit(x, y, 8, epochs=3, sample_weight=weights if weighted else None, shuffle=False, verbose=0)
        (entry,) = model._steps["train"]._entries.values()  # type: ignore[attr-defined]
        ops = [i.op for i in entry.executable._lanes.program.instructions]
        assert ops.count(op) == (1 if without else 0)
        found.append([*model.get_weights(), model.evaluate(x, y, verbose=0)])
    for mine, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-6)


def _last(classes: int, from_logits: bool) -> list[Any]:
    return [layers.Dense(classes)] if from_logits else [layers.Dense(classes, activation="softmax")]
