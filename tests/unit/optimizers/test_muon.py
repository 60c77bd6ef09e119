"""Muon: which Variables take which steps, and that its steps are nearly orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina import Variable
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.optimizers import AdamW, Muon


def slots(optimizer: Muon, variable: Variable) -> set[str]:
    optimizer.build([variable])
    return set(optimizer.slots_of(variable))


@pytest.mark.parametrize(
    ("shape", "name", "expected"),
    [
        ((3, 4), "dense/kernel", {"momentum"}),
        ((3, 4), "embedding/embeddings", {"m", "v"}),
        ((3, 4), "head/kernel", {"m", "v"}),
        ((4,), "dense/bias", {"m", "v"}),
        ((2, 2, 3, 4), "conv/kernel", {"m", "v"}),
        ((), "scale", {"m", "v"}),
    ],
)
def test_who_takes_which_steps(shape: Any, name: str, expected: set[str]) -> None:
    assert slots(Muon(exclude_layers=["^head"]), Variable(np.zeros(shape), name=name)) == expected


def test_embeddings_can_be_matrices_like_others() -> None:
    embeddings = Variable(np.zeros((3, 4)), name="embedding/embeddings")
    assert slots(Muon(exclude_embeddings=False), embeddings) == {"momentum"}


def test_the_rest_takes_the_steps_of_adamw() -> None:
    ours, theirs = Variable([1.0, -2.0]), Variable([1.0, -2.0])
    muon, adam = Muon(0.1, adam_weight_decay=0.2, adam_lr_ratio=0.5), AdamW(0.05, weight_decay=0.4)
    for gradient in ([1.0, 2.0], [-1.0, 0.5]):
        muon.apply([gradient], [ours])
        adam.apply([gradient], [theirs])
    assert ours.numpy() == pytest.approx(theirs.numpy(), rel=1e-6)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_steps_are_nearly_orthogonal(shape: tuple[int, int]) -> None:
    gradient = np.random.default_rng(0).normal(size=shape)
    w = Variable(np.zeros(shape, np.float32))
    Muon(1.0, weight_decay=None, rms_rate=None).apply([gradient], [w])
    stretch = max(1.0, shape[0] / shape[1]) ** 0.5
    values = np.linalg.svd(w.numpy() / stretch, compute_uv=False)
    assert np.all((values > 0.6) & (values < 1.3))


def test_weight_decay_of_each_kind() -> None:
    matrix, vector = Variable([[1.0, 1.0]], name="a"), Variable([1.0], name="b")
    optimizer = Muon(0.5, weight_decay=0.2, adam_weight_decay=0.4)
    optimizer.apply([[[0.0, 0.0]], [0.0]], [matrix, vector])
    assert matrix.numpy() == pytest.approx(np.array([[0.9, 0.9]]))
    assert vector.numpy() == pytest.approx(np.array([0.8]))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"exclude_layers": "head"}, ArgumentTypeError),
        ({"exclude_layers": ["("]}, ArgumentError),
        ({"ns_steps": 0}, ArgumentError),
        ({"rms_rate": -1.0}, ArgumentError),
        ({"momentum": True}, ArgumentTypeError),
    ],
)
def test_settings_out_of_range(settings: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Muon(**settings)
