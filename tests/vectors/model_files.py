"""TensorFlow.js's saved models: what it saved, loads and prints, and whole folders that lamina loads and trains on."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import configs
import numpy as np
from comparing import TRAINED, assert_near, assert_result
from layer_calls import in_saved_order
from model_making import by_saved_name, load, made, saved_name

import lamina
from lamina.contract import WeightSpec
from lamina.io import ModelArtifacts, decode_weights, from_memory, with_save_handler
from lamina.models import model_from_json
from lamina.structures import flatten

Record = dict[str, Any]
MODELS: Final = ("Sequential", "Model", "Functional")
_ROW: Final = re.compile(r"(?P<name>[^\s(]\S*) .*?\s(?P<count>\d+)\b(?=\s*$|\s+\S+\[\d+\]\[\d+\])")
"""A layer's name, what there is between, its number of parameters, and in graphs what it receives."""


# -- save ----------------------------------------------------------------------------------------------------------


def check_save(record: Record) -> None:
    """The topology, the weights by name with their bytes, and how the model is trained."""
    model = made({**record, "optimizer_state_before": record.get("optimizer_state")})
    handed: list[ModelArtifacts] = []
    settings = record.get("save_config") or {}
    model.save(with_save_handler(handed.append), include_optimizer=bool(settings.get("includeOptimizer")))
    (found,), recorded = handed, record["artifacts"]
    _check_topology(found.topology, recorded["modelTopology"])
    assert found.format == recorded["format"], f"format {found.format}, recorded {recorded['format']}"
    trainable = {w.name for w in model.trainable_weights} if settings.get("trainableOnly") else None
    saved = decode_weights(found.weight_specs, found.weight_data)
    weights = {_plain(spec.name): array for spec, array in saved if trainable is None or spec.name in trainable}
    expected = _arrays(recorded)
    names = set(weights)
    assert names == set(expected), f"weights {sorted(names)}, recorded {sorted(expected)}"
    for name, array in expected.items():
        assert weights[name].shape == array.shape, f"{name} of shape {weights[name].shape}, recorded {array.shape}"
        if record["weights"] is not None:
            assert_result(weights[name], array, name)
    _check_training_config(found.training_config, recorded.get("trainingConfig"))


def _arrays(artifacts: Mapping[str, Any]) -> dict[str, Any]:
    specs = _specs(artifacts)
    data = base64.b64decode(artifacts["weightData_b64"])
    return {_plain(spec.name): array for spec, array in decode_weights(specs, data)}


def _plain(name: str) -> str:
    """A weight's name without the number that TensorFlow.js gives it in the names of slots, where another had it."""
    return re.sub(r"_\d+(?=/)", "", name)


def _specs(artifacts: Mapping[str, Any]) -> tuple[WeightSpec, ...]:
    return tuple(
        WeightSpec(s["name"], tuple(s["shape"]), s["dtype"], s.get("group"), s.get("quantization"))
        for s in artifacts["weightSpecs"]
    )


def _check_topology(found: Mapping[str, Any], recorded: Mapping[str, Any]) -> None:
    """Every recorded setting of every layer, and the graph. The version of who wrote it is not compared."""
    config, expected = found["config"], recorded["config"]
    config = config if isinstance(config, Mapping) else {"layers": config}
    expected = expected if isinstance(expected, Mapping) else {"layers": expected}
    assert found["class_name"] == recorded["class_name"], f"a {found['class_name']}, recorded {recorded['class_name']}"
    for key in ("name", "input_layers", "output_layers"):
        assert key not in expected or config[key] == expected[key], f"{key} {config[key]}, recorded {expected[key]}"
    layers = {entry["config"]["name"]: entry for entry in config["layers"]}
    names = {entry["config"]["name"] for entry in expected["layers"]}
    assert set(layers) == names, f"layers {sorted(layers)}, recorded {sorted(names)}"
    for other in expected["layers"]:
        one = layers[other["config"]["name"]]
        if other["class_name"] in MODELS:
            _check_topology(one, other)
            continue
        assert one["class_name"] == other["class_name"], f"a {one['class_name']}, recorded {other['class_name']}"
        configs.check_settings(one["config"], other["config"], other["class_name"])
        calls, expected_calls = one.get("inbound_nodes"), other.get("inbound_nodes")
        assert calls == expected_calls, f"calls {calls}, recorded {expected_calls}"


def _check_training_config(found: Mapping[str, Any] | None, recorded: Mapping[str, Any] | None) -> None:
    if recorded is None:
        return
    assert found is not None, f"no training configuration, recorded {recorded}"
    assert found["loss"] == recorded["loss"], f"loss {found['loss']}, recorded {recorded['loss']}"
    metrics, expected = (x.get("metrics") or [] for x in (found, recorded))
    assert metrics == expected, f"metrics {metrics}, recorded {expected}"
    one, other = found["optimizer_config"], recorded["optimizer_config"]
    assert one["class_name"] == other["class_name"], f"optimizer {one}, recorded {other}"
    configs.check_settings(one["config"], other["config"], "optimizer")


