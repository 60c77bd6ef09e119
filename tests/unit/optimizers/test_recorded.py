"""Optimizers against recorded steps of Keras and TensorFlow.js."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina import Variable, optimizers
from recorded import assert_near, records


@pytest.mark.parametrize("name", ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "RMSprop"])
def test_as_keras(name: str) -> None:
    for record in records("keras", "optimizers.jsonl.gz", class_name=name):
        optimizer = optimizers.get({"class_name": name, "config": record["config"]})
        variables = [Variable(v["value"], name=v["name"]) for v in record["variables"]]
        optimizer.build(variables)
        for step in record["steps"]:
            optimizer.apply(step["grads"], variables)
            for variable, after in zip(variables, step["after"], strict=True):
                assert_near(variable, after, f"{record['id']} {variable.name}")
        found, expected = optimizer.get_config(), record["config"]
        rate, expected_rate = found.pop("learning_rate"), expected.pop("learning_rate")
        if isinstance(rate, dict):
            assert rate == {key: expected_rate[key] for key in ("class_name", "config")}
        else:
            assert rate == pytest.approx(expected_rate, rel=1e-6)
        assert found == expected


def _values(step: dict[str, Any], key: str) -> list[Any]:
    return [v["value"] if isinstance(v, dict) else v for v in step.get(key, ())]


def _tells_forms_apart(record: dict[str, Any]) -> bool:
    """Whether gradients are so small that it shows that Keras adds Adam's epsilon before the bias correction."""
    gradients = [g for step in record["steps"] for g in step["grads"] if g is not None]
    return any(np.any((g != 0.0) & (np.abs(g) < 1e-3)) for g in gradients)


def _differs(record: dict[str, Any]) -> bool:
    """Whether Keras's form, which is lamina's, shows: Adam's epsilon, and that of a centered RMSprop, which
    TensorFlow.js takes off the variance in place of adding it."""
    config = record["config"]
    if record["className"] == "RMSProp":
        return bool(config["centered"] and config["epsilon"] > 1e-6)
    return record["className"] == "Adam" and _tells_forms_apart(record)


# Not Adadelta: TensorFlow.js divides by the accumulator as it was before the step, unlike Zeiler and Keras.
@pytest.mark.parametrize("name", ["SGD", "Adagrad", "Adam", "Adamax", "Momentum", "RMSProp"])
def test_as_tensorflow_js(name: str) -> None:
    compared = 0
    for record in records("tensorflow.js", "optimizers.jsonl.gz", className=name):
        if _differs(record):
            continue
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
