"""TensorFlow's weighted losses: reductions, care with large numbers, gradients, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import losses
from lamina.errors import ArgumentError, LaminaError, OutOfRangeError, ShapeError
from lamina.losses import Reduction, weighted
from lamina.runtime.backends import get_backend
from lamina.testing.differences import Derivative

PAIRED = (
    weighted.absolute_difference,
    weighted.hinge_loss,
    weighted.huber_loss,
    weighted.log_loss,
    weighted.mean_squared_error,
    weighted.sigmoid_cross_entropy,
    weighted.softmax_cross_entropy,
)
VALUES = np.array([[4.0, 8.0, 12.0], [8.0, 1.0, 3.0]])
WEIGHTS = np.array([[1.0, 0.0, 2.0], [-5.0, 0.0, 6.0]])


@pytest.mark.parametrize(
    ("weights", "reduction", "expected"),
    [
        (None, "none", VALUES),
        (None, "sum", 36.0),
        (None, "mean", 6.0),
        (None, Reduction.SUM_BY_NONZERO_WEIGHTS, 6.0),
        (WEIGHTS, "none", VALUES * WEIGHTS),
        (WEIGHTS, "sum", 6.0),
        (WEIGHTS, "mean", 1.5),
        (WEIGHTS, "sum_by_nonzero_weights", 1.5),
        (2.0, "mean", 6.0),
        ([0.0, 1.0, 3.0], "mean", (9.0 + 45.0) / 8.0),
        ([0.0, 1.0, 3.0], "sum_by_nonzero_weights", 54.0 / 4.0),
        ([[1.0], [0.0]], "sum_by_nonzero_weights", 24.0 / 3.0),
    ],
)
def test_reductions(weights: Any, reduction: str, expected: Any) -> None:
    found = losses.compute_weighted_loss(VALUES.astype(np.float32), weights, reduction)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum_by_nonzero_weights"])
def test_nothing_that_weighs_is_zero_and_so_is_its_gradient(reduction: str) -> None:
    value, gradient = lamina.value_and_grad(lambda x: losses.compute_weighted_loss(x, [0.0, 0.0], reduction))(
        lamina.tensor([1.0, 2.0])
    )
    assert (value.item(), gradient.tolist()) == (0.0, [0.0, 0.0])


@pytest.mark.parametrize("reduction", list(Reduction))
def test_no_values_at_all(reduction: Reduction) -> None:
    for weights in (None, np.zeros((0, 3), np.float32), 1.0):
        found = losses.compute_weighted_loss(np.zeros((0, 3), np.float32), weights, reduction).numpy()
        assert found.shape == ((0, 3) if reduction == "none" else ())
        assert np.all(found == 0)


def test_a_reduction_is_its_string() -> None:
    assert [str(r) for r in Reduction] == ["none", "mean", "sum", "sum_by_nonzero_weights"]
    assert Reduction("sum") is Reduction.SUM
    assert {"mean": 1}[Reduction.MEAN] == 1


@pytest.mark.parametrize("size", [1e4, -1e4, 0.0, 1e-40, 88.0, -104.0])
def test_cross_entropies_are_exact_where_exponentials_overflow(size: float) -> None:
    logits = np.array([[size, 0.0, -size]], np.float32)
    labels = np.array([[0.25, 0.5, 0.25]], np.float32)
    x = logits.astype(np.longdouble)
    sigmoid = np.maximum(x, 0) - x * labels + np.log1p(np.exp(-np.abs(x)))
    shifted = x - x.max()
    softmax = -np.sum(labels * (shifted - np.log(np.sum(np.exp(shifted)))), axis=-1)
    found = losses.sigmoid_cross_entropy(labels, logits, reduction="none").numpy()
    np.testing.assert_array_max_ulp(found, sigmoid.astype(np.float32), 4)
    found = losses.softmax_cross_entropy(labels, logits, reduction="none").numpy()
    np.testing.assert_array_max_ulp(found, softmax.astype(np.float32), 4)


@pytest.mark.parametrize("name", ["sigmoid_cross_entropy", "softmax_cross_entropy"])
def test_gradients_of_large_logits_are_finite(name: str) -> None:
    logits = lamina.tensor([[1e4, -1e4, 0.0]])
    gradient = lamina.grad(lambda x: getattr(losses, name)([[0.0, 1.0, 0.0]], x))(logits)
    assert np.all(np.isfinite(gradient.numpy()))


def test_smoothed_labels() -> None:
    logits = np.array([[1.0, -2.0]], np.float32)
    smooth = losses.softmax_cross_entropy([[1.0, 0.0]], logits, label_smoothing=0.2)
    assert smooth.item() == pytest.approx(losses.softmax_cross_entropy([[0.9, 0.1]], logits).item())
    smooth = losses.sigmoid_cross_entropy([[1.0, 0.0]], logits, label_smoothing=0.2)
    assert smooth.item() == pytest.approx(losses.sigmoid_cross_entropy([[0.9, 0.1]], logits).item())


def test_each_loss_has_its_formula() -> None:
    t, p = np.array([0.0, 1.0, 1.0]), np.array([0.25, 0.5, 3.5])
    every = {
        weighted.absolute_difference: np.abs(t - p),
        weighted.hinge_loss: np.maximum(0, 1 - (2 * t - 1) * p),
        weighted.mean_squared_error: (t - p) ** 2,
        weighted.huber_loss: np.where(np.abs(t - p) <= 1, (t - p) ** 2 / 2, np.abs(t - p) - 0.5),
    }
    for loss, expected in every.items():
        np.testing.assert_allclose(loss(t, p, reduction="none").numpy(), expected)
    found = weighted.cosine_distance([t], [p], -1, reduction="none").numpy()
    np.testing.assert_allclose(found, [[1 - np.sum(t * p)]])
    p[2] = 0.75
    expected = -(t * np.log(p + 0.1) + (1 - t) * np.log(1.1 - p))
    np.testing.assert_allclose(weighted.log_loss(t, p, epsilon=0.1, reduction="none").numpy(), expected)


@pytest.mark.parametrize("reduction", ["mean", "sum_by_nonzero_weights", "none"])
@pytest.mark.parametrize("loss", PAIRED, ids=lambda f: f.__name__)
def test_gradients_of_labels_predictions_and_weights(loss: Any, reduction: str) -> None:
    generator = np.random.default_rng(0)
    shape = (4,) if loss is weighted.softmax_cross_entropy else (4, 3)
    arrays = [generator.uniform(0.1, 0.9, s) for s in ((4, 3), (4, 3), shape)]
    backend = get_backend()
    function = lambda tensors: [loss(*tensors, reduction=reduction)]  # noqa: E731
    first = Derivative(function, arrays, backend, "float64")
    assert first.by_tape() == pytest.approx(first.by_differences(), rel=1e-6)


@pytest.mark.parametrize("loss", PAIRED, ids=lambda f: f.__name__)
def test_bad_input(loss: Any) -> None:
    with pytest.raises(ShapeError, match="equal shapes"):
        loss(np.zeros((4, 3)), np.zeros((3, 3)))
    with pytest.raises(ShapeError):
        loss(np.zeros((4, 3)), np.zeros((4, 3)), np.zeros(5))
    with pytest.raises(ArgumentError, match="reduction"):
        loss(np.zeros((4, 3)), np.zeros((4, 3)), reduction="average")
    with pytest.raises(LaminaError):
        loss({}, np.zeros((4, 3)))


def test_bad_settings() -> None:
    with pytest.raises(ArgumentError, match="label_smoothing"):
        losses.softmax_cross_entropy([[1.0]], [[1.0]], label_smoothing=1.5)
    with pytest.raises(ArgumentError, match="delta"):
        losses.huber_loss([1.0], [1.0], delta=-1.0)
    with pytest.raises(OutOfRangeError):
        losses.cosine_distance([1.0], [1.0], 1)


def test_keras_keeps_its_mean_squared_error() -> None:
    assert losses.mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist() == [2.0]
    assert losses.weighted.mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).item() == 2.0


@pytest.mark.parametrize("loss", PAIRED, ids=lambda f: f.__name__)
def test_replayed_as_eager(loss: Any) -> None:
    step = lamina.function(lambda t, p, w: loss(t, p, w))
    shape = (2,) if loss is weighted.softmax_cross_entropy else (2, 1)
    for i in range(4):
        labels, predictions = np.eye(3, dtype=np.float32)[:2], np.full((2, 3), 0.2 + 0.1 * i, np.float32)
        weight = np.array([1.0, i], np.float32).reshape(shape)
        assert step(labels, predictions, weight).item() == loss(labels, predictions, weight).item()
    assert step.programs
