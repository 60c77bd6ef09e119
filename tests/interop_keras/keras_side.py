"""Keras in this process, and models that go to it and come back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lamina
from lamina.structures import flatten

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

NEAR = 1e-5
"""How near predictions have to be, relative to the largest one or 1."""


def load(path: Path) -> Any:
    """The model of a file, as Keras reads it."""
    return keras.saving.load_model(path)


def leaves(outputs: Any) -> list[Any]:
    """The outputs in one order: Keras gives those of a dict by their keys."""
    return flatten(dict(sorted(outputs.items())) if isinstance(outputs, dict) else outputs)


def lamina_gives(model: Any, inputs: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(x.numpy()) for x in leaves(model(inputs, training=False))]


def keras_gives(model: Any, inputs: Any) -> list[np.ndarray[Any, Any]]:
    return [keras.ops.convert_to_numpy(x) for x in leaves(model(inputs, training=False))]


def assert_near(found: Sequence[Any], expected: Sequence[Any], what: str, near: float = NEAR) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape, f"{what}: shape {one.shape}, expected {other.shape}"
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, rtol=0, atol=near * scale, err_msg=what)


def randomized(model: Any) -> Any:
    """The model, of either side, with weights unlike those that initializers give."""
    generator = np.random.default_rng(5)
    for weight in model.weights:
        value = np.asarray(weight.numpy() if hasattr(weight, "numpy") else weight)
        if value.dtype == np.float32:
            low, high = (0.5, 1.5) if "variance" in getattr(weight, "path", weight.name) else (-0.4, 0.4)
            weight.assign(generator.uniform(low, high, value.shape).astype(np.float32))
    return model


def to_keras_and_back(model: Any, inputs: Any, folder: Path, near: float = NEAR) -> tuple[Any, Any]:
    """Saves a model of lamina, loads it in Keras, saves it there, and loads it here; all give the same."""
    model.save(folder / "lamina.keras")
    theirs = load(folder / "lamina.keras")
    expected = lamina_gives(model, inputs)
    assert_near(keras_gives(theirs, inputs), expected, "lamina to Keras", near)
    theirs.save(folder / "keras.keras")
    again = lamina.load_model(folder / "keras.keras")
    assert_near(lamina_gives(again, inputs), expected, "Keras to lamina", near)
    return theirs, again


def from_keras_and_back(model: Any, inputs: Any, folder: Path, near: float = NEAR) -> tuple[Any, Any]:
    """Saves a model of Keras, loads it here, saves it here, and loads it there; all give the same."""
    model.save(folder / "keras.keras")
    ours = lamina.load_model(folder / "keras.keras")
    expected = keras_gives(model, inputs)
    assert_near(lamina_gives(ours, inputs), expected, "Keras to lamina", near)
    ours.save(folder / "lamina.keras")
    again = load(folder / "lamina.keras")
    assert_near(keras_gives(again, inputs), expected, "lamina to Keras", near)
    return ours, again
