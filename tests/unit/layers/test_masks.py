"""Masks: made by Embedding, carried by what does not care, merged where branches meet, used by LSTM."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers

WORDS = np.array([[1, 2, 3, 0], [2, 0, 0, 0], [3, 1, 0, 0]], np.int32)


class MaskSeen(layers.Layer):
    """Gives the mask it was called with, as numbers; -1 where there is none."""

    supports_masking = True

    def call(self, x, mask=None):
        return x[..., 0] * 0.0 - 1.0 if mask is None else mask.cast("float32")

    def compute_mask(self, inputs, mask=None):
        return None


def seen(build):
    """What mask arrives after ``build``, a function from symbolic words to a symbolic tensor."""
    words = lamina.Input(shape=(4,), dtype="int32")
    return lamina.Model(words, MaskSeen()(build(words))).predict(WORDS)


def embedded(words, **settings):
    return layers.Embedding(5, 3, **{"mask_zero": True, **settings})(words)


PASSING = {
    "embedding": embedded,
    "dense": lambda words: layers.Dense(2)(embedded(words)),
    "activation": lambda words: layers.Activation("relu")(embedded(words)),
    "dropout": lambda words: layers.Dropout(0.5)(embedded(words)),
    "batch_normalization": lambda words: layers.BatchNormalization()(embedded(words)),
    "lstm": lambda words: layers.LSTM(2, return_sequences=True)(embedded(words)),
    "add": lambda words: layers.Add()([embedded(words), embedded(words)]),
    "concatenate": lambda words: layers.Concatenate()([embedded(words), embedded(words)]),
    "relu": lambda words: layers.ReLU()(embedded(words)),
    "noise": lambda words: layers.GaussianNoise(0.5)(embedded(words)),
}


@pytest.mark.parametrize("name", PASSING)
def test_carried(name):
    np.testing.assert_array_equal(seen(PASSING[name]), WORDS != 0)


STOPPING = {
    "no mask_zero": lambda words: embedded(words, mask_zero=False),
    "a layer without support": lambda words: layers.Reshape((4, 3))(embedded(words)),
    "both without": lambda words: layers.Add()([embedded(words, mask_zero=False)] * 2),
    "one without": lambda words: layers.Add()([embedded(words), embedded(words, mask_zero=False)]),
    "a product": lambda words: layers.Dot(2)([embedded(words), embedded(words)]),
}


@pytest.mark.parametrize("name", STOPPING)
def test_absent(name):
    assert (seen(STOPPING[name]) == -1).all()


def test_merged_masks_are_either():
    other = np.array([[1, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], np.int32)
    first, second = (lamina.Input(shape=(4,), dtype="int32") for _ in range(2))
    for merge in (layers.Add(), layers.Concatenate()):
        model = lamina.Model([first, second], MaskSeen()(merge([embedded(first), embedded(second)])))
        np.testing.assert_array_equal(model.predict([WORDS, other]), (WORDS != 0) | (other != 0))


def test_concatenated_without_a_mask_counts_everywhere():
    found = seen(lambda words: layers.Concatenate()([embedded(words, mask_zero=False), embedded(words)]))
    np.testing.assert_array_equal(found, np.ones((3, 4)))


def test_concatenated_along_time():
    expected = np.concatenate([WORDS != 0, np.ones((3, 4), bool)], axis=1)
    found = seen(lambda w: layers.Concatenate(axis=1)([embedded(w), embedded(w, mask_zero=False)]))
    np.testing.assert_array_equal(found, expected)


def test_lstm_after_embedding_ignores_padding():
    model = lamina.Sequential([layers.Embedding(5, 3, mask_zero=True, input_length=4), layers.LSTM(2)])
    whole = model.predict(WORDS)
    for row, length in zip(range(3), (3, 1, 2), strict=True):
        plain = lamina.Sequential([layers.Embedding(5, 3, input_length=length), layers.LSTM(2)])
        plain.set_weights(model.get_weights())
        short = plain(WORDS[row : row + 1, :length]).numpy()
        np.testing.assert_allclose(whole[row : row + 1], short, rtol=1e-5, atol=1e-7)


def test_a_mask_follows_its_own_branch():
    words = lamina.Input(shape=(4,), dtype="int32")
    masked, plain = MaskSeen()(embedded(words)), MaskSeen()(embedded(words, mask_zero=False))
    first, second = lamina.Model(words, [masked, plain]).predict(WORDS)
    np.testing.assert_array_equal(first, WORDS != 0)
    assert (second == -1).all()


def test_through_a_nested_model():
    inner_words = lamina.Input(shape=(4,), dtype="int32")
    inner = lamina.Model(inner_words, embedded(inner_words))
    np.testing.assert_array_equal(seen(inner), WORDS != 0)
    features = lamina.Input(shape=(4, 3))
    receiver = lamina.Model(features, MaskSeen()(layers.Dense(3)(features)))
    words = lamina.Input(shape=(4,), dtype="int32")
    np.testing.assert_array_equal(lamina.Model(words, receiver(embedded(words))).predict(WORDS), WORDS != 0)


def test_in_a_stack():
    model = lamina.Sequential([layers.Embedding(5, 3, mask_zero=True, input_length=4), layers.Dense(3), MaskSeen()])
    np.testing.assert_array_equal(model.predict(WORDS), WORDS != 0)


def test_replayed_training_uses_masks():
    model = lamina.Sequential([layers.Embedding(5, 3, mask_zero=True, input_length=4), layers.LSTM(2)])
    model.compile(optimizer="sgd", loss="mse")
    before = model.get_weights()[0]
    model.fit(WORDS, np.ones((3, 2), np.float32), epochs=4, verbose=0)
    after = model.get_weights()[0]
    np.testing.assert_array_equal(after[[0, 4]], before[[0, 4]])
    assert (after[1:4] != before[1:4]).all()
