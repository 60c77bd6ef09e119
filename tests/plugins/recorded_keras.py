"""Keras's recorded models: what each of their files has to give, whatever its format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamina.structures import flatten
from recorded import assert_near, folder
from vectors.records import loader

FOLDER = folder("keras") / "models"
NAMES = sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else []

models = pytest.mark.parametrize("name", NAMES or ["none"])
"""A test for each recorded model."""


def recorded(name: str) -> dict[str, Any]:
    """What is recorded of a model; skips the test if the folder is absent."""
    if not NAMES:
        pytest.skip(f"the recordings of Keras are not at {FOLDER}; LAMINA_VECTORS names their folder")
    record: dict[str, Any] = loader(folder("keras")).load_model_io(str(FOLDER / name))
    return record


def file_of(name: str, file: str) -> Path:
    """One of the files of a recorded model."""
    return FOLDER / name / file


def check_predictions(model: Any, record: dict[str, Any]) -> None:
    """The structure of the recorded outputs, and their values."""
    found, expected = model.predict(record["inputs"], verbose=0), record["outputs"]
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
    for one, other in zip(flatten(found), flatten(expected), strict=True):
        assert_near(one, other, "prediction", rtol=1e-5, atol=1e-5)


def check_training(model: Any, record: dict[str, Any]) -> None:
    """Evaluation, and three steps from the saved state of the optimizer."""
    for found, expected in zip(model.optimizer.variables, record["optimizer_variables"], strict=True):
        np.testing.assert_array_equal(found.numpy(), expected["value"], err_msg=expected["path"])
    data = record["evaluate"]
    result = model.evaluate(data["x"], data["y"], verbose=0, return_dict=True)
    _check_results(result, data["result"])
    for step in record["train"]["steps"]:
        model.reset_metrics()
        _check_results(model.train_on_batch(step["x"], step["y"], return_dict=True), step["result"])
    for found, expected in zip(model.weights, record["train"]["weights_after"], strict=True):
        assert_near(found, expected["value"], expected["path"], rtol=1e-3, atol=1e-4)
    for found, expected in zip(model.optimizer.variables, record["train"]["optimizer_variables_after"], strict=True):
        assert_near(found, expected["value"], expected["path"], rtol=1e-3, atol=1e-4)


def _check_results(found: dict[str, float], expected: dict[str, float]) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-5), name
