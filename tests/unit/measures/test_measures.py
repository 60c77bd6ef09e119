"""What measures refuse, and where their gradients vanish; their values are compared with Keras's as losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina import grad, measures, ops
from lamina.errors import OutOfRangeError, ShapeError

PAIRED = (
    measures.binary_crossentropy, measures.binary_focal_crossentropy, measures.categorical_crossentropy,
    measures.categorical_focal_crossentropy, measures.categorical_hinge, measures.dice, measures.hinge,
    measures.kl_divergence, measures.poisson, measures.squared_hinge, measures.tversky,
)  # fmt: skip


@pytest.mark.parametrize("measure", PAIRED, ids=lambda f: f.__name__)
def test_shapes_must_be_equal(measure: Any) -> None:
    with pytest.raises(ShapeError, match=measure.__name__):
        measure(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ShapeError, match="at least one axis"):
        measure(1.0, 0.5)


@pytest.mark.parametrize("measure", PAIRED, ids=lambda f: f.__name__)
def test_a_last_axis_of_size_1_may_be_left_out(measure: Any) -> None:
    labels, scores = np.array([0.0, 1.0, 1.0], np.float32), np.array([[0.2], [0.7], [0.6]], np.float32)
    np.testing.assert_array_equal(measure(labels, scores).numpy(), measure(labels[:, None], scores).numpy())


def test_class_numbers() -> None:
    scores = ops.zeros((2, 3, 4))
    assert measures.class_numbers("m", np.zeros((2, 3, 1)), scores).shape == (2, 3)
    assert measures.class_numbers("m", np.zeros((2, 1, 4)), scores, 1).shape == (2, 4)
    assert measures.class_numbers("m", np.zeros((2, 3), np.int64), scores).dtype == "int64"
    with pytest.raises(ShapeError, match=r"y_true to be \(2, 3\), a class number for each prediction"):
        measures.class_numbers("m", np.zeros((3, 2)), scores)
    with pytest.raises(OutOfRangeError):
        measures.class_numbers("m", np.zeros((2, 3)), scores, 3)


def test_a_vector_of_length_zero_has_no_direction() -> None:
    zero, vector = np.zeros((1, 3), np.float32), np.array([[1.0, 2.0, 2.0]], np.float32)
    assert measures.cosine_similarity(vector, zero).tolist() == [0.0]
    assert grad(lambda p: measures.cosine_similarity(vector, p).sum())(zero).tolist() == [[0.0, 0.0, 0.0]]
    short = measures.cosine_similarity(vector, vector * np.float32(1e-5)).numpy()
    np.testing.assert_allclose(short, [-1.0], rtol=1e-6)


def test_hinges_take_labels_of_either_kind() -> None:
    scores = np.array([[0.3, -0.4, 2.0]], np.float32)
    for hinge in (measures.hinge, measures.squared_hinge):
        assert hinge([[0.0, 1.0, 1.0]], scores).tolist() == hinge([[-1.0, 1.0, 1.0]], scores).tolist()
        assert hinge([[0.0, 1.0, 2.0]], scores).tolist() != hinge([[-1.0, 1.0, 1.0]], scores).tolist()


def test_overlaps_by_sample() -> None:
    labels = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], np.float32)
    np.testing.assert_allclose(measures.dice(labels, labels, axis=[1]).numpy(), [0.0, 0.0], atol=1e-6)
    wrong = 1.0 - labels
    np.testing.assert_allclose(measures.tversky(labels, wrong, axis=(0, 1)).numpy(), 1.0)


def test_huber_is_half_the_square_up_to_delta() -> None:
    errors = np.array([[0.5, 1.0, 3.0]], np.float32)
    slope = grad(lambda p: measures.huber(np.zeros((1, 3), np.float32), p, delta=1.0).sum())(errors)
    np.testing.assert_allclose(slope.numpy() * 3.0, [[0.5, 1.0, 1.0]], rtol=1e-6)


def test_a_label_of_less_confidence_costs_less_in_focal_entropies() -> None:
    labels = np.array([[1.0, 0.0]], np.float32)
    sure, unsure = np.array([[0.9, 0.1]], np.float32), np.array([[0.6, 0.4]], np.float32)
    for focal, plain in (
        (measures.binary_focal_crossentropy, measures.binary_crossentropy),
        (measures.categorical_focal_crossentropy, measures.categorical_crossentropy),
    ):
        share = [focal(labels, p).item() / plain(labels, p).item() for p in (sure, unsure)]
        assert share[0] < share[1] < 1.0
