"""Models between TensorFlow.js in Node.js and lamina over HTTP: fetched from a server, and saved to a receiver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamina
from interop.agreeing import TRAINED, assert_alike, predicted
from interop.chromium import site
from interop.tensorflowjs import TensorFlowJSError
from lamina import layers
from lamina.io import http
from lamina_http.receiver import ModelReceiver

X = np.random.default_rng(1).normal(size=(16, 6)).astype(np.float32)
Y = np.tanh(X[:, :2])


def network(units: int = 5) -> lamina.Model:
    model = lamina.Sequential([layers.Dense(units, "relu", input_shape=(6,)), layers.Dense(2)])
    model.compile("adam", "mean_squared_error")
    return model


@pytest.mark.parametrize("units", [5, 200_000], ids=["one file", "several files"])
def test_it_fetches_what_lamina_saved(tfjs, tmp_path, units):
    model = network(units)
    model.save(tmp_path, include_optimizer=False)
    with site() as server:
        server.add_folder("/models/digits", tmp_path)
        found = tfjs.predict(f"{server.origin}/models/digits/model.json", X)
        again = lamina.load_model(f"{server.origin}/models/digits/model.json")
        assert server.missing == []
    assert (len(list(tmp_path.glob("*.bin"))) > 1) is (units > 5)
    assert_alike(found, predicted(model, X))
    assert_alike(predicted(again, X), predicted(model, X))


def test_it_saves_to_a_receiver_and_training_goes_on_here(tfjs, tmp_path):
    network().save(tmp_path / "here")
    with ModelReceiver(tmp_path / "received") as receiver:
        tfjs.train(tmp_path / "here", [(X, Y)] * 3, to=receiver.url)
        expected = tfjs.train(tmp_path / "received", [(X, Y)] * 3)
    assert receiver.count == 1
    model = lamina.load_model(tmp_path / "received")
    assert_alike(tfjs.predict(tmp_path / "received", X), predicted(model, X))
    found = [np.ravel(model.train_on_batch(X, Y)) for _ in range(3)]
    np.testing.assert_allclose(found, expected, rtol=TRAINED, atol=TRAINED)


def test_both_send_the_same_form(tfjs, tmp_path):
    """lamina's own handler and TensorFlow.js's, to one receiver."""
    model = network()
    with ModelReceiver(tmp_path / "ours") as ours, ModelReceiver(tmp_path / "theirs") as theirs:
        model.save(http(ours.url))
        tfjs.resave(tmp_path / "ours", theirs.url)
    assert_alike(predicted(lamina.load_model(tmp_path / "theirs"), X), predicted(model, X))


def test_a_refusal_reaches_it(tfjs, tmp_path):
    network().save(tmp_path / "here")
    place: Path = tmp_path / "received"
    with ModelReceiver(place, max_bytes=100) as receiver, pytest.raises(TensorFlowJSError, match="response status 413"):
        tfjs.resave(tmp_path / "here", receiver.url)
    assert not place.exists()
