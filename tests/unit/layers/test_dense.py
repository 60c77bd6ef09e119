"""Einsum equations of dense layers, and embeddings applied backwards."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, layers
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError


class TestEinsumDense:
    @pytest.mark.parametrize(
        ("equation", "output", "bias", "given", "shapes", "result"),
        [
            ("ab,bc->ac", 64, "c", (32,), [(32, 64), (64,)], (None, 64)),
            ("abc,cd->abd", (None, 4), "bd", (5, 6), [(6, 4), (5, 4)], (None, 5, 4)),
            ("abc,cde->abde", (None, 3, 4), "d", (5, 6), [(6, 3, 4), (3, 1)], (None, 5, 3, 4)),
            ("abc,cde->abde", (None, 3, 4), None, (None, 6), [(6, 3, 4)], (None, None, 3, 4)),
            ("abcd,bde->abce", (3, 4, 2), None, (3, 4, 5), [(3, 5, 2)], (None, 3, 4, 2)),
            ("...x,xy->...y", 4, "y", (3, 3, 5), [(5, 4), (4,)], (None, 3, 3, 4)),
            ("bc...,cde->bde...", (3, 4), "d", (1, 2), [(1, 3, 4), (3, 1, 1)], (None, 3, 4, 2)),
            ("ab,b->a", (), None, (32,), [(32,)], (None,)),
        ],
    )
    def test_shapes(self, equation, output, bias, given, shapes, result):
        layer = layers.EinsumDense(equation, output, bias_axes=bias)
        assert layer(Input(shape=given)).shape == result
        assert [v.shape for v in layer.weights] == shapes

    @pytest.mark.parametrize(
        "equation",
        ["ab->a", "ab,bc", "ab,bc->ax", "ab,bx->ac", "...ab,bc->ac", "a...b,bc->a...c", "...ab...,bc->...ac...",
         "1,2->3", "ab,bc->cc", 3],
    )  # fmt: skip
    def test_equations_that_are_none(self, equation):
        with pytest.raises(ArgumentError, match="equation is"):
            layers.EinsumDense(equation, 4)

    def test_bias_axes(self):
        with pytest.raises(ArgumentError, match="bias_axes is 'x'"):
            layers.EinsumDense("ab,bc->ac", 5, bias_axes="x")
        with pytest.raises(ArgumentTypeError, match="bias_axes is 2"):
            layers.EinsumDense("ab,bc->ac", 5, bias_axes=2)
        assert not layers.EinsumDense("ab,bc->ac", 5, bias_axes="").use_bias

    @pytest.mark.parametrize(("output", "given"), [((5, 5), (2, 3)), ((), (2, 3)), (5, (2, 3, 4)), (5, (2,))])
    def test_sizes_that_do_not_fit(self, output, given):
        with pytest.raises(ShapeError, match=r"EinsumDense\('ab,bc->ac'"):
            layers.EinsumDense("ab,bc->ac", output)(lamina.ones(given))

    def test_another_input_than_it_was_built_for(self):
        layer = layers.EinsumDense("abc,cd->abd", (None, 4))
        layer(lamina.ones((2, 3, 5)))
        assert layer(lamina.ones((1, 7, 5))).shape == (1, 7, 4)
        with pytest.raises(ShapeError, match="a size of 5 for 'c'"):
            layer(lamina.ones((2, 3, 6)))
        with pytest.raises(ShapeError, match="one size"):
            layers.EinsumDense("abc,cd->abd", (7, 4))(lamina.ones((2, 3, 5)))

    @pytest.mark.parametrize("size", [0, -1, 2.5, True, "4"])
    def test_output_sizes(self, size):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="output_shape"):
            layers.EinsumDense("ab,bc->ac", [size])

    def test_config(self):
        layer = layers.EinsumDense("ab,bc->ac", 5, "relu", "c", kernel_regularizer="l2", name="e")
        config = layer.get_config()
        assert config["output_shape"] == [5]
        assert config["activation"] == "relu"
        assert "use_bias" not in config
        layer(lamina.ones((2, 3)))
        assert len(layer.losses) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda **settings: layers.Dense(2, **settings),
        lambda **settings: layers.EinsumDense("ab,bc->ac", 2, **settings),
        lambda **settings: layers.Embedding(3, 2, **settings),
    ],
    ids=["Dense", "EinsumDense", "Embedding"],
)
def test_weights_are_not_quantized_or_adapted_in_place(make):
    plain = make(lora_rank=None, lora_alpha=None, quantization_config=None)
    assert "lora_rank" not in make().get_config()
    assert plain.get_config()["quantization_config"] is None
    for name in ("lora_rank", "quantization_config"):
        with pytest.raises(ArgumentError, match=f"{name} is 4(.|\\n)*a layer that wraps this one"):
            make(**{name: 4})


class TestReversibleEmbedding:
    def test_only_the_embeddings_are_regularized(self):
        layer = layers.ReversibleEmbedding(
            3, 2, tie_weights=False, embeddings_regularizer="l2", embeddings_constraint="non_neg"
        )
        layer(np.array([[1]]))
        assert len(layer.losses) == 1
        assert layer.reverse_embeddings.constraint is None

    def test_with_weights_of_its_own(self):
        layer = layers.ReversibleEmbedding(5, 3, tie_weights=False, logit_soft_cap=2.0, name="r")
        vectors = layer(np.array([[0, 4]]))
        scores = layer(10.0 * vectors, reverse=True)
        assert [v.name for v in layer.weights] == ["r/embeddings", "r/reverse_embeddings"]
        assert scores.shape == (1, 2, 5)
        plain = 10.0 * vectors.numpy() @ layer.reverse_embeddings.numpy()
        np.testing.assert_allclose(scores, 2 * np.tanh(plain / 2), rtol=1e-5, atol=1e-6)

    def test_masks(self):
        layer = layers.ReversibleEmbedding(5, 3, mask_zero=True)
        vectors = layer(np.array([[0, 4]]))
        assert vectors.mask.tolist() == [[False, True]]
        assert layer(vectors, reverse=True).shape == (1, 2, 5)

    def test_vectors_of_another_size(self):
        with pytest.raises(ShapeError, match="a last axis of 3, its output_dim"):
            layers.ReversibleEmbedding(5, 3)(lamina.ones((2, 4)), reverse=True)

    def test_another_dtype_for_the_scores(self):
        layer = layers.ReversibleEmbedding(5, 3, reverse_dtype="float64")
        assert layer(lamina.ones((2, 3)), reverse=True).dtype == "float64"
        assert layer.get_config()["reverse_dtype"] == "float64"
