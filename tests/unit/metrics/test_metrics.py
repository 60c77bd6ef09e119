"""Metrics against recorded results, by name, replayed, and chosen for a model's output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import metrics, ops
from lamina.errors import SerializationError, ShapeError, UnknownNameError
from recorded import assert_near, records

CLASSES = (
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanSquaredError", "MeanSquaredLogarithmicError",
    "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson", "Precision", "PrecisionAtRecall", "R2Score",
    "Recall", "RecallAtPrecision", "RootMeanSquaredError", "SensitivityAtSpecificity", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge",
    "Sum", "TopKCategoricalAccuracy", "TrueNegatives", "TruePositives",
)  # fmt: skip


def _arguments(step: dict[str, Any]) -> list[Any]:
    given = [step["values"]] if "values" in step else [step["y_true"], step["y_pred"]]
    return [*given, step.get("sample_weight")]


ROUNDED = "ignore:.*weights are rounded down"


def test_every_metric_is_tested() -> None:
    made = {n for n in metrics.__all__ if isinstance(getattr(metrics, n), type)}
    assert made - {"Metric", "MeanMetricWrapper"} == set(CLASSES)


@pytest.mark.filterwarnings(ROUNDED)
@pytest.mark.parametrize("name", CLASSES)
def test_as_keras(name: str) -> None:
    for record in records("keras", "metrics.jsonl.gz", class_name=name):
        metric = metrics.get({"class_name": name, "config": record["config"]})
        for step in record["steps"]:
            metric.update_state(*_arguments(step))
            assert_near(metric.result(), step["result"], record["id"])
        for variable, expected in zip(metric.variables, record["variables_after"], strict=True):
            assert_near(variable, expected["value"], f"{record['id']} {expected['name']}")
        metric.reset_state()
        assert_near(metric.result(), record["result_after_reset"], f"{record['id']} after reset")
        config = metric.get_config()
        assert {key: config[key] for key in record["config"] if key != "label_weights"} == {
            key: value for key, value in record["config"].items() if key != "label_weights"
        }
        assert type(metric).from_config(config).get_config() == config


@pytest.mark.filterwarnings(ROUNDED)
@pytest.mark.parametrize("name", CLASSES)
def test_replayed_as_eager(name: str) -> None:
    for record in records("keras", "metrics.jsonl.gz", class_name=name):
        eager, replayed = (metrics.get({"class_name": name, "config": record["config"]}) for _ in range(2))
        step = lamina.function(lambda *arguments, metric=replayed: metric.update_state(*arguments))
        for i in range(5):
            arguments = _arguments(record["steps"][i % 3])
            replayed.build(*(np.shape(a) for a in arguments[-3:-1] * (3 - len(arguments) + 1)))
            eager.update_state(*arguments)
            step(*arguments)
            found, wanted = replayed.result().numpy(), eager.result().numpy()
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=record["id"])
            if i == 3:
                eager.reset_state()
                replayed.reset_state()
        assert step.programs


@pytest.mark.parametrize("name", ["binaryAccuracy", "categoricalAccuracy", "sparseCategoricalAccuracy"])
def test_accuracies_as_tensorflow_js(name: str) -> None:
    metric = metrics.get(name)
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="metric", name=name):
        y_true, y_pred = record["args"]
        if name == "sparseCategoricalAccuracy":
            y_true = np.asarray(y_true).reshape(np.shape(y_pred)[:-1])
        metric.reset_state()
        assert_near(metric(y_true, y_pred), np.float32(np.mean(record["result"])), record["id"])


def test_get() -> None:
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("meanAbsoluteError"), metrics.MeanAbsoluteError)
    assert isinstance(metrics.get(metrics.Mean), metrics.Mean)
    assert metrics.get(lambda t, p: ops.abs(t - p))([[1.0]], [[3.0]]).item() == 2.0
    assert metrics.get("cosine").fn is metrics.cosine_proximity
    assert isinstance(metrics.get("cosine_similarity"), metrics.CosineSimilarity)
    assert metrics.get(metrics.serialize(metrics.get("cosine"))).fn is metrics.cosine_proximity
    assert metrics.get(None) is None
    with pytest.raises(UnknownNameError, match="no metric named 'binary_accurcy'"):
        metrics.get("binary_accurcy")
    config = metrics.serialize(metrics.get(metrics.top_k_categorical_accuracy))
    assert config["config"]["fn"] == "top_k_categorical_accuracy"
    assert metrics.get(config).fn is metrics.top_k_categorical_accuracy
    with pytest.raises(SerializationError, match="no name leads to it"):
        metrics.get(lambda t, p: p).get_config()


@pytest.mark.parametrize(
    ("labels", "output", "loss", "expected"),
    [
        ((None, 1), (None, 1), None, "BinaryAccuracy"),
        ((None,), (None, 1), None, "BinaryAccuracy"),
        ((None,), (None,), None, "BinaryAccuracy"),
        ((None, 3), (None, 3), None, "CategoricalAccuracy"),
        ((None, 3), (None, 3), "binary_crossentropy", "BinaryAccuracy"),
        ((None,), (None, 3), None, "SparseCategoricalAccuracy"),
        ((None, 1), (None, 3), None, "SparseCategoricalAccuracy"),
        ((None, 1), (None, 3), "sparseCategoricalCrossentropy", "SparseCategoricalAccuracy"),
        ((None, 5, 1), (None, 5, 3), None, "SparseCategoricalAccuracy"),
    ],
)
def test_resolve_accuracy(labels: Any, output: Any, loss: str | None, expected: str) -> None:
    assert type(metrics.resolve_accuracy(labels, output, loss)).__name__ == expected
    entropy = expected.replace("Accuracy", "Crossentropy")
    assert type(metrics.resolve("ce", labels, output, loss)).__name__ == entropy


def test_resolve_keeps_the_name_as_written() -> None:
    assert metrics.resolve("acc", (None, 2), (None, 2)).name == "acc"
    assert metrics.resolve("mae", (None, 2), (None, 2)).name == "mean_absolute_error"


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.categorical_accuracy([1, 2], [[0.5, 0.5]]),
        lambda: metrics.sparse_categorical_accuracy([[1, 2]], [[0.5, 0.5]]),
        lambda: metrics.Mean()([1.0, 2.0], [1.0, 2.0, 3.0]),
    ],
)
def test_bad_shapes(call: Any) -> None:
    with pytest.raises(ShapeError):
        call()


def test_a_mask_leaves_values_out() -> None:
    metric = metrics.MeanSquaredError()
    metric.update_state(np.zeros((2, 1)), np.array([[1.0], [5.0]]), mask=np.array([True, False]))
    assert metric.result().item() == 1.0
