"""What a rule may ask of a recorded run of a model, and the proofs that TensorFlow.js counted otherwise."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import models
import numpy as np
from comparing import TRAINED, assert_near
from layer_calls import tensors
from model_making import made, saved_name
from predicates import Record, predicate, proof

import lamina
from lamina.autodiff.gradients import gradients_of_variables


def _layers(topology: Any) -> list[Any]:
    config = topology["config"]
    return list(config if isinstance(config, list) else config["layers"])


def _outputs(record: Record) -> int:
    config = record["topology"]["config"]
    places = [] if isinstance(config, list) else config.get("output_layers", [])
    return len(places) if places and isinstance(places[0], list) else 1


def _has_regularizer(value: Any) -> bool:
    if isinstance(value, dict):
        return any((k.endswith("_regularizer") and _penalizes(v)) or _has_regularizer(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_regularizer, value))


def _penalizes(regularizer: Any) -> bool:
    return bool(regularizer) and any(regularizer.get("config", {}).get(key, 0.01) for key in ("l1", "l2"))


def _trains(record: Record) -> bool:
    """A model is trained, with results that are the same each time."""
    return "train" in record or (record["kind"] in ("fit", "trainOnBatch") and record["deterministic"])


def _validates(record: Record) -> bool:
    args = record.get("args") or {}
    return record["kind"] == "evaluate" or bool(args.get("validationSplit") or args.get("validationData"))


@predicate
def several_outputs_evaluated(record: Record) -> bool:
    """A model of several outputs is evaluated, or validated during fit."""
    return _outputs(record) > 1 and _validates(record) and record.get("deterministic", True)


@predicate
def regularized_evaluated(record: Record) -> bool:
    """A model with regularizers and one output is evaluated, or validated during fit."""
    regularized = _has_regularizer(_layers(record["topology"]))
    return regularized and _outputs(record) == 1 and _validates(record) and record.get("deterministic", True)


def _entries(topology: Any) -> list[Any]:
    """The layers, those of nested models included."""
    inner = topology.get("model_config", topology)
    found = _layers(inner)
    return [*found, *(e for entry in found if "layers" in entry["config"] for e in _entries(entry))]


@predicate
def averages_near_padding(record: Record) -> bool:
    """A saved stack is trained in which averages are taken over windows that reach into padding."""
    sizes = {entry["name"]: entry["outputShape"][1:-1] for entry in record["layers"]}
    for before, entry in pairwise(_entries(record["topology"])):
        config = entry["config"]
        if entry["class_name"].startswith("AveragePooling") and config.get("padding") == "same":
            old, new = sizes[before["config"]["name"]], sizes[config["name"]]
            axes = zip(old, new, config["strides"], config["pool_size"], strict=True)
            if any((after - 1) * stride + window > size for size, after, stride, window in axes):
                return _trains(record)
    return False


@predicate
def resizes_several_images_after_weights(record: Record) -> bool:
    """A model is trained on batches in which images are made larger after a layer with weights."""
    several = min(len(record["x"]), (record.get("args") or {}).get("batchSize", 32)) > 1
    weighted = False
    for entry in _entries(record["topology"]):
        if entry["class_name"] == "UpSampling2D" and weighted and entry["config"]["size"] != [1, 1]:
            return several and _trains(record)
        weighted |= "filters" in entry["config"] or "units" in entry["config"]
    return False


@predicate
def oversteps_a_constraint(record: Record) -> bool:
    """A model is trained, after which weights are not as their constraints would have them."""
    if not _trains(record):
        return False
    after = {saved_name(w): w["value"] for w in record["weights_after"]}
    for entry in _entries(record["topology"]):
        for key, given in entry["config"].items():
            name = f"{entry['config'].get('name')}/{key.removesuffix('_constraint')}"
            if key.endswith("_constraint") and given and name in after:
                kept = lamina.constraints.get(given)(lamina.tensor(after[name])).numpy()
                if not np.allclose(kept, after[name], rtol=1e-5, atol=1e-6):
                    return True
    return False


def _biases_before_normalization(record: Record) -> dict[str, str]:
    """The biases that the next layer, in training, subtracts again, and the moving means that they move."""
    pairs = list(pairwise(_layers(record["topology"])))
    return {
        f"{one['config']['name']}/bias": f"{other['config']['name']}/moving_mean"
        for one, other in pairs
        if other["class_name"] == "BatchNormalization" and one["config"].get("activation") == "linear"
    }


@predicate
def bias_before_normalization(record: Record) -> bool:
    """A model is trained in which batch normalization subtracts a bias again, which has moved nevertheless."""
    before = {saved_name(w): w["value"] for w in record["weights"]}
    after = {saved_name(w): w["value"] for w in record["weights_after"]}
    moved = (np.abs(after[name] - before[name]).max() > 1e-3 for name in _biases_before_normalization(record))
    return _trains(record) and any(moved)


@proof("models")
def all_but_that_bias(record: Record) -> None:
    """All but that bias and the mean of what it shifts is equal; its gradient is 0 but for rounding."""
    biases = _biases_before_normalization(record)
    weights = [w for w in record["weights_after"] if saved_name(w) not in {*biases, *biases.values()}]
    models.check({**record, "weights_after": weights, "optimizer_state_after": {"iterations": _steps(record)}})


def _steps(record: Record) -> int:
    return int(record["optimizer_state_after"]["iterations"])


@predicate
def baseline_missed_at_once(record: Record) -> bool:
    """A run stopped after its first epoch, which was no better than a baseline."""
    listed = record.get("callbacks")
    baselines = [c.get("baseline") for c in listed] if isinstance(listed, list) else []
    once = len(record["epochs_run"]) == 1 < (record.get("args") or {}).get("epochs", 1)
    return any(value is not None for value in baselines) and once and _trains(record)


@proof("models")
def goes_on_from_there(record: Record) -> None:
    """The first epoch is the recorded one; the run goes on at least one more, as Keras's does."""
    model = made(record)
    history = models.fit(record, model)
    assert len(history.epoch) > 1, "it stopped, too"
    for key, values in models.histories(record, model, history):
        assert_near(values[:1], np.asarray(record["history"][key], np.float64), f"history of {key}", TRAINED)


