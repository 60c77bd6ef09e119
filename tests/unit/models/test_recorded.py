"""Models against recorded runs of TensorFlow.js, and models that it saved."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import losses, metrics, optimizers
from lamina.catalogue import LAYERS
from lamina.errors import UnknownNameError
from lamina.models.tfjs_layers import from_tfjs
from lamina.models.topology import model_from_config
from lamina.structures import flatten
from recorded import assert_near, folder, records

MODELS = {"Sequential", "Model", "Functional"}


def entries(topology: Any) -> list[Any]:
    """The entries of a model's layers, those of nested models included."""
    config = topology.get("model_config", topology)["config"]
    found = config if isinstance(config, list) else config["layers"]
    return [*found, *(inner for entry in found if entry["class_name"] in MODELS for inner in entries(entry))]


def is_here(topology: Any) -> bool:
    """Whether lamina has the layers of a model, and their settings."""
    known = {*LAYERS, *MODELS}
    return all(e["class_name"] in known and not e["config"].get("stateful") for e in entries(topology))


def is_known(compiled: dict[str, Any]) -> bool:
    """Whether lamina has the optimizer, the losses and the metrics.

    Its precision is Keras's: TensorFlow.js takes only predictions of exactly 1 as positive.
    """
    if "precision" in flatten(compiled["metrics"] or []):
        return False
    try:
        optimizers.get(optimizer_config(compiled))
        for name in flatten(compiled["loss"]):
            losses.get(name)
        for name in flatten(compiled["metrics"] or []):
            metrics.resolve(name, (None, 1), (None, 1))
    except UnknownNameError:
        return False
    return True


def optimizer_config(compiled: dict[str, Any]) -> dict[str, Any]:
    given = compiled["optimizer"]
    return {"class_name": given["className"], "config": given["config"]}


def model_of(record: dict[str, Any]) -> Any:
    """The model of a record, with its weights, compiled as it was."""
    topology = record["topology"]
    config = topology["config"]
    model = model_from_config(from_tfjs({"layers": config} if isinstance(config, list) else config))
    for weight, value in zip(weights_of(model), record["weights"], strict=True):
        weight.assign(np.asarray(value["value"], weight.dtype))
    compiled = record.get("compile")
    if compiled:
        model.compile(optimizer=optimizer_config(compiled), loss=compiled["loss"], metrics=compiled["metrics"] or None)
    return model


def weights_of(model: Any) -> list[Any]:
    """The weights in the order of TensorFlow.js, which has those that are not trained last."""
    return [*model.trainable_weights, *model.non_trainable_weights]


def wanted(kind: str) -> list[dict[str, Any]]:
    """The records of a kind that lamina can run: no layers, losses or optimizers that it lacks, no state before."""
    found = records("tensorflow.js", "models.jsonl.gz", kind=kind)
    found = [r for r in found if is_here(r["topology"]) and r["weights"] is not None]
    found = [r for r in found if not r.get("compile") or is_known(r["compile"])]
    return [
        r for r in found if r.get("deterministic", True) and not (r.get("optimizer_state_before") or {}).get("slots")
    ]


