"""What holds for every layer, what this one computes, and how models of its version 1 are loaded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lamina_squeeze_excitation import SqueezeExcitation

import lamina
from lamina.testing import check_layer

X = np.random.default_rng(2).normal(size=(2, 4, 3, 6)).astype("float32")


def test_what_holds_for_every_layer():
    check_layer(SqueezeExcitation, {"ratio": 2}, X, channels=None)


def test_what_it_computes():
    layer = SqueezeExcitation(ratio=3)
    found = layer(X).numpy()
    squeeze, excite = layer.squeeze.numpy(), layer.excite.numpy()
    inner = np.maximum(X.mean((1, 2)) @ squeeze, 0)
    np.testing.assert_allclose(found, X * (1 / (1 + np.exp(-inner @ excite)))[:, None, None], rtol=1e-5)
    assert squeeze.shape == (6, 2)


def test_a_ratio_under_1_is_refused():
    with pytest.raises(lamina.errors.ArgumentError, match="ratio is 0"):
        SqueezeExcitation(ratio=0)


def saved(folder):
    model = lamina.Sequential([lamina.layers.Conv2D(6, 1, input_shape=(4, 3, 6)), SqueezeExcitation(ratio=2)])
    model.save(folder)
    return model


def test_a_saved_model_says_that_it_needs_this_plugin(tmp_path):
    model = saved(tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    (needed,) = document["userDefinedMetadata"]["lamina"]["plugins"]
    assert needed["distribution"] == "lamina-squeeze-excitation"
    assert needed["names"] == ["SqueezeExcitation"]
    np.testing.assert_array_equal(lamina.load_model(tmp_path).predict(X), model.predict(X))


def test_a_model_of_version_1_is_brought_up_to_date(tmp_path):
    model = saved(tmp_path)
    path = tmp_path / "model.json"
    document = json.loads(path.read_text())
    document["userDefinedMetadata"]["lamina"]["plugins"][0]["version"] = "1.4.2"
    config = document["modelTopology"]["config"]["layers"][-1]["config"]
    config["reduction"] = config.pop("ratio")
    path.write_text(json.dumps(document))
    with pytest.warns(UserWarning, match="lamina-squeeze-excitation 1.4.2.*brings the configs of SqueezeExcitation up"):
        loaded = lamina.load_model(tmp_path)
    assert loaded.layers[-1].ratio == 2
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
