"""Noise layers: what they do in training, seeds, shapes and settings."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError

ONES = lamina.ones((200, 5, 40))


def trained(layer, x=ONES):
    return layer(x, training=True).numpy()


class TestDropout:
    def test_shared_along_axes(self):
        found = trained(layers.Dropout(0.5, noise_shape=(None, 1, None)))
        assert (found == found[:, :1]).all()
        assert set(np.unique(found)) == {0.0, 2.0}

    def test_a_noise_shape_of_fewer_axes_is_shared_by_the_batch(self):
        found = trained(layers.Dropout(0.5, noise_shape=(40,)))
        assert (found == found[:1, :1]).all()

    @pytest.mark.parametrize("sizes", [(1, 2), (3, None), (200, 5, 40, 1), (None, 40)])
    def test_a_noise_shape_that_does_not_fit(self, sizes):
        with pytest.raises(ShapeError, match="noise_shape"):
            layers.Dropout(0.5, noise_shape=sizes)(ONES)

    @pytest.mark.parametrize("kind", [layers.Dropout, layers.AlphaDropout])
    def test_a_noise_shape_with_a_batch_fits_other_batches_outside_training(self, kind):
        layer = kind(0.5, noise_shape=(2, 1, 3))
        assert layer(np.ones((4, 5, 3))).shape == (4, 5, 3)
        assert layer(np.ones((2, 5, 3)), training=True).shape == (2, 5, 3)
        with pytest.raises(ShapeError, match=r"noise_shape \(2, 1, 3\) got an input of shape \(4, 5, 3\)"):
            layer(np.ones((4, 5, 3)), training=True)

    def test_noise_shapes_that_are_none(self):
        with pytest.raises(ArgumentTypeError, match=r"noise_shape\[1\]"):
            layers.Dropout(0.5, noise_shape=(1, "a"))
        with pytest.raises(ArgumentTypeError, match="noise_shape is 3"):
            layers.Dropout(0.5, noise_shape=3)
        with pytest.raises(ArgumentError, match=r"noise_shape\[0\]"):
            layers.Dropout(0.5, noise_shape=(0, 1))

    def test_config(self):
        config = layers.Dropout(0.5, (None, 1), 3, name="d").get_config()
        assert config == {
            "name": "d", "trainable": True, "dtype": "float32", "rate": 0.5, "noise_shape": [None, 1], "seed": 3,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (layers.SpatialDropout1D(0.5), (20, 5, 10), (1,)),
        (layers.SpatialDropout2D(0.5), (20, 5, 4, 10), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first"), (20, 10, 5, 4), (2, 3)),
        (layers.SpatialDropout3D(0.5), (20, 3, 5, 4, 10), (1, 2, 3)),
        (layers.SpatialDropout3D(0.5, data_format="channels_first"), (20, 10, 5, 4, 3), (2, 3, 4)),
    ],
)
def test_whole_channels(layer, shape, shared):
    found = trained(layer, lamina.ones(shape))
    assert (found == found.max(shared, keepdims=True)).all()
    assert set(np.unique(found)) == {0.0, 2.0}
    with pytest.raises(ShapeError, match="channels"):
        layer(lamina.ones((2, 3)))


def test_data_formats():
    with pytest.raises(ArgumentError, match="channels_last"):
        layers.SpatialDropout2D(0.5, data_format="nchw")


class TestNormalNumbers:
    def test_are_added(self):
        found = trained(layers.GaussianNoise(0.5, seed=1))
        assert abs(found.mean() - 1) < 0.01
        assert abs(found.std() - 0.5) < 0.01

    def test_are_multiplied(self):
        found = trained(layers.GaussianDropout(0.2, seed=1), 2.0 * ONES)
        assert abs(found.mean() - 2) < 0.02
        assert abs(found.std() - 2 * np.sqrt(0.25)) < 0.02

    def test_none_at_the_ends(self):
        assert (trained(layers.GaussianNoise(0.0)) == 1).all()
        assert (trained(layers.GaussianDropout(0.0)) == 1).all()


class TestAlphaDropout:
    def test_keeps_mean_and_variance(self):
        x = lamina.random.normal((40000,), seed=3)
        found = trained(layers.AlphaDropout(0.4, seed=2), x)
        assert abs(found.mean() - x.numpy().mean()) < 0.02
        assert abs(found.std() - 1) < 0.02
        assert trained(layers.AlphaDropout(0.0)).min() == 1

    def test_shared_along_axes(self):
        found = trained(layers.AlphaDropout(0.5, noise_shape=(None, 1, None)))
        assert (found == found[:, :1]).all()
        assert len(np.unique(found)) == 2


@pytest.mark.parametrize("kind", [layers.GaussianDropout, layers.AlphaDropout])
def test_a_rate_of_one_leaves_nothing_to_scale(kind):
    layer = kind(1.0)
    assert (layer(ONES).numpy() == 1).all()
    with pytest.raises(ArgumentError, match="rate below 1"):
        trained(layer)


EVERY = {
    layers.Dropout: "rate",
    layers.SpatialDropout1D: "rate",
    layers.SpatialDropout2D: "rate",
    layers.GaussianNoise: "stddev",
    layers.GaussianDropout: "rate",
    layers.AlphaDropout: "rate",
}


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
class TestEvery:
    def test_the_same_seed_gives_the_same_numbers_and_each_call_new_ones(self, kind):
        first, second, other = (kind(0.5, seed=seed) for seed in (7, 7, 8))
        x = lamina.ones((4, 3, 5, 8)) if kind is layers.SpatialDropout2D else ONES
        a, b = trained(first, x), trained(first, x)
        assert (a != b).any()
        np.testing.assert_array_equal(trained(second, x), a)
        assert (trained(other, x) != a).any()

    @pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
    def test_out_of_range(self, kind, value):
        with pytest.raises(ArgumentError, match=EVERY[kind]):
            kind(value)

    @pytest.mark.parametrize("value", [True, "0.5", None])
    def test_of_another_kind(self, kind, value):
        with pytest.raises(ArgumentTypeError, match=EVERY[kind]):
            kind(value)

    def test_seeds(self, kind):
        with pytest.raises(ArgumentTypeError, match="seed"):
            kind(0.5, seed="7")