def arguments(record: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those of the recorded arguments that have a name here, in our spelling."""
    given = {re.sub("([A-Z])", lambda m: "_" + m[1].lower(), key): v for key, v in (record.get("args") or {}).items()}
    return {key: given[key] for key in names if given.get(key) is not None}


def unlisted(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


@pytest.mark.parametrize("kind", ["predict", "predictOnBatch"])
def test_predict(kind: str) -> None:
    compared = 0
    for record in wanted(kind):
        found = flatten(model_of(record).predict(unlisted(record["inputs"]), **arguments(record, "batch_size")))
        for output, expected in zip(found, flatten(record["outputs"]), strict=True):
            assert_near(output, expected, record["id"])
        compared += 1
    assert compared > 5


def test_evaluate() -> None:
    compared = 0
    for record in wanted("evaluate"):
        settings = arguments(record, "batch_size", "sample_weight")
        model = model_of(record)
        found = model.evaluate(unlisted(record["x"]), unlisted(record["y"]), **settings)
        expected = [float(np.asarray(v)) for v in flatten(record["result"])]
        del expected[: len(model.outputs) - 1]  # TensorFlow.js gives the sums of the first losses, too
        expected[0] += sum(loss.item() for loss in model.losses)  # and leaves regularization out
        np.testing.assert_allclose(flatten([found]), expected, rtol=1e-4, atol=1e-5, err_msg=record["id"])
        compared += 1
    assert compared > 20


def test_train_on_batch() -> None:
    compared = 0
    for record in wanted("trainOnBatch"):
        model = model_of(record)
        found = model.train_on_batch(unlisted(record["x"]), unlisted(record["y"]))
        expected = [float(np.asarray(v)) for v in flatten([record["result"]])]
        np.testing.assert_allclose(flatten([found]), expected, rtol=1e-3, atol=1e-5, err_msg=record["id"])
        for weight, after in zip(weights_of(model), record["weights_after"], strict=True):
            assert_near(weight, after["value"], f"{record['id']} {weight.name}", rtol=1e-3)
        compared += 1
    assert compared > 5


def fits() -> Iterator[dict[str, Any]]:
    for record in wanted("fit"):
        args = record.get("args") or {}
        several_class_weights = (
            len(record["topology"]["config"].get("output_layers", "1")) > 1 and "classWeight" in args
        )
        told = isinstance(record.get("callbacks"), list) or "validationData" in args or several_class_weights
        if not told:
            yield record


def test_fit() -> None:
    compared = 0
    for record in fits():
        model = model_of(record)
        names = ("batch_size", "epochs", "initial_epoch", "validation_split", "class_weight", "sample_weight")
        settings = arguments(record, *names)
        if "class_weight" in settings:
            settings["class_weight"] = {int(k): v for k, v in unlisted(settings["class_weight"]).items()}
        history = model.fit(unlisted(record["x"]), unlisted(record["y"]), shuffle=False, verbose=0, **settings)
        assert history.epoch == record["epochs_run"], record["id"]
        for weight, after in zip(weights_of(model), record["weights_after"], strict=True):
            assert_near(weight, after["value"], f"{record['id']} {weight.name}", rtol=1e-3)
        np.testing.assert_allclose(
            history.history["loss"], record["history"]["loss"], rtol=1e-3, atol=1e-5, err_msg=record["id"]
        )
        compared += 1
    assert compared > 20


def test_loaded_documents() -> None:
    compared = 0
    for record in records("tensorflow.js", "models.jsonl.gz", kind="modelFromJSON"):
        if not is_here(record["topology"]):
            continue
        topology = record["json"].get("modelTopology", record["json"])
        config = topology.get("model_config", topology)["config"]
        model = model_from_config(from_tfjs({"layers": config} if isinstance(config, list) else config))
        if record["weights"] is not None:  # TensorFlow.js had made them
            assert [list(w.shape) for w in weights_of(model)] == [list(w["shape"]) for w in record["weights"]]
        assert model.get_config()["name"] == record["topology"]["config"]["name"] or isinstance(config, list)
        compared += 1
    assert compared > 3


# -- saved models --------------------------------------------------------------------------------------------------


def artifacts() -> list[str]:
    path = folder("tensorflow.js") / "artifacts"
    return sorted(p.name for p in path.iterdir() if p.is_dir()) if path.is_dir() else []


def load_artifact(name: str) -> Any:
    path = folder("tensorflow.js")
    spec = importlib.util.spec_from_file_location("load_vectors_of_artifacts", path / "load_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_artifact(name)


@pytest.mark.parametrize("name", artifacts() or ["none"])
def test_saved_by_tensorflow_js(name: str, tmp_path: Any) -> None:
    if name == "none":
        pytest.skip(f"the recordings of tensorflow.js are not at {folder('tensorflow.js')}")
    recorded = load_artifact(name)
    path = folder("tensorflow.js") / "artifacts" / name
    if not is_here(recorded["model_json"]["modelTopology"]):
        with pytest.raises(UnknownNameError, match="there is no layer named"):
            lamina.load_model(path)
        return
    io, model = recorded["io"], lamina.load_model(path)
    check_model(model, io, name)
    model.save(tmp_path / "again")
    check_model(lamina.load_model(tmp_path / "again"), io, name)
    if "train" in io:
        check_training(model, io, name)


def check_model(model: Any, io: dict[str, Any], name: str) -> None:
    """Predictions, layers and weights as they were."""
    for run in io["predict"]:
        found = flatten(model.predict(unlisted(run["inputs"])))
        for output, expected in zip(found, run["outputs"], strict=True):
            assert_near(output, expected, name)
    assert [layer.name for layer in model.layers] == [entry["name"] for entry in io["layers"]]
    assert [list(layer.output_shape) for layer in model.layers] == [entry["outputShape"] for entry in io["layers"]]
    assert [layer.count_params() for layer in model.layers] == [entry["params"] for entry in io["layers"]]


def check_training(model: Any, io: dict[str, Any], name: str) -> None:
    """Evaluation, and three more steps from the optimizer's state in the file."""
    run = io["evaluate"]
    found = model.evaluate(unlisted(run["x"]), unlisted(run["y"]))
    np.testing.assert_allclose(flatten([found]), np.ravel(run["result"]), rtol=1e-4, atol=1e-5)
    for step in io["train"]:
        found = model.train_on_batch(unlisted(step["x"]), unlisted(step["y"]))
        np.testing.assert_allclose(flatten([found]), np.ravel(step["result"]), rtol=1e-3, atol=1e-5)
    for weight, after in zip(weights_of(model), io["weights_after_train"], strict=True):
        assert_near(weight, after["value"], f"{name} {weight.name}", rtol=1e-3)
    for found, after in zip(model.optimizer.get_weights(), io["optimizer_weights_after_train"], strict=True):
        assert_near(found, after["value"], f"{name} {after['name']}", rtol=1e-3)
