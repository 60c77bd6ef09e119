"""What a rule may ask of a recorded run of a model, and the proofs that TensorFlow.js counted otherwise."""

from __future__ import annotations

from typing import Any

import models
import numpy as np
from comparing import TRAINED, assert_near
from model_making import made
from predicates import Record, predicate, proof


def _layers(topology: Any) -> list[Any]:
    config = topology["config"]
    return list(config if isinstance(config, list) else config["layers"])


def _outputs(record: Record) -> int:
    config = record["topology"]["config"]
    places = [] if isinstance(config, list) else config.get("output_layers", [])
    return len(places) if places and isinstance(places[0], list) else 1


def _has_regularizer(value: Any) -> bool:
    if isinstance(value, dict):
        return any((v and k.endswith("_regularizer")) or _has_regularizer(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_regularizer, value))


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
        assert_near(found - np.eye(1, len(found))[0] * penalty, recorded, "values less regularization")
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
        assert_near(np.cumsum(found[1 : surplus + 1]), recorded[:surplus], "sums of the first losses")
        assert_near(found, recorded[surplus:], "values after them")
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
