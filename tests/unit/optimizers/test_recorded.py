"""Optimizers against recorded steps of Keras and TensorFlow.js."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina import Variable, optimizers
from recorded import assert_near, records

KERAS = (
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "Muon", "Nadam", "RMSprop", "ScheduleFreeAdamW",
)  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_as_keras(name: str) -> None:
    for record in records("keras", "optimizers.jsonl.gz", class_name=name):
        optimizer = optimizers.get({"class_name": name, "config": record["config"]})
        variables = [Variable(v["value"], name=v["name"]) for v in record["variables"]]
        optimizer.build(variables)
        _assert_state(optimizer, [v["value"] for v in record["optimizer_variables_initial"]], record["id"])
        for step in record["steps"]:
            optimizer.apply(step["grads"], variables)
            for variable, after in zip(variables, step["after"], strict=True):
                assert_near(variable, after, f"{record['id']} {variable.name}")
            _assert_state(optimizer, step["optimizer_variables"], record["id"])
            assert_near(optimizer.learning_rate, step["learning_rate"], f"{record['id']} learning rate")
        if "after_finalize" in record:
            optimizer.finalize_variable_values(variables)
            for variable, after in zip(variables, record["after_finalize"], strict=True):
                assert_near(variable, after, f"{record['id']} {variable.name} averaged")
        _assert_config(optimizer.get_config(), record["config"])


def _assert_state(optimizer: Any, recorded: list[Any], what: str) -> None:
    """All state, in Keras's order."""
    for variable, value in zip(optimizer.variables, recorded, strict=True):
        assert_near(variable, value, f"{what} {variable.name}")


def _assert_config(found: Any, recorded: Any) -> None:
    """Keras's config; in nested ones it also says modules and registered names."""
    if isinstance(recorded, dict):
        recorded = {key: v for key, v in recorded.items() if key not in ("module", "registered_name")}
        assert found.keys() == recorded.keys()
        for key, value in recorded.items():
            _assert_config(found[key], value)
    else:
        assert found == (pytest.approx(recorded, rel=1e-6) if isinstance(recorded, float) else recorded)


def _values(step: dict[str, Any], key: str) -> list[Any]:
    return [v["value"] if isinstance(v, dict) else v for v in step.get(key, ())]


@pytest.mark.parametrize("name", ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Momentum", "RMSProp"])
def test_as_tensorflow_js(name: str) -> None:
    compared = 0
    for record in records("tensorflow.js", "optimizers.jsonl.gz", className=name):
        compared += 1
        optimizer = optimizers.get({"class_name": name, "config": record["config"]})
        before = zip(_values(record["steps"][0], "before"), record["steps"][0]["names"], strict=True)
        variables = [Variable(np.asarray(value, np.float32), name=name) for value, name in before]
        for step in record["steps"]:
            _run(optimizer, variables, step, record["id"])
        saved = record.get("optimizer_weights_after")
        if saved is None:  # TensorFlow.js cannot save Adamax
            continue
        assert optimizer.save_names == [w["name"] for w in saved]
        for found, expected in zip(optimizer.get_weights(), saved, strict=True):
            assert_near(found, expected["value"], f"{record['id']} {expected['name']}")
    assert compared > 3


def _run(optimizer: Any, variables: list[Variable], step: dict[str, Any], what: str) -> None:
    if "config" in step:
        optimizer.learning_rate = step["config"]["learningRate"]
    for variable, value in zip(variables, _values(step, "before"), strict=False):
        variable.assign(np.asarray(value, np.float32))
    optimizer.apply(step["grads"], variables)
    for variable, after in zip(variables, step["after"], strict=True):
        assert_near(variable, after, f"{what} {variable.name}")
