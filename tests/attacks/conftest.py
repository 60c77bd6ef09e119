"""The process that loads hostile files, one for all tests."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("attacks.attacking")

import lamina  # noqa: E402
from attacks.attacking import Child  # noqa: E402
from lamina import layers  # noqa: E402

FORMATS = ("", ".h5", ".keras", ".safetensors")


def small_model():
    """What good files hold: some of everything that loading imports."""
    inputs = lamina.Input((4, 3))
    x = layers.Conv1D(2, 2, activation="relu")(inputs)
    x = layers.Bidirectional(layers.LSTM(2))(x)
    x = layers.Dropout(0.1)(layers.BatchNormalization()(x))
    model = lamina.Model(inputs, [layers.Dense(2, kernel_regularizer="l2")(x), layers.Dense(1, name="b")(x)])
    model.compile("adam", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    return model


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A good file of each format."""
    folder = tmp_path_factory.mktemp("good")
    model = small_model()
    for ending in FORMATS:
        model.save(folder / f"model{ending}")
    return {ending: folder / f"model{ending}" for ending in FORMATS}


@pytest.fixture(scope="session")
def child(good):
    made = Child(list(good.values()))
    yield made
    made.close()
