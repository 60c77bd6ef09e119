"""Attention: masks, windows, dropout, what does not fit, and attention within models."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, layers
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError

GENERATOR = np.random.default_rng(3)
X = GENERATOR.normal(size=(2, 5, 6)).astype(np.float32)
Y = GENERATOR.normal(size=(2, 4, 6)).astype(np.float32)
WORDS = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0]], np.int32)


def multi_head(**settings):
    return layers.MultiHeadAttention(2, 3, **settings)


def grouped(**settings):
    return layers.GroupQueryAttention(3, 4, 2, **settings)


def weights_of(layer, *inputs, **settings):
    return layer(*inputs, return_attention_scores=True, **settings)[1].numpy()


@pytest.mark.parametrize("make", [multi_head, grouped])
class TestProjected:
    def test_causal(self, make):
        found = weights_of(make(), X, X, use_causal_mask=True)
        assert (found[..., np.triu(np.ones((5, 5), bool), 1)] == 0).all()
        np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-6)

    def test_what_comes_later_changes_nothing(self, make):
        layer = make()
        whole = layer(X, X, use_causal_mask=True).numpy()
        np.testing.assert_allclose(layer(X[:, :3], X[:, :3], use_causal_mask=True), whole[:, :3], atol=1e-6)

    @pytest.mark.parametrize("causal", [False, True])
    def test_a_window(self, make, causal):
        found = weights_of(make(sliding_window=2), X, X, use_causal_mask=causal)[0, 0] > 0
        distance = np.arange(5)[:, None] - np.arange(5)
        expected = abs(distance) < 2 if not causal else (distance >= 0) & (distance < 2)
        np.testing.assert_array_equal(found, expected)

    def test_a_query_far_from_all_keys_finds_nothing(self, make):
        layer = make(sliding_window=1, use_bias=False)
        found = layer(X, Y).numpy()
        assert (found[:, 4] == 0).all()
        assert (np.abs(found[:, :4]).max(-1) > 0).all()

    def test_keys_left_out_are_as_if_they_were_not_there(self, make):
        layer = make()
        short = layer(X, Y[:, :3]).numpy()
        mask = np.array([[True, True, True, False]] * 2)
        for given in ({"value_mask": mask}, {"key_mask": mask}, {"attention_mask": np.repeat(mask[:, None], 5, 1)}):
            np.testing.assert_allclose(layer(X, Y, **given), short, atol=1e-6)
        np.testing.assert_allclose(layer(X, Y, attention_mask=mask[:1, None]), short, atol=1e-6)
        np.testing.assert_allclose(layer(X, Y, attention_mask=mask[0, None].astype("float32")), short, atol=1e-6)

    def test_nothing_that_counts_gives_nothing_and_finite_gradients(self, make):
        layer = make(use_bias=False)
        mask = np.zeros((2, 5, 4), bool)
        assert (layer(X, Y, attention_mask=mask).numpy() == 0).all()
        gradient = lamina.grad(lambda x: layer(x, Y, attention_mask=mask).sum())(X)
        assert (gradient.numpy() == 0).all()

    def test_masks_all_count(self, make):
        mask = np.array([[True, True, False, True]] * 2)
        given = {"value_mask": mask, "key_mask": mask[:, ::-1], "attention_mask": np.ones((2, 5, 4), bool)}
        found = weights_of(make(), X, Y, **given, use_causal_mask=True)[0, 0] > 0
        np.testing.assert_array_equal(found, np.tri(5, 4, dtype=bool) & mask[0] & mask[0, ::-1])

    def test_masks_come_with_the_tensors(self, make):
        words = layers.Embedding(5, 6, mask_zero=True)(WORDS)
        layer = make()
        found = layer(words, words)
        np.testing.assert_array_equal(found.mask, WORDS != 0)
        weights = weights_of(layer, words, words)
        assert (weights[..., 3:] == 0).all()
        assert (weights[1, ..., 1:] == 0).all()

    def test_dropout_in_training_only(self, make):
        layer = make(dropout=0.5, seed=4)
        quiet = layer(X, X).numpy()
        np.testing.assert_array_equal(layer(X, X), quiet)
        first, second = layer(X, X, training=True).numpy(), layer(X, X, training=True).numpy()
        assert (first != second).any()
        again = make(dropout=0.5, seed=4)
        again(X, X)
        again.set_weights(layer.get_weights())
        np.testing.assert_array_equal(again(X, X, training=True), first)

    def test_huge_scores_stay_finite(self, make):
        layer = make()
        found = layer(1e18 * X, 1e18 * X, value_mask=np.array([[True] * 4 + [False]] * 2))
        assert np.isfinite(found.numpy()).all()

    def test_symbolic(self, make):
        query, value = Input(shape=(None, 6)), Input(shape=(7, 4))
        assert make()(query, value).shape == (None, None, 6)
        y, weights = make()(query, value, return_attention_scores=True)
        assert (y.shape, weights.shape[2:]) == ((None, None, 6), (None, 7))
        assert make().compute_output_shape((None, 5, 6), (None, 7, 4)) == (None, 5, 6)

    @pytest.mark.parametrize("shapes", [((2, 5, 6), (3, 4, 6)), ((2, 6), (2, 6)), ((2, 5, 6), (2, 4, 6), (2, 3, 6))])
    def test_shapes_that_do_not_fit(self, make, shapes):
        with pytest.raises(ShapeError, match=r"got a query of shape \(2, .*6\), a value of shape"):
            make()(*(lamina.ones(shape) for shape in shapes))

    def test_other_features_than_it_was_built_for(self, make):
        layer = make()
        layer(X, Y)
        with pytest.raises(ShapeError, match="a size of 6 for 'a'"):
            layer(X, lamina.ones((2, 4, 7)))

    def test_a_query_alone(self, make):
        with pytest.raises(ArgumentTypeError, match="not called on a query and a value"):
            make()(X)

    def test_masks_that_do_not_fit(self, make):
        with pytest.raises(ShapeError):
            make()(X, Y, attention_mask=np.ones((2, 4, 5), bool))
        with pytest.raises(ShapeError, match="attention_mask is"):
            make()(X, Y, attention_mask=np.ones((4,), bool))

    @pytest.mark.parametrize("settings", [{"sliding_window": 0}, {"dropout": 1.5}])
    def test_settings_out_of_range(self, make, settings):
        with pytest.raises(ArgumentError, match=next(iter(settings))):
            make(**settings)

    @pytest.mark.parametrize(
        "settings", [{"use_bias": 1}, {"flash_attention": "yes"}, {"seed": 1.5}, {"use_gate": "a"}]
    )
    def test_settings_of_another_kind(self, make, settings):
        with pytest.raises(ArgumentTypeError, match=next(iter(settings))):
            make(**settings)

    def test_masks_of_the_attended_axis_alone(self, make):
        if make is grouped:
            return
        x = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype(np.float32)
        mask = np.array([[1, 0, 1], [1, 1, 0]], bool)
        layer = make(attention_axes=1)
        found = layer(x, x, value_mask=mask).numpy()
        expected = layer(x, x, value_mask=np.broadcast_to(mask[:, :, None], (2, 3, 4))).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_regularizers_of_the_projections(self, make):
        layer = make(kernel_regularizer="l2", activity_regularizer="l1")
        layer(X, X)
        assert len(layer.losses) == (9 if make is grouped else 8)
        assert layer.get_config()["activity_regularizer"]["class_name"] == "L1L2"

    def test_a_model_with_it_is_trained_saved_and_loaded(self, make):
        x = Input(shape=(5, 6))
        y = layers.LayerNormalization()(layers.Add()([x, make(name="att")(x, x, use_causal_mask=True)]))
        model = lamina.Model(x, layers.Dense(1)(y))
        model.compile(optimizer=lamina.optimizers.Adam(0.01), loss="mse")
        before = model.evaluate(X, X[..., :1], verbose=0)
        model.fit(X, X[..., :1], epochs=20, verbose=0)
        assert model.evaluate(X, X[..., :1], verbose=0) < before
        model.save("memory://attention")
        again = lamina.load_model("memory://attention")
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        assert "att/attention_output/kernel" in [v.name for v in again.weights]


class TestMultiHead:
    @pytest.mark.parametrize(("given", "expected"), [(7, (2, 5, 7)), ((7, 2), (2, 5, 7, 2)), (None, (2, 5, 6))])
    def test_output_shapes(self, given, expected):
        layer = multi_head(output_shape=given)
        assert layer(X, Y).shape == expected
        assert layer.get_config()["output_shape"] == (None if given is None else list(expected[2:]))

    def test_attended_axes_in_any_order(self):
        image = GENERATOR.normal(size=(2, 3, 4, 6)).astype(np.float32)
        whole, turned = multi_head(attention_axes=(1, 2)), multi_head(attention_axes=(-2, 1))
        found = whole(image, image).numpy()
        turned(image, image)
        turned.set_weights(whole.get_weights())
        np.testing.assert_allclose(turned(image, image), found, atol=1e-5)
        assert weights_of(whole, image, image).shape == (2, 2, 3, 4, 3, 4)

    def test_masks_of_several_axes(self):
        image = GENERATOR.normal(size=(2, 3, 4, 6)).astype(np.float32)
        layer = multi_head()
        mask = np.ones((2, 3, 4), bool)
        mask[:, 1:] = False
        only_first = layer(image, image[:, :1]).numpy()
        np.testing.assert_allclose(layer(image, image, value_mask=mask), only_first, atol=1e-6)
        pairs = np.broadcast_to(mask[:, None, None], (2, 3, 4, 3, 4))
        np.testing.assert_allclose(layer(image, image, attention_mask=pairs), only_first, atol=1e-6)
        np.testing.assert_allclose(layer(image, image, attention_mask=mask[:1, None, None]), only_first, atol=1e-6)

    @pytest.mark.parametrize("axes", [(0,), (3,), (1, 1), (-4,)])
    def test_axes_that_cannot_be_attended_to(self, axes):
        with pytest.raises(ShapeError, match="attention_axes"):
            multi_head(attention_axes=axes)(lamina.ones((2, 3, 4, 6)), lamina.ones((2, 3, 4, 6)))


def test_masked_queries_find_nothing_where_heads_share_keys():
    mask = np.array([[True, True, False, True, False]] * 2)
    found = grouped(use_bias=False)(X, Y, query_mask=mask).numpy()
    assert ((found == 0).all(-1) == ~mask).all()
    assert (np.abs(multi_head(use_bias=False)(X, Y, query_mask=mask).numpy()).max(-1) > 0).all()


def test_heads_that_cannot_share():
    with pytest.raises(ArgumentError, match="multiple"):
        layers.GroupQueryAttention(3, 4, 3)
    assert layers.GroupedQueryAttention is layers.GroupQueryAttention


@pytest.mark.parametrize("kind", [layers.Attention, layers.AdditiveAttention])
class TestDirect:
    def test_masks(self, kind):
        layer = kind()
        masks = [np.array([[True] * 4 + [False]] * 2), np.array([[True, True, True, False]] * 2)]
        found, weights = layer([X, Y], mask=masks, return_attention_scores=True)
        assert (weights.numpy()[..., 3] == 0).all()
        assert (found.numpy()[:, 4] == 0).all()
        np.testing.assert_array_equal(found.mask, masks[0])
        np.testing.assert_allclose(found.numpy()[:, :4], layer([X, Y[:, :3]]).numpy()[:, :4], atol=1e-6)

    def test_masks_come_with_the_tensors(self, kind):
        words = layers.Embedding(5, 6, mask_zero=True)(WORDS)
        found, weights = kind()([words, words], return_attention_scores=True)
        np.testing.assert_array_equal(found.mask, WORDS != 0)
        assert (weights.numpy()[1, :, 1:] == 0).all()

    def test_where_nothing_counts_all_count_alike(self, kind):
        nothing = np.zeros((2, 4), bool)
        _, weights = kind()([X, Y], mask=[None, nothing], return_attention_scores=True)
        np.testing.assert_allclose(weights, 0.25, rtol=1e-6)

    def test_causal(self, kind):
        _, weights = kind()([X, X], use_causal_mask=True, return_attention_scores=True)
        assert (weights.numpy()[:, np.triu(np.ones((5, 5), bool), 1)] == 0).all()

    def test_dropout(self, kind):
        layer = kind(dropout=0.5, seed=2)
        assert (layer([X, Y], training=True).numpy() != layer([X, Y], training=True).numpy()).any()
        np.testing.assert_array_equal(layer([X, Y]), layer([X, Y]))
        assert layer.get_config()["seed"] == 2

    def test_inputs_that_do_not_fit(self, kind):
        for given in (X, [X], [X] * 4):
            with pytest.raises(ArgumentTypeError, match=rf"{kind.__name__} was called on"):
                kind()(given)
        with pytest.raises(ShapeError, match=rf"{kind.__name__} got a query of shape"):
            kind()([X, lamina.ones((2, 4, 7))])
        with pytest.raises(ShapeError, match="and a key of shape"):
            kind()([X, Y, lamina.ones((2, 3, 6))])
        with pytest.raises(ArgumentTypeError, match="mask"):
            kind()([X, Y], mask=[np.ones((2, 5), bool)])


def test_score_modes():
    with pytest.raises(ArgumentError, match="'dot', 'concat'"):
        layers.Attention(score_mode="product")
