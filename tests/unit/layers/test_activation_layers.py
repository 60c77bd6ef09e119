"""Layers of activation functions: masks of the softmax, shared slopes, settings that are refused."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, layers, ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError

X = np.array([[0.0, 1.0, 2.0], [3e38, -3e38, 0.0]], np.float32)


class TestSoftmax:
    def test_what_a_mask_leaves(self):
        found = layers.Softmax()(X, mask=np.array([[True, False, True], [True, True, False]]))
        np.testing.assert_allclose(found, [[1 / (1 + np.exp(2)), 0, 1 / (1 + np.exp(-2))], [1, 0, 0]], rtol=1e-6)
        np.testing.assert_array_equal(found.mask, [[True, False, True], [True, True, False]])

    def test_nothing_left_gives_zero_with_zero_gradients(self):
        layer, mask = layers.Softmax(), np.zeros((2, 3), bool)
        assert (layer(X, mask=mask).numpy() == 0).all()
        gradient = lamina.grad(lambda x: (layer(x, mask=mask) * [1.0, 2.0, 3.0]).sum())(X)
        assert (gradient.numpy() == 0).all()

    def test_a_mask_of_numbers_broadcasts(self):
        found = layers.Softmax(axis=[0, 1])(ops.zeros((2, 3)), mask=np.array([1.0, 0.0, 1.0]))
        assert found.tolist() == [[0.25, 0.0, 0.25]] * 2

    def test_masks_that_do_not_fit(self):
        with pytest.raises(ShapeError):
            layers.Softmax()(X, mask=np.ones((2, 2), bool))
        with pytest.raises(ShapeError, match="mask to broadcast to x"):
            layers.Softmax()(X, mask=np.ones((2, 2, 3), bool))

    def test_axes(self):
        with pytest.raises(ShapeError, match="an axis 2"):
            layers.Softmax(axis=2)(X)
        with pytest.raises(ArgumentError, match="at most once"):
            layers.Softmax(axis=[1, -1])(X)
        with pytest.raises(ArgumentError):
            layers.Softmax(axis=[])
        with pytest.raises(ArgumentTypeError):
            layers.Softmax(axis="last")
        assert layers.Softmax(axis=(0, 1)).get_config()["axis"] == [0, 1]

    def test_unknown_sizes(self):
        assert layers.Softmax(axis=[1, 2])(Input(shape=(None, 3))).shape == (None, None, 3)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (layers.ReLU, {"max_value": -1.0}),
        (layers.ReLU, {"negative_slope": -0.5}),
        (layers.ReLU, {"threshold": float("nan")}),
        (layers.LeakyReLU, {"negative_slope": -0.5}),
        (layers.ELU, {"alpha": float("inf")}),
        (layers.ThresholdedReLU, {"theta": -1.0}),
        (layers.PReLU, {"shared_axes": 0}),
        (layers.PReLU, {"shared_axes": [1, -1]}),
    ],
)
def test_settings_out_of_range(kind, settings):
    (name,) = settings
    with pytest.raises(ArgumentError, match=name):
        kind(**settings)


@pytest.mark.parametrize("value", [True, "1", [1.0]])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (layers.ReLU, "max_value"),
        (layers.ReLU, "threshold"),
        (layers.LeakyReLU, "negative_slope"),
        (layers.ELU, "alpha"),
        (layers.ThresholdedReLU, "theta"),
    ],
)
def test_settings_of_another_kind(kind, name, value):
    with pytest.raises(ArgumentTypeError, match=name):
        kind(**{name: value})


def test_the_older_name_of_the_slope():
    assert layers.LeakyReLU.from_config({"alpha": 0.2}).negative_slope == 0.2


class TestPReLU:
    def test_shared_axes(self):
        layer = layers.PReLU(shared_axes=(1, 2), alpha_initializer="ones", alpha_regularizer="l2")
        assert layer(lamina.ones((2, 4, 5, 3))).shape == (2, 4, 5, 3)
        assert layer.alpha.shape == (1, 1, 3)
        assert layer(lamina.ones((1, 7, 2, 3))).shape == (1, 7, 2, 3)
        assert len(layer.losses) == 1
        assert layer.get_config()["shared_axes"] == [1, 2]

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ShapeError, match="an axis 2"):
            layers.PReLU(shared_axes=2)(lamina.ones((2, 3)))
        layer = layers.PReLU()
        layer(lamina.ones((2, 3)))
        for shape in ((2, 4), (2, 3, 3)):
            with pytest.raises(ShapeError, match="shared_axes"):
                layer(lamina.ones(shape))
