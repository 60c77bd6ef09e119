"""Masks that go other ways in TensorFlow.js are found before a model is exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import layers
from lamina.models.exporting import tfjs_findings


def words() -> Any:
    return lamina.Input((5,), dtype="int32")


def embedded(x: Any) -> Any:
    return layers.Embedding(10, 4, mask_zero=True)(x)


def sequence_again(x: Any) -> Any:
    return layers.LSTM(3, name="heeding")(layers.RepeatVector(5)(layers.LSTM(3)(embedded(x))))


def without_its_mask(x: Any) -> Any:
    return layers.LSTM(3, name="heeding")(layers.Conv1D(4, 1)(embedded(x)))


def merged(x: Any) -> Any:
    return layers.LSTM(3)(layers.Add(name="heeding")([embedded(x), embedded(x)]))


def averaged(x: Any) -> Any:
    return layers.GlobalAveragePooling1D(name="heeding")(embedded(x))


def attended(x: Any) -> Any:
    y = embedded(x)
    return layers.MultiHeadAttention(2, 3, name="heeding")(y, y)


def softened(x: Any) -> Any:
    return layers.Softmax(name="heeding")(layers.Dense(4)(layers.LSTM(3)(embedded(x))))


def with_a_class(x: Any) -> Any:
    return layers.GRU(3, reset_after=True, name="heeding")(embedded(x))


@pytest.mark.parametrize("maker", [averaged, attended, with_a_class])
def test_with_a_class_that_heeds_them(maker: Callable[[Any], Any]):
    x = words()
    found = {(f.severity, f.layer) for f in tfjs_findings(lamina.Model(x, maker(x))) if "twice" not in f.what}
    assert found == {("javascript", "heeding")}


def with_a_class_in_a_model(x: Any) -> Any:
    y = lamina.Input((5, 4))
    return lamina.Model(y, layers.GRU(3, reset_after=True, name="heeding")(y))(embedded(x))


@pytest.mark.parametrize("maker", [sequence_again, without_its_mask, merged, softened, with_a_class_in_a_model])
def test_refused(maker: Callable[[Any], Any]):
    x = words()
    refused = [found for found in tfjs_findings(lamina.Model(x, maker(x))) if found.severity == "refused"]
    assert [found.layer for found in refused] == ["heeding"]
    assert all("mask" in found.what and found.fix for found in refused)


def in_a_model(x: Any) -> Any:
    y = lamina.Input((5, 4))
    return lamina.Model(y, layers.LSTM(3, name="heeding")(layers.Conv1D(4, 1)(y)))(embedded(x))


def test_refused_in_a_nested_model():
    x = words()
    (found,) = tfjs_findings(lamina.Model(x, in_a_model(x)))
    assert (found.severity, found.layer) == ("refused", "heeding")


def stacked(x: Any) -> Any:
    hidden = layers.LSTM(3, return_sequences=True)(layers.Dropout(0.5)(embedded(x)))
    hidden = layers.TimeDistributed(layers.Dense(3))(layers.LayerNormalization()(hidden))
    return layers.Bidirectional(layers.SimpleRNN(2))(layers.LeakyReLU()(hidden))


def flat(x: Any) -> Any:
    return layers.Dense(2)(layers.Flatten()(embedded(x)))


@pytest.mark.parametrize("maker", [stacked, flat])
def test_the_same_there(maker: Callable[[Any], Any]):
    x = words()
    assert tfjs_findings(lamina.Model(x, maker(x))) == []


def test_another_branch_is_told():
    x, steps = words(), lamina.Input((5, 4))
    model = lamina.Model([x, steps], [layers.LSTM(3)(embedded(x)), layers.LSTM(3, name="other")(steps)])
    (found,) = tfjs_findings(model)
    assert (found.severity, found.layer) == ("note", "other")
