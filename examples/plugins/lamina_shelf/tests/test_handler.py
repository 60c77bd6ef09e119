"""What holds for every IO handler, and what this one lists, moves and refuses."""

from __future__ import annotations

import pytest

import lamina
from lamina.testing import check_handler


@pytest.fixture(autouse=True)
def _shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))


def model():
    return lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])


def test_what_holds_for_every_handler():
    check_handler("shelf://checked")


def test_listed_moved_and_removed():
    model().save("shelf://a")
    lamina.io.move_model("shelf://a", "shelf://b")
    assert list(lamina.io.list_models("shelf")) == ["shelf://b"]
    lamina.io.copy_model("shelf://b", "memory://c")
    assert lamina.io.remove_model("shelf://b").weight_bytes == 32
    assert lamina.io.list_models("shelf") == {}
    assert lamina.load_model("memory://c").count_params() == 8


def test_what_is_not_there():
    with pytest.raises(lamina.errors.ModelNotFoundError):
        lamina.load_model("shelf://nothing")
    with pytest.raises(lamina.errors.ArgumentError):
        lamina.load_model("shelf://../up")