@predicate
def decodes_text(record: Record) -> bool:
    """A model has the decoder of TensorFlow.js's unpublished room for text."""
    return any(e["class_name"] == "TransformerDecoder" for e in _entries(record["topology"]))


@predicate
def steps_of_another_shape(record: Record) -> bool:
    """A model made for sequences is applied to each step of one."""
    for entry in _entries(record["topology"]):
        inner = entry["config"].get("layer") or {}
        if entry["class_name"] == "TimeDistributed" and inner.get("class_name") in ("Sequential", "Model"):
            first = _layers(inner)[0]["config"].get("batch_input_shape")
            given = entry["config"].get("batch_input_shape")
            return bool(first and given) and len(first) != len(given) - 1
    return False


@proof("models", "artifacts")
def slope_of_the_loss(record: Record) -> None:
    """The gradient of the loss along a random direction is the slope that differences give."""
    model = lamina.load_model(record["path"]) if "path" in record else made(record)
    step = record["train"][0] if "train" in record else record
    x, y = (tensors(models.unlisted(step[key])) for key in ("x", "y"))
    model.test_on_batch(x, y)  # makes the losses
    start = [w.numpy() for w in model.weights]
    generator = np.random.default_rng(0)
    variables = list(model.trainable_weights)
    directions = [generator.standard_normal(w.shape).astype(np.float32) for w in variables]

    def loss() -> Any:
        return model.compute_loss(y=y, y_pred=model(x, training=True))

    _, pairs = gradients_of_variables(loss, variables)
    slope = sum(float(np.sum(g.numpy() * d)) for (_, g), d in zip(pairs, directions, strict=True) if g is not None)
    values = []
    for way in (1e-3, -1e-3):
        for weight, value in zip(model.weights, start, strict=True):
            weight.assign(value)
        for weight, direction in zip(variables, directions, strict=True):
            weight.assign(weight.numpy() + way * direction)
        values.append(float(loss().numpy()))
    measured = (values[0] - values[1]) / 2e-3
    assert np.isclose(slope, measured, rtol=2e-2, atol=1e-2), f"the gradient gives {slope}, differences {measured}"


@predicate
def not_strict(record: Record) -> bool:
    """A file is loaded without asking that it has all weights."""
    return record["options"].get("strict") is False


@proof("models")
def without_regularization(record: Record) -> None:
    """The recorded loss is lamina's without what regularization adds; everything else is equal."""
    if record["kind"] == "evaluate":
        model = made(record)
        penalty = sum(loss.item() for loss in model.losses)
        found = models.numbers(models.evaluate(record))
        recorded = models.numbers(record["result"])
        assert penalty > 0.0, "nothing is regularized"
        models.check_values(found - np.eye(1, len(found))[0] * penalty, recorded)
        return
    model = made(record)
    history = models.fit(record, model)
    penalty = sum(loss.item() for loss in model.losses)
    for key, values in models.histories(record, model, history, beside=("val_loss",)):
        assert_near(values, np.asarray(record["history"][key], np.float64), f"history of {key}", TRAINED)
    last, recorded = history.history["val_loss"][-1], record["history"]["val_loss"][-1]
    assert_near(np.asarray(last - penalty), np.asarray(recorded), "the last val_loss less regularization", TRAINED)
    models.check_trained(model, record)


@proof("models")
def running_totals(record: Record) -> None:
    """The recorded values begin with the sums of the losses of the first outputs; after them come lamina's."""
    surplus = _outputs(record) - 1
    if record["kind"] == "evaluate":
        model = made(record)
        found = models.numbers(models.evaluate(record))
        found[0] -= sum(loss.item() for loss in model.losses)
        recorded = models.numbers(record["result"])
        models.check_values(np.cumsum(found[1 : surplus + 1]), recorded[:surplus])
        models.check_values(found, recorded[surplus:])
        return
    model = made(record)
    history = models.fit(record, model)
    names = record["compile"]["metrics_names"]
    for key, values in models.histories(record, model, history, beside=[f"val_{name}" for name in names]):
        assert_near(values, np.asarray(record["history"][key], np.float64), f"history of {key}", TRAINED)
    penalty = sum(loss.item() for loss in model.losses)
    found = np.asarray([history.history[f"val_{name}"][-1] for name in model.metrics_names])
    found[0] -= penalty
    shifted = [*np.cumsum(found[1 : surplus + 1]), *found][: len(names)]
    recorded = np.asarray([record["history"][f"val_{name}"][-1] for name in names])
    assert_near(np.asarray(shifted), recorded, "validation, one place later", TRAINED)
    models.check_trained(model, record)