# -- load ----------------------------------------------------------------------------------------------------------


def check_load(record: Record) -> None:
    """The weights of the loaded model, by name, and that it is compiled as it was."""
    artifacts = record["artifacts"]
    data = base64.b64decode(artifacts.get("weightData_b64", ""))
    specs = _specs(artifacts) if "weightSpecs" in artifacts else ()
    if specs:
        model = load(artifacts["modelTopology"], specs, data, artifacts.get("trainingConfig"))
    else:
        model = model_from_json(artifacts["modelTopology"])
    _check_made(model, record)
    assert (model.optimizer is not None) == (record.get("compile") is not None), "compiled or not"


def check_from_json(record: Record) -> None:
    """The layers of a model that is made of a topology alone, and the shapes of its weights."""
    _check_made(model_from_json(record["json"]), record)


def _check_made(model: Any, record: Record) -> None:
    config = record["topology"]["config"]
    layers = config if isinstance(config, list) else config["layers"]
    names = [layer.name for layer in model.layers]
    expected = [entry["config"]["name"] for entry in layers]
    assert set(names) == set(expected), f"layers {names}, recorded {expected}"
    if record["weights"] is None:
        return
    weights = by_saved_name(model)
    recorded = {saved_name(w): w for w in record["weights"]}
    assert set(weights) == set(recorded), f"weights {sorted(weights)}, recorded {sorted(recorded)}"
    for name, weight in recorded.items():
        assert list(weights[name].shape) == list(weight["shape"]), f"{name}: {weights[name].shape}"
        if "value" in weight:
            assert_result(weights[name], weight["value"], name)


# -- what it prints ------------------------------------------------------------------------------------------------


def summary_rows(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The start of each layer's name and its number of parameters; cells may be cut."""
    found = []
    for line in lines:
        row = _ROW.match(line)
        if row is not None and "params:" not in line:
            found.append((row["name"], row["count"]))
    return found


def says(line: str, row: tuple[str, str]) -> bool:
    """Whether a line of lamina's is of a layer whose name begins so, with a number of parameters that does."""
    name, count = row
    return line.startswith(name) and any(word.startswith(count) for word in line.split())


# -- folders -------------------------------------------------------------------------------------------------------


def check_artifact(record: Record) -> None:
    """A saved model as loaded, and saved and loaded again: predictions, layers, evaluation, three more steps."""
    model = lamina.load_model(record["path"])
    _check_loaded(model, record)
    saved: list[ModelArtifacts] = []
    model.save(with_save_handler(saved.append))
    _check_loaded(lamina.load_model(from_memory(saved[0])), record)
    if "train" in record:
        _check_training(model, record)


def _check_loaded(model: Any, record: Record) -> None:
    for run in record["predict"]:
        if run.get("reset_states_first"):
            model.reset_states()
        for output, expected in zip(flatten(model.predict(_unlisted(run["inputs"]))), run["outputs"], strict=True):
            assert_result(output, expected, "prediction")
    found = [(layer.name, type(layer).__name__, layer.count_params()) for layer in model.layers]
    recorded = [(entry["name"], entry["className"], entry["params"]) for entry in record["layers"]]
    assert found == recorded, f"layers {found}, recorded {recorded}"
    for layer, entry in zip(model.layers, record["layers"], strict=True):
        shapes = [list(x.shape) for node in model.graph.nodes if node.layer is layer for x in node.outputs]
        assert entry["outputShape"] in shapes, f"{layer.name} gives {shapes}, recorded {entry['outputShape']}"
    for weight, recorded in zip(in_saved_order(model), record["weights"], strict=True):
        assert_result(weight, recorded["value"], recorded["name"])


def _check_training(model: Any, record: Record) -> None:
    run = record["evaluate"]
    values = np.ravel(model.evaluate(_unlisted(run["x"]), _unlisted(run["y"]), verbose=0))
    assert_near(values, np.ravel(run["result"]), "evaluation")
    for i, step in enumerate(record["train"]):
        values = np.ravel(model.train_on_batch(_unlisted(step["x"]), _unlisted(step["y"])))
        assert_near(values, np.ravel(step["result"]), f"step {i}", TRAINED)
    for weight, after in zip(in_saved_order(model), record["weights_after_train"], strict=True):
        assert_result(weight, after["value"], f"{after['name']} after training", TRAINED)
    for found, after in zip(model.optimizer.get_weights(), record["optimizer_weights_after_train"], strict=True):
        assert_result(found, after["value"], f"{after['name']} after training", TRAINED)


def _unlisted(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
