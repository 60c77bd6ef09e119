"""TimeDistributed: a layer at each step."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentTypeError, ShapeError

X = np.random.default_rng(6).normal(size=(3, 4, 5, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 0, 1]], bool)


@pytest.mark.parametrize(
    "inner", [lambda: layers.Conv1D(3, 2), lambda: layers.Flatten(), lambda: layers.GRU(3), lambda: layers.Dropout(0.5)]
)
def test_equals_the_layer_at_each_step(inner):
    layer = inner()
    found = layers.TimeDistributed(layer)(X)
    expected = np.stack([layer(X[:, t]).numpy() for t in range(4)], 1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_statistics_are_those_of_each_step():
    wrapper = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    found = wrapper(X, training=True).numpy()
    np.testing.assert_allclose(found.mean((0, 2)), 0.0, atol=1e-5)
    mean = np.zeros(2)
    for step in X.mean((0, 2)):
        mean = 0.5 * mean + 0.5 * step
    np.testing.assert_allclose(wrapper.layer.moving_mean.numpy(), mean, atol=1e-5)


def test_a_model_inside():
    inner = lamina.Sequential([lamina.Input((5, 2)), layers.Flatten(), layers.Dense(3)])
    model = lamina.Sequential([lamina.Input((4, 5, 2)), layers.TimeDistributed(inner)])
    expected = np.stack([inner(X[:, t]).numpy() for t in range(4)], 1)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_several_outputs():
    output, state = layers.TimeDistributed(layers.GRU(3, return_state=True))(X)
    assert (output.shape, state.shape) == ((3, 4, 3), (3, 4, 3))


def test_a_layer_that_carries_states_goes_step_by_step():
    inner = layers.GRU(3, stateful=True)
    found = layers.TimeDistributed(inner)(X)
    whole = layers.GRU(3)
    whole(X[:, 0])
    whole.set_weights(inner.get_weights())
    expected = whole(X.reshape(3, 20, 2))
    np.testing.assert_allclose(found[:, -1].numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_the_inner_layer_gets_its_part_of_the_mask():
    class Kept(layers.Layer):
        def call(self, x, mask=None):
            return x * lamina.cast(mask, "float32")[:, None]

    x = lamina.tensor(X[..., 0])
    x._mask = lamina.tensor(MASK)
    found = layers.TimeDistributed(Kept())(x)
    np.testing.assert_array_equal(found.numpy(), X[..., 0] * MASK[..., None])
    assert found._mask is x._mask


def test_a_mask_of_other_steps():
    with pytest.raises(ShapeError, match="a mask of shape"):
        layers.TimeDistributed(layers.Dense(2))(X, mask=lamina.tensor(MASK[:, :3]))


def test_inner_losses_and_random_streams_are_the_wrappers():
    wrapper = layers.TimeDistributed(layers.Dense(2, kernel_regularizer="l2"))
    wrapper(X)
    assert len(wrapper.losses) == 1
    assert len(layers.TimeDistributed(layers.Dropout(0.5)).seed_generators) == 1


def test_refused():
    with pytest.raises(ArgumentTypeError, match="was given 3"):
        layers.TimeDistributed(3)
    with pytest.raises(ShapeError, match="at least 3 axes"):
        layers.TimeDistributed(layers.Dense(2))(X[:, :, 0, 0])
