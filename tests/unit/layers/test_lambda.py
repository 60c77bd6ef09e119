"""Functions as layers."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, errors, layers, ops, serialization


def double(x, training=False):
    return x * (4.0 if training else 2.0)


def test_in_a_model():
    x = Input((3,))
    model = lamina.Model(x, layers.Dense(1)(layers.Lambda(lambda t: ops.concatenate([t, ops.square(t)], -1))(x)))
    assert model.weights[0].shape == (6, 1)
    model.compile(optimizer="sgd", loss="mse")
    history = model.fit(np.ones((8, 3), np.float32), np.ones((8, 1), np.float32), epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_gets_the_training_flag_and_the_mask_if_it_takes_them():
    layer = layers.Lambda(double)
    assert (layer(np.ones(2), training=True).tolist(), layer(np.ones(2)).tolist()) == ([4.0, 4.0], [2.0, 2.0])
    masked = layers.Masking()(np.array([[[1.0], [0.0]]], np.float32))
    seen = layers.Lambda(lambda x, mask: ops.sum(ops.cast(mask, x.dtype), 1))(masked)
    assert seen.tolist() == [1.0]


def test_masks():
    masked = layers.Masking()(np.array([[[1.0], [0.0]]], np.float32))
    assert layers.Lambda(double)(masked)._mask is None
    kept = layers.Lambda(double, mask=lambda inputs, mask: mask)(masked)
    assert kept._mask.tolist() == [[True, False]]


def test_output_shape():
    assert layers.Lambda(double, output_shape=(7,))(Input((3,))).shape == (None, 7)
    assert layers.Lambda(double, output_shape=lambda shape: (*shape, 2))(Input((3,))).shape == (None, 3, 2)
    assert layers.Lambda(lambda x: ops.sum(x, -1))(Input((3, 4))).shape == (None, 3)


def test_is_not_saved_without_a_name(tmp_path):
    model = lamina.Sequential([layers.Lambda(lambda x: x, input_shape=(3,), name="own")])
    with pytest.raises(errors.SerializationError, match="the function of the layer 'own' cannot be saved"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_is_saved_by_the_name_of_its_function(tmp_path, monkeypatch):
    monkeypatch.setattr(serialization, "_REGISTERED", {})
    serialization.register()(double)
    model = lamina.Sequential([layers.Lambda(double, input_shape=(3,))])
    model.save(tmp_path / "model")
    assert lamina.load_model(tmp_path / "model").predict(np.ones((1, 3)), verbose=0).tolist() == [[2.0, 2.0, 2.0]]


def test_code_in_a_file_is_never_run():
    config = {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}}}
    with pytest.raises(errors.LaminaError):
        layers.Lambda.from_config(config)


@pytest.mark.parametrize("settings", [{"function": 3}, {"function": double, "arguments": [1]}])
def test_refused(settings):
    with pytest.raises(errors.ArgumentTypeError):
        layers.Lambda(**settings)
