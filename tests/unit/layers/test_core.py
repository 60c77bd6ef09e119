"""What single layers do beyond what holds for all: training, unknown sizes, shapes from elsewhere, batch statistics."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, layers, ops
from lamina.errors import ArgumentError, LaminaError, NotBuiltError, ShapeError


class TestUnknownSizes:
    @pytest.mark.parametrize(
        ("layer", "shape", "expected"),
        [
            (layers.Dense(4), (None, 3), (None, None, 4)),
            (layers.Activation("relu"), (None, None, 3), (None, None, None, 3)),
            (layers.Dropout(0.5), (None, 3), (None, None, 3)),
            (layers.Flatten(), (None, 3), (None, None)),
            (layers.Flatten(), (2, 3), (None, 6)),
            (layers.Reshape((2, -1)), (None, 3), (None, 2, None)),
            (layers.Reshape((2, 3)), (None,), (None, 2, 3)),
            (layers.Reshape((2, -1)), (4, 3), (None, 2, 6)),
            (layers.BatchNormalization(), (None, None, 3), (None, None, None, 3)),
            (layers.Conv2D(4, 3), (None, None, 3), (None, None, None, 4)),
            (layers.Conv2D(4, 3, padding="same", strides=2), (7, None, 3), (None, 4, None, 4)),
            (layers.Conv2D(4, 3, data_format="channels_first"), (3, None, 9), (None, 4, None, 7)),
            (layers.MaxPooling2D(), (None, 6, 3), (None, None, 3, 3)),
            (layers.Embedding(5, 2), (None,), (None, None, 2)),
            (layers.LSTM(4), (None, 3), (None, 4)),
            (layers.LSTM(4, return_sequences=True), (None, 3), (None, None, 4)),
        ],
        ids=str,
    )
    def test_shape(self, layer, shape, expected):
        assert layer(Input(shape=shape)).shape == expected

    def test_a_known_batch(self):
        assert layers.Dense(4)(Input(batch_shape=(7, 3))).shape == (7, 4)
        assert layers.Dense(4)(Input(shape=(3,), batch_size=7)).shape == (7, 4)

    def test_two_inputs(self):
        a, b = Input(shape=(None, 3)), Input(shape=(None, 3))
        assert layers.Add()([a, b]).shape == (None, None, 3)
        assert layers.Concatenate()([a, b]).shape == (None, None, 6)
        assert layers.Add()([a, Input(shape=(4, 3))]).shape == (None, 4, 3)
        assert layers.Add()([a, Input(shape=(1, 3))]).shape == (None, None, 3)
        assert layers.Concatenate()([a, Input(shape=(4, 2))]).shape == (None, 4, 5)
        assert layers.Concatenate(axis=1)([a, Input(shape=(4, 3))]).shape == (None, None, 3)

    def test_several_outputs(self):
        shapes = [x.shape for x in layers.LSTM(4, return_state=True)(Input(shape=(5, 3)))]
        assert shapes == [(None, 4)] * 3


class TestInput:
    def test_names_and_dtypes(self):
        x = Input(shape=(3,), dtype="int32", name="words")
        assert (x.name, x.dtype, x.shape) == ("words", "int32", (None, 3))
        assert isinstance(x.layer, layers.InputLayer)

    def test_layer_and_config(self):
        layer = layers.InputLayer(shape=(3,), name="x")
        config = layer.get_config()
        assert config == {
            "batch_shape": [None, 3], "dtype": "float32", "sparse": False, "ragged": False, "optional": False,
            "name": "x",
        }  # fmt: skip
        assert layers.InputLayer.from_config(config).get_config() == config
        assert layers.InputLayer(input_tensor=layer.output).batch_shape == (None, 3)
        assert layers.InputLayer(input_shape=(3,)).output.shape == (None, 3)
        assert layers.InputLayer(batch_input_shape=(2, 3)).output.shape == (2, 3)

    def test_sparse_is_refused(self):
        with pytest.raises(ArgumentError, match="sparse"):
            layers.InputLayer(shape=(3,), sparse=True)


class TestDropout:
    def test_keeps_the_mean_and_scales(self):
        x = np.ones((100, 100), np.float32)
        y = layers.Dropout(0.25, seed=1)(x, training=True).numpy()
        assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75)}
        assert abs(y.mean() - 1) < 0.02

    def test_new_masks_each_time_and_the_same_with_the_same_seed(self):
        x = np.ones((4, 50), np.float32)
        one, other = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
        masks = [one(x, training=True).numpy() for _ in range(2)]
        assert not np.array_equal(*masks)
        for mask in masks:
            np.testing.assert_array_equal(other(x, training=True).numpy(), mask)

    def test_without_a_seed_it_follows_the_global_one(self):
        def masks():
            lamina.random.set_seed(5)
            layer, other = layers.Dropout(0.5), layers.Dropout(0.5)
            x = np.ones((4, 50), np.float32)
            return layer(x, training=True).tolist(), other(x, training=True).tolist()

        first, second = masks()
        assert first != second
        assert masks() == (first, second)

    def test_noise_shape(self):
        y = layers.Dropout(0.5, noise_shape=(None, 1), seed=2)(np.ones((50, 4), np.float32), training=True).numpy()
        assert (y == y[:, :1]).all()
        assert len(np.unique(y)) == 2

    @pytest.mark.parametrize(("rate", "expected"), [(0, 1.0), (1, 0.0)])
    def test_ends(self, rate, expected):
        assert layers.Dropout(rate)(np.ones((3, 3), np.float32), training=True).tolist() == [[expected] * 3] * 3

    def test_training_comes_from_the_layer_around_it(self):
        class Around(layers.Layer):
            def __init__(self, **common):
                super().__init__(**common)
                self.inner = layers.Dropout(0.5, seed=1)

            def call(self, x):
                return self.inner(x)

        x = np.ones((8, 8), np.float32)
        assert (Around()(x).numpy() == 1).all()
        model = lamina.Sequential([lamina.Input(shape=(8,)), Around()])
        assert (model(x).numpy() == 1).all()
        assert (model(x, training=True).numpy() == 0).any()


class TestBatchNormalization:
    def test_training_uses_the_batch_and_moves_the_moving_ones(self):
        layer = layers.BatchNormalization(momentum=0.9, epsilon=0.0)
        x = np.random.default_rng(1).normal(3.0, 2.0, (64, 5)).astype(np.float32)
        y = layer(x, training=True).numpy()
        np.testing.assert_allclose(y, (x - x.mean(0)) / x.std(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-5)

    def test_frozen_it_uses_the_moving_ones(self):
        layer = layers.BatchNormalization(trainable=False)
        x = np.array([[1.0], [3.0]], np.float32)
        np.testing.assert_allclose(layer(x, training=True).numpy(), x / np.sqrt(1.001), rtol=1e-6)
        assert layer.moving_mean.numpy().tolist() == [0.0]

    def test_a_mask_leaves_steps_out(self):
        x = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
        mask = np.array([[True, True, False], [True, False, False]])
        layer = layers.BatchNormalization(momentum=0.0, epsilon=0.0)
        layer(x, training=True, mask=lamina.tensor(mask))
        np.testing.assert_allclose(layer.moving_mean.numpy(), x[mask].mean(0), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance.numpy(), x[mask].var(0), rtol=1e-4)

    def test_weights(self):
        layer = layers.BatchNormalization(name="norm")
        layer(np.ones((2, 3), np.float32))
        assert [w.name for w in layer.trainable_weights] == ["norm/gamma", "norm/beta"]
        assert [w.name for w in layer.non_trainable_weights] == ["norm/moving_mean", "norm/moving_variance"]

    def test_an_axis_that_is_not_there(self):
        with pytest.raises(ShapeError, match="an axis 3"):
            layers.BatchNormalization(axis=3)(np.ones((2, 3), np.float32))


class TestEmbedding:
    @pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "uint8"])
    def test_indices_of_any_number_kind(self, dtype):
        layer = layers.Embedding(4, 2)
        found = layer(np.array([[0, 3]], dtype))
        np.testing.assert_array_equal(found.numpy()[0], layer.embeddings.numpy()[[0, 3]])

    def test_input_length_gives_the_input_shape(self):
        model = lamina.Sequential([layers.Embedding(4, 2, input_length=5)])
        assert model.output_shape == (None, 5, 2)

    def test_only_used_rows_get_gradients(self):
        layer = layers.Embedding(4, 2)
        layer(np.array([[1, 1]]))
        ((_, gradient),) = lamina.autodiff.gradients.gradients_of_variables(
            lambda: ops.sum(layer(np.array([[1, 1, 3]]))), layer.weights
        )[1]
        assert gradient.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


class TestRegularizersAndConstraints:
    def test_losses(self):
        layer = layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1", kernel_initializer="ones")
        assert layer.losses == []
        layer(np.ones((1, 3), np.float32))
        layer.bias.assign([1.0, -2.0])
        assert [round(loss.item(), 6) for loss in layer.losses] == [0.06, 0.03]

    def test_losses_of_calls_stand_before_those_of_weights_at_any_depth(self):
        settings = {"kernel_regularizer": "l2", "activity_regularizer": "l1", "kernel_initializer": "ones"}
        model = lamina.Sequential([layers.Dense(1, **settings), layers.Dense(1, **settings)])
        model(np.ones((1, 2), np.float32))
        assert [round(loss.item(), 5) for loss in model.losses] == [0.02, 0.02, 0.02, 0.01]

    def test_weights_that_are_not_trained_are_not_regularized(self):
        layer = layers.Dense(2, kernel_regularizer="l2")
        layer(np.ones((1, 3), np.float32))
        layer.trainable = False
        assert layer.losses == []

    def test_activity_regularizer(self):
        layer = layers.Dense(2, activity_regularizer="l2", kernel_initializer="ones", use_bias=False)
        layer(np.ones((2, 3), np.float32))
        assert [round(loss.item(), 5) for loss in layer.losses] == [round(0.01 * 4 * 9 / 2, 5)]  # divided by the batch
        config = layer.get_config()
        assert config["activity_regularizer"] == {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.01}}
        assert layers.Dense.from_config(config).get_config() == config

    def test_weights_that_are_set_stay_as_they_are(self):
        layer = layers.Dense(2, kernel_constraint="non_neg")
        layer(np.ones((1, 2), np.float32))
        layer.set_weights([[[1.0, -1.0], [-2.0, 2.0]], [-1.0, 0.0]])
        assert layer.kernel.numpy().tolist() == [[1.0, -1.0], [-2.0, 2.0]]


class TestCalls:
    def test_on_lists_arrays_and_tensors(self):
        layer = layers.Activation("relu")
        for x in ([-1.0, 2.0], np.array([-1.0, 2.0]), lamina.tensor([-1.0, 2.0])):
            assert layer(x).tolist() == [0.0, 2.0]
            assert layer.apply(x).tolist() == [0.0, 2.0]

    def test_input_and_output_of_one_call(self):
        layer = layers.Dense(2)
        x = Input(shape=(3,))
        y = layer(x)
        assert layer.input is x
        assert layer.output is y
        assert (layer.input_shape, layer.output_shape) == ((None, 3), (None, 2))
        layer(Input(shape=(3,)))
        with pytest.raises(LaminaError, match="2 times"):
            _ = layer.output

    def test_weights_on_the_backend_of_the_input(self):
        pytest.importorskip("torch", reason="torch is not installed")
        with lamina.backend_scope("torch"):
            x = lamina.ones((2, 3))
        layer = layers.Dense(4)
        assert layer(x).backend.name == "torch"
        assert {w.backend.name for w in layer.weights} == {"torch"}

    def test_an_error_names_the_layers_from_the_inside_out(self):
        class Outer(layers.Layer):
            def __init__(self, **common):
                super().__init__(**common)
                self.inner = layers.Reshape((7,), name="inner")

            def call(self, x):
                return self.inner(x)

        with pytest.raises(ShapeError) as caught:
            Outer(name="outer")(np.ones((2, 3), np.float32))
        assert caught.value.__notes__ == [
            "  In layer 'inner' (Reshape).",
            f"  In layer 'outer' (Outer of {__name__}).",
        ]

    def test_count_params_before_it_is_built(self):
        with pytest.raises(NotBuiltError):
            layers.Dense(3).count_params()


def test_automatic_names_count():
    from lamina.layers.naming import clear_names

    clear_names()
    found = [layers.Dense(1).name, layers.Dense(1).name, layers.Conv2D(1, 1).name, layers.LSTM(1).name]
    assert found == ["dense", "dense_1", "conv2d", "lstm"]
    assert layers.BatchNormalization().name == "batch_normalization"
    clear_names()
    assert layers.Dense(1).name == "dense"
