"""Normalizing layers: what the check of every layer does not say of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina import Input, layers
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError

X = np.random.default_rng(2).normal(size=(8, 4, 6)).astype(np.float32)


class TestBatchRenormalization:
    def test_training_leads_to_what_is_computed_otherwise(self):
        layer = layers.BatchNormalization(renorm=True, renorm_momentum=0.5, momentum=0.5)
        for _ in range(40):
            trained = layer(X, training=True)
        np.testing.assert_allclose(trained, layer(X), atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance, X.var((0, 1)), rtol=1e-3)

    def test_clipped_to_nothing_it_is_the_batch(self):
        layer = layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 1.0, "rmax": 1.0, "dmax": 0.0})
        plain = layers.BatchNormalization()
        np.testing.assert_allclose(layer(X, training=True), plain(X, training=True), atol=1e-5)

    @pytest.mark.parametrize("given", [{"max": 1.0}, {"rmin": 2.0, "rmax": 1.0}, {"dmax": -1.0}])
    def test_bounds_that_are_none(self, given):
        with pytest.raises(ArgumentError, match="renorm_clipping"):
            layers.BatchNormalization(renorm=True, renorm_clipping=given)
        with pytest.raises(ArgumentTypeError, match="renorm_clipping"):
            layers.BatchNormalization(renorm=True, renorm_clipping=[1.0])

    def test_config(self):
        config = layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 3}).get_config()
        assert config["renorm_clipping"] == {"rmax": 3.0}
        assert config["synchronized"] is False
        assert layers.BatchNormalization().get_config()["renorm_clipping"] is None


@pytest.mark.parametrize(
    "kind", [layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.RMSNormalization]
)
class TestCommon:
    def test_epsilon(self, kind):
        for epsilon in (-1.0, float("nan")):
            with pytest.raises(ArgumentError, match="epsilon"):
                kind(epsilon=epsilon)
        with pytest.raises(ArgumentTypeError, match="epsilon"):
            kind(epsilon="1")

    def test_axes_that_are_not_there(self, kind):
        with pytest.raises(ShapeError, match=rf"{kind.__name__} got an input of shape \(2, 3\)(.|\n)*an axis 2"):
            kind(axis=2)(lamina.ones((2, 3)))
        with pytest.raises(ArgumentTypeError, match="axis"):
            kind(axis="last")
        with pytest.raises(ArgumentTypeError, match="axis"):
            kind(axis=1.5)

    def test_another_size_than_it_was_built_for(self, kind):
        layer = kind(groups=1) if kind is layers.GroupNormalization else kind()
        layer(lamina.ones((2, 3)))
        with pytest.raises(ShapeError, match=r"axis 1 to be 3, as in the \(None, 3\) it was built for"):
            layer(lamina.ones((2, 4)))


@pytest.mark.parametrize("kind", [layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization])
def test_several_axes(kind):
    with pytest.raises(ArgumentError, match="at most once"):
        kind(axis=[1, -2])(X)
    with pytest.raises(ArgumentError, match="axis is empty"):
        kind(axis=[])
    assert kind(axis=(2, 1)).get_config()["axis"] == [2, 1]
    assert kind(axis=(-1, 1))(Input(shape=(4, 6))).shape == (None, 4, 6)


def test_a_row_of_equal_numbers_gives_beta():
    for size in (3, 10, 33):
        x = np.full((2, size), 32.999992, np.float32)
        found = layers.LayerNormalization(beta_initializer="ones")(x)
        np.testing.assert_array_equal(found, np.ones((2, size)))


def test_mean_and_variance_of_far_away_numbers():
    x = 1e4 + X
    expected = (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layers.LayerNormalization()(x), expected, atol=5e-3)


def test_without_scale_the_root_of_the_variance_is_scaled_all_the_same():
    layer = layers.LayerNormalization(scale=False, center=True, rms_scaling=True)
    layer(X)
    assert [v.name.split("/")[-1] for v in layer.weights] == ["gamma"]


class TestGroups:
    @pytest.mark.parametrize("groups", [4, 12])
    def test_that_do_not_divide_the_channels(self, groups):
        with pytest.raises(ShapeError, match=rf"divided into {groups} groups, not 6"):
            layers.GroupNormalization(groups)(X)

    @pytest.mark.parametrize("groups", [0, -2])
    def test_that_are_none(self, groups):
        with pytest.raises(ArgumentError, match="groups"):
            layers.GroupNormalization(groups)

    def test_channels_are_not_the_batch(self):
        with pytest.raises(ShapeError, match="not the batch"):
            layers.GroupNormalization(1, axis=0)(X)


class TestSpectral:
    def test_in_training_the_kernel_has_the_norm_one(self):
        values = np.diag(np.arange(6.0, 0.0, -1.0))[:, :5]  # iterations by power tell values apart that are far apart
        wrapped = layers.Dense(5, kernel_initializer=lamina.initializers.Constant(values))
        layer = layers.SpectralNormalization(wrapped, power_iterations=30)
        x = X[:, 0]
        plain = layer(x).numpy()
        kernel = layer.layer.kernel.numpy()
        np.testing.assert_allclose(layer(x, training=True), plain / np.linalg.norm(kernel, 2), rtol=1e-3, atol=1e-5)
        np.testing.assert_array_equal(layer.layer.kernel, kernel)
        np.testing.assert_array_equal(layer(x), plain)

    def test_it_is_trained(self):
        model = lamina.Sequential([layers.SpectralNormalization(layers.Dense(1), input_shape=(6,))])
        model.compile(optimizer=lamina.optimizers.Adam(0.05), loss="mse")
        x, y = X[:, 0], X[:, 0, :1]
        first, *_, last = model.fit(x, y, epochs=60, verbose=0).history["loss"]
        assert last < 0.7 * first

    def test_a_frozen_layer_stays_frozen(self):
        layer = layers.SpectralNormalization(layers.Dense(2))
        layer(X)
        layer.layer.trainable = False
        assert layer.trainable_weights == []
        layer.layer.trainable = True
        assert [v.name.split("/")[-1] for v in layer.trainable_weights] == ["kernel", "bias"]

    def test_embeddings(self):
        inner = layers.Embedding(5, 2, mask_zero=True, weights=[X[0, :1].reshape(3, 2)[[0, 1, 2, 0, 1]]])
        layer = layers.SpectralNormalization(inner, power_iterations=50)
        found = layer(np.array([[1, 0]]), training=True)
        assert found.mask.tolist() == [[True, False]]
        table = layer.layer.embeddings.numpy()
        np.testing.assert_allclose(found, [table[[1, 0]] / np.linalg.norm(table, 2)], rtol=1e-3)

    def test_a_kernel_of_zeros_stays(self):
        layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
        assert (layer(X, training=True).numpy() == 0).all()

    def test_a_layer_without_a_kernel(self):
        with pytest.raises(ArgumentTypeError, match="wraps the ReLU"):
            layers.SpectralNormalization(layers.ReLU())(X)
        with pytest.raises(ArgumentError, match="power_iterations"):
            layers.SpectralNormalization(layers.Dense(2), power_iterations=0)


class TestNormalization:
    def check(self, layer, data=X):
        np.testing.assert_allclose(layer.mean, data.mean((0, 1)), atol=1e-6)
        np.testing.assert_allclose(layer.variance, data.var((0, 1)), rtol=1e-5)
        expected = (data - data.mean((0, 1))) / data.std((0, 1))
        np.testing.assert_allclose(layer(data), expected, atol=1e-5)

    def test_learned_from_an_array(self):
        layer = layers.Normalization(name="n")
        layer.adapt(X)
        self.check(layer)
        assert [(v.name, v.shape, v.dtype, v.trainable) for v in layer.weights] == [
            ("n/mean", (6,), "float32", False),
            ("n/variance", (6,), "float32", False),
            ("n/count", (), "int32", False),
        ]

    @pytest.mark.parametrize(
        "data",
        [lambda: lamina.tensor(X), lambda: X.tolist(), lambda: lamina.data.from_arrays(X).batch(3),
         lambda: (X[i : i + 3] for i in range(0, 8, 3))],
        ids=["tensor", "list", "dataset", "generator"],
    )  # fmt: skip
    def test_learned_from(self, data):
        layer = layers.Normalization()
        layer.adapt(data())
        self.check(layer)

    def test_learned_from_a_frame(self):
        layer = layers.Normalization()
        layer.adapt(pd.DataFrame({"a": [1.0, 3.0], "b": [10.0, 30.0]}))
        assert layer.mean.numpy().tolist() == [2.0, 20.0]

    def test_integers(self):
        layer = layers.Normalization(axis=None, mean=0.5, variance=4.0)
        assert layer(np.array([[1, 2]])).tolist() == [[0.25, 0.75]]
        assert layer.get_config()["axis"] == []

    def test_the_output_has_the_shape_of_the_input(self):
        assert layers.Normalization(axis=0).compute_output_shape((None, 3)) == (None, 3)

    def test_learned_anew(self):
        layer = layers.Normalization()
        layer.adapt(100.0 + X)
        layer.adapt(X)
        self.check(layer)

    def test_far_away_numbers_in_batches(self):
        layer = layers.Normalization(dtype="float64")
        layer.adapt(1e8 + X[i : i + 3].astype(np.float64) for i in range(0, 8, 3))
        np.testing.assert_allclose(layer.variance, X.astype(np.float64).var((0, 1)), rtol=1e-5)

    @pytest.mark.parametrize(("axis", "shape"), [(None, ()), ([], ()), (1, (4,)), ([1, -1], (4, 6)), ((2,), (6,))])
    def test_axes(self, axis, shape):
        layer = layers.Normalization(axis=axis)
        layer.adapt(X)
        assert layer.mean.shape == shape
        others = tuple(a for a in range(3) if a not in ([] if axis in (None, []) else np.atleast_1d(axis) % 3))
        expected = (X - X.mean(others, keepdims=True)) / X.std(others, keepdims=True)
        np.testing.assert_allclose(layer(X), expected, atol=1e-5)

    def test_inverted(self):
        there, back = layers.Normalization(), layers.Normalization(invert=True)
        there.adapt(X)
        back.adapt(X)
        np.testing.assert_allclose(back(there(X)), X, atol=1e-5)

    def test_constant_features_stay_finite(self):
        layer = layers.Normalization()
        layer.adapt(np.ones((5, 2)))
        assert layer(np.ones((5, 2))).tolist() == np.zeros((5, 2)).tolist()

    def test_given_statistics(self):
        layer = layers.Normalization(mean=[[1.0, 2.0]], variance=[[1.0, 4.0]])
        assert layer([[1.0, 4.0]]).tolist() == [[0.0, 1.0]] if layer.axis is None else True
        with pytest.raises(ArgumentError, match="adapt was called"):
            layers.Normalization(mean=1.0, variance=1.0).adapt(X)
        with pytest.raises(ShapeError, match=r"shape \(4,\)(.|\n)*sizes \(6,\)"):
            layers.Normalization(mean=[0.0] * 4, variance=[1.0] * 4)(X)

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"mean": 1.0}, ArgumentError),
            ({"mean": [1.0, 2.0], "variance": 1.0}, ArgumentError),
            ({"mean": 0.0, "variance": -1.0}, ArgumentError),
            ({"mean": float("nan"), "variance": 1.0}, ArgumentError),
            ({"mean": "0", "variance": 1.0}, ArgumentTypeError),
            ({"axis": 1.5}, ArgumentTypeError),
        ],
    )
    def test_settings_that_are_refused(self, settings, error):
        with pytest.raises(error):
            layers.Normalization(**settings)

    @pytest.mark.parametrize("data", [np.zeros((0, 6)), [], iter(()), "abc", 3, iter([(X, X)]), iter([{"a": X}])])
    def test_data_that_are_none(self, data):
        with pytest.raises((DataError, ShapeError)):
            layers.Normalization().adapt(data)

    def test_batches_that_differ(self):
        with pytest.raises(ShapeError, match="axis 1 to be 2"):
            layers.Normalization().adapt(iter([np.ones((3, 2)), np.ones((3, 3))]))

    def test_saved_and_loaded(self):
        layer = layers.Normalization(input_shape=(4, 6))
        layer.adapt(X)
        model = lamina.Sequential([layer])
        model.save("memory://standard")
        np.testing.assert_array_equal(lamina.load_model("memory://standard").predict(X), model.predict(X))
