"""The recorded saved models of TensorFlow.js: handed on by lamina to TensorFlow.js, and the reverse.

What is recorded holds after each way: predictions, evaluation, the losses of further training steps, and the state of
the optimizer after them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
import recorded
from interop.agreeing import TOLERANCE, TRAINED, assert_alike, predicted
from vectors.records import artifacts

RECORDS = {record["name"]: record for record in artifacts(recorded.folder("tensorflow.js"))}
TRAINS = [name for name, record in RECORDS.items() if "train" in record]


def averages_near_padding(topology: Any) -> bool:
    """TensorFlow.js's gradient of such a pooling is another one (tests/vectors/disagreements.toml has the proof)."""
    layers = topology["config"]["layers"] if isinstance(topology["config"], dict) else topology["config"]
    return any("AveragePooling" in x["class_name"] and x["config"].get("padding") == "same" for x in layers)


TAKES_TURNS = [name for name in TRAINS if not averages_near_padding(RECORDS[name]["topology"])]


def each(names: list[str]) -> Any:
    """A test for each, or one that says that the recordings are not there."""
    return pytest.mark.parametrize("name", sorted(names) or [pytest.param("", marks=pytest.mark.skip("no recordings"))])


def unlisted(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def assert_predicts_here(model: Any, record: Any) -> None:
    for run in record["predict"]:
        if run.get("reset_states_first"):
            model.reset_states()
        assert_alike(predicted(model, unlisted(run["inputs"])), run["outputs"], what="here")


def assert_predicts_there(tfjs: Any, folder: Any, record: Any) -> None:
    """Runs between two resets are one request, so that they share states."""
    runs: list[list[Any]] = []
    for run in record["predict"]:
        if run.get("reset_states_first") or not runs:
            runs.append([])
        runs[-1].append(run)
    for some in runs:
        found = tfjs.predict_each(folder, [run["inputs"] for run in some])
        for outputs, run in zip(found, some, strict=True):
            assert_alike(outputs, run["outputs"], what="there")


@each(list(RECORDS))
class TestPredictions:
    def test_loaded_here_saved_here_loaded_there(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        model = lamina.load_model(record["path"])
        assert_predicts_here(model, record)
        model.save(tmp_path)
        assert_predicts_there(tfjs, tmp_path, record)

    def test_loaded_there_saved_there_loaded_here(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        assert_predicts_there(tfjs, record["path"], record)
        tfjs.resave(record["path"], tmp_path)
        assert_predicts_here(lamina.load_model(tmp_path), record)


def trained_here(model: Any, steps: Any) -> list[Any]:
    return [np.ravel(model.train_on_batch(unlisted(step["x"]), unlisted(step["y"]))) for step in steps]


def trained_there(tfjs: Any, folder: Any, steps: Any, to: Any) -> list[Any]:
    return [np.ravel(found) for found in tfjs.train(folder, [(step["x"], step["y"]) for step in steps], to=to)]


def assert_losses(found: Any, steps: Any) -> None:
    for values, step in zip(found, steps, strict=True):
        np.testing.assert_allclose(values, np.ravel(step["result"]), rtol=TRAINED, atol=TRAINED)


def assert_trained(model: Any, record: Any) -> None:
    """The state of the optimizer after all the recorded steps."""
    expected = record["optimizer_weights_after_train"]
    for found, after in zip(model.optimizer.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, after["value"], rtol=1e-3, atol=TRAINED, err_msg=after["name"])


@each(TRAINS)
class TestHandedOn:
    """lamina hands on what it loaded; all steps are TensorFlow.js's."""

    def test_evaluation(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        lamina.load_model(record["path"]).save(tmp_path)
        run = record["evaluate"]
        found = tfjs.evaluate(tmp_path, run["x"], run["y"])
        np.testing.assert_allclose(found, np.ravel(run["result"]), rtol=TOLERANCE, atol=TOLERANCE)

    def test_training_goes_on_with_the_state_of_the_optimizer(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        lamina.load_model(record["path"]).save(tmp_path / "here")
        assert_losses(trained_there(tfjs, tmp_path / "here", record["train"], tmp_path / "there"), record["train"])
        assert_trained(lamina.load_model(tmp_path / "there"), record)


@each(TAKES_TURNS)
class TestTakingTurns:
    def test_begun_here_and_ended_there(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        first, *rest = record["train"]
        model = lamina.load_model(record["path"])
        assert_losses(trained_here(model, [first]), [first])
        model.save(tmp_path / "here")
        assert_losses(trained_there(tfjs, tmp_path / "here", rest, tmp_path / "there"), rest)
        assert_trained(lamina.load_model(tmp_path / "there"), record)

    def test_begun_there_and_ended_here(self, tfjs, tmp_path, name):
        record = RECORDS[name]
        first, *rest = record["train"]
        assert_losses(trained_there(tfjs, record["path"], [first], tmp_path), [first])
        model = lamina.load_model(tmp_path)
        assert_losses(trained_here(model, rest), rest)
        assert_trained(model, record)
