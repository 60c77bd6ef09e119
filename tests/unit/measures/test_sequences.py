"""Losses of sequences and of embeddings against counting every case."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import lamina
from lamina import grad, losses, measures, ops
from lamina.errors import ShapeError


def read(path: tuple[int, ...]) -> list[int]:
    """The labels of an alignment: repetitions count once, blanks not at all."""
    return [kind for i, kind in enumerate(path) if kind and (not i or path[i - 1] != kind)]


@pytest.mark.parametrize("labels", [[1, 2], [1, 1], [2, 0], [0, 0]])
def test_ctc_adds_up_all_alignments(labels: list[int]) -> None:
    logits = np.random.default_rng(4).normal(size=(1, 5, 3)).astype(np.float32)
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    wanted = sum(
        np.prod(shares[np.arange(5), path])
        for path in itertools.product(range(3), repeat=5)
        if read(path) == [kind for kind in labels if kind]
    )
    np.testing.assert_allclose(measures.ctc([labels], logits).numpy(), [-np.log(wanted)], rtol=1e-5)


def test_ctc_has_a_gradient_and_is_replayed() -> None:
    rng = np.random.default_rng(2)
    labels = np.array([[1, 2, 0], [2, 2, 1]], np.int32)
    step = lamina.function(lambda p: losses.CTC()(labels, p))
    for _ in range(4):
        logits = rng.normal(size=(2, 7, 4)).astype(np.float32)
        assert step(logits).item() == pytest.approx(losses.CTC()(labels, logits).item(), rel=1e-6)
    direction, near = rng.normal(size=logits.shape), 1e-3
    slope = float(np.sum(grad(lambda p: losses.CTC()(labels, p))(logits).numpy() * direction))
    ends = [losses.CTC()(labels, (logits + sign * near * direction)).item() for sign in (1, -1)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * near), rel=1e-2)


def test_circle_has_a_mask_where_there_is_nothing_to_compare() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
    values = losses.circle([0, 0, 1], vectors, gamma=2.0)
    assert ops.greater(values, 0.0).tolist() == values.mask.tolist() == [True, True, False]
    loss = losses.Circle(gamma=2.0)([0, 0, 1], vectors).item()
    assert loss == pytest.approx(values.numpy()[:2].mean(), rel=1e-5)


def test_circle_with_references() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    own = losses.circle([0, 1], vectors, remove_diagonal=False).numpy()
    np.testing.assert_allclose(losses.circle([0, 1], vectors, [0, 1], vectors, remove_diagonal=False).numpy(), own)


@pytest.mark.parametrize(
    "call",
    [
        lambda: measures.ctc([1, 2], np.zeros((2, 5, 3))),
        lambda: measures.ctc([[1, 2]], np.zeros((2, 5, 3))),
        lambda: measures.circle([0, 1, 2], np.zeros((2, 3))),
        lambda: measures.circle([0, 1], np.zeros((2, 3)), [0], np.zeros((1, 4))),
    ],
)
def test_bad_shapes(call: object) -> None:
    with pytest.raises(ShapeError):
        call()  # type: ignore[operator]
