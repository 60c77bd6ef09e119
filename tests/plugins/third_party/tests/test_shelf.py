"""The plugin's own tests: they need lamina and the plugin installed, and nothing else of lamina's tests."""

import numpy as np
import pytest

import lamina


@pytest.fixture(autouse=True)
def _shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))


def model():
    found = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
    found.compile("sgd", "mean_squared_error")
    return found


def test_there_and_back():
    saved = model()
    saved.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    saved.save("shelf://digits")
    again = lamina.load_model("shelf://digits")
    np.testing.assert_array_equal(again.predict(np.ones((1, 3))), saved.predict(np.ones((1, 3))))
    again.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def test_listed_moved_and_removed():
    model().save("shelf://a")
    lamina.io.move_model("shelf://a", "shelf://b")
    assert list(lamina.io.list_models("shelf")) == ["shelf://b"]
    lamina.io.copy_model("shelf://b", "memory://c")
    assert lamina.io.remove_model("shelf://b").weight_bytes == 36
    assert lamina.io.list_models("shelf") == {}
    assert lamina.load_model("memory://c").count_params() == 8


def test_what_is_not_there():
    with pytest.raises(lamina.errors.ModelNotFoundError):
        lamina.load_model("shelf://nothing")
    with pytest.raises(lamina.errors.ArgumentError):
        lamina.load_model("shelf://../up")
