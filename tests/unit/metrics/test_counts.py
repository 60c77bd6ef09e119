"""Counts at thresholds: against counting one by one, for weights, masks, labels apart, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import metrics, ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.metrics.confusion import COUNTS, Thresholds, counts_at, spread

RNG = np.random.default_rng(5)
LABELS = (RNG.uniform(size=(40, 3)) > 0.4).astype(np.float32)
SCORES = np.round(RNG.uniform(size=(40, 3)), 2).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, (40, 3)).astype(np.float32)


def one_by_one(limits: list[float], labels: Any, scores: Any, weights: Any, axis: Any) -> dict[str, Any]:
    found: dict[str, list[Any]] = {name: [] for name in COUNTS}
    for limit in np.asarray(limits, np.float32):
        above = scores > limit
        kinds = (labels == 1) & above, (labels == 0) & above, (labels == 0) & ~above, (labels == 1) & ~above
        for name, kind in zip(COUNTS, kinds, strict=True):
            found[name].append(np.where(kind, weights, 0.0).sum(axis))
    return {name: np.asarray(counts) for name, counts in found.items()}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("limits", [[0.5], [0.2, 0.35, 0.9], [-1e-7, 0.25, 0.5, 0.75, 1.0 + 1e-7], spread(5)])
def test_counts(limits: list[float], weighted: bool, apart: bool) -> None:
    thresholds = Thresholds.of(limits)
    assert thresholds.even == (len(limits) == 5)
    given = [ops.tensor(x) for x in (LABELS, SCORES, WEIGHTS)]
    found = counts_at(thresholds, given[0], given[1], given[2] if weighted else None, apart=apart)
    wanted = one_by_one(limits, LABELS, SCORES, WEIGHTS if weighted else np.ones_like(WEIGHTS), 0 if apart else None)
    for name in COUNTS:
        np.testing.assert_allclose(found[name].numpy(), wanted[name], rtol=1e-5, atol=1e-4, err_msg=name)


def test_predictions_outside_the_unit_interval_count_at_its_ends() -> None:
    metric = metrics.TruePositives(spread(4))
    assert metric([1.0, 1.0, 1.0], [-3.0, 7.0, 0.5]).tolist() == [2.0, 2.0, 1.0, 0.0]


def area(labels: Any, scores: Any, weights: Any) -> float:
    """The share of pairs that are in order: the area under the ROC curve."""
    first, second = labels == 1, labels == 0
    pairs = weights[first][:, None] * weights[second][None]
    ahead = (scores[first][:, None] > scores[second][None]) + 0.5 * (scores[first][:, None] == scores[second][None])
    return float((pairs * ahead).sum() / pairs.sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_auc_is_the_share_of_pairs_in_order(weighted: bool) -> None:
    weights = WEIGHTS if weighted else np.ones_like(WEIGHTS)
    metric = metrics.AUC(num_thresholds=1001)
    for part in (slice(0, 25), slice(25, 40)):
        metric.update_state(LABELS[part], SCORES[part], WEIGHTS[part] if weighted else None)
    assert metric.result().item() == pytest.approx(area(LABELS, SCORES, weights), abs=2e-3)
    by_label = metrics.AUC(num_thresholds=1001, multi_label=True, label_weights=[1.0, 2.0, 0.0])
    by_label.update_state(LABELS, SCORES, WEIGHTS if weighted else None)
    areas = [area(LABELS[:, i], SCORES[:, i], weights[:, i]) for i in range(3)]
    assert by_label.result().item() == pytest.approx((areas[0] + 2.0 * areas[1]) / 3.0, abs=2e-3)


def test_auc_between_its_bounds() -> None:
    def found(curve: str, method: str) -> float:
        return metrics.AUC(20, curve, method)(LABELS, SCORES).item()  # type: ignore[no-any-return]

    for curve in ("ROC", "PR", "PRGAIN"):
        assert found(curve, "minoring") <= found(curve, "interpolation") <= found(curve, "majoring")


def test_auc_before_the_first_batch() -> None:
    metric = metrics.AUC(multi_label=True)
    assert metric.result().item() == 0.0
    assert metric.variables == []
    metric.build((None, 4), (None, 4))
    metric.build((None, 4), (None, 4))
    assert [v.shape for v in metric.variables] == [(200, 4)] * 4
    with pytest.raises(ShapeError, match=r"the shape \(samples, 4\)"):
        metric.update_state(np.ones((2, 3)), np.ones((2, 3)))


def test_auc_from_logits() -> None:
    logits = np.log(SCORES + 1e-3) - np.log(1.001 - SCORES)
    plain, from_logits = metrics.AUC(), metrics.AUC(from_logits=True)
    assert from_logits(LABELS, logits).item() == pytest.approx(plain(LABELS, SCORES).item(), abs=5e-3)


def test_top_k_and_class() -> None:
    labels = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], np.float32)
    scores = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], np.float32)
    assert metrics.Precision(top_k=1)(labels, scores).item() == 1.0
    assert metrics.Precision(top_k=2)(labels, scores).item() == 0.75
    assert metrics.Recall(top_k=2)(labels, scores).item() == 1.0
    assert metrics.Recall(top_k=2, class_id=0)(labels, scores).item() == 1.0
    assert metrics.Precision(top_k=2, class_id=1)(labels, scores).item() == 0.5
    assert metrics.Recall(thresholds=0.25, top_k=1, class_id=2)(labels, scores).item() == 1.0


@pytest.mark.parametrize("name", ["AUC", "Precision", "Recall", "TruePositives", "FalseNegatives", "F1Score", "IoU"])
def test_what_a_mask_leaves_out_does_not_count(name: str) -> None:
    settings = {"IoU": {"num_classes": 2, "target_class_ids": [1]}, "F1Score": {"average": "micro"}}.get(name, {})
    masked, short = (getattr(metrics, name)(**settings) for _ in range(2))
    shape = (-1, 3) if name == "F1Score" else (-1,)
    labels, scores = LABELS.reshape(shape), SCORES.reshape(shape)
    scores = np.round(scores) if name == "IoU" else scores
    half = len(labels) // 2
    predicted = lamina.tensor(scores)
    predicted._mask = lamina.tensor(np.arange(len(labels)) < half)
    masked.update_state(labels, predicted)
    short.update_state(labels[:half], scores[:half])
    assert masked.result().item() == pytest.approx(short.result().item())
    both = np.linspace(0.0, 1.0, len(labels)).astype(np.float32)
    if name != "IoU":
        masked.update_state(labels, predicted, both)
        short.update_state(labels[:half], scores[:half], both[:half])
        assert masked.result().item() == pytest.approx(short.result().item())


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: metrics.Precision(thresholds=1.5), ArgumentError, "thresholds is 1.5"),
        (lambda: metrics.Precision(thresholds=[0.5, -0.1]), ArgumentError, "thresholds is -0.1"),
        (lambda: metrics.Precision(thresholds=[]), ArgumentError, "thresholds is"),
        (lambda: metrics.Precision(thresholds="0.5"), ArgumentTypeError, "thresholds"),
        (lambda: metrics.Precision(top_k=0), ArgumentError, "top_k is 0"),
        (lambda: metrics.Precision(class_id=-1), ArgumentError, "class_id is -1"),
        (lambda: metrics.Recall(class_id=True), ArgumentTypeError, "class_id is True"),
        (lambda: metrics.SensitivityAtSpecificity(1.5), ArgumentError, "specificity is 1.5"),
        (lambda: metrics.PrecisionAtRecall(float("nan")), ArgumentError, "recall is nan"),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), ArgumentError, "num_thresholds is 0"),
        (lambda: metrics.AUC(num_thresholds=1), ArgumentError, "num_thresholds is 1"),
        (lambda: metrics.AUC(curve="COR"), ArgumentError, "curve is 'COR'"),
        (lambda: metrics.AUC(summation_method="mean"), ArgumentError, "summation_method is 'mean'"),
        (lambda: metrics.AUC(num_labels=2), ArgumentError, "without multi_label"),
        (lambda: metrics.AUC(multi_label=True, num_labels=2, label_weights=[1.0]), ArgumentError, "1 entries"),
        (lambda: metrics.AUC(thresholds=[0.5, 2.0]), ArgumentError, "thresholds is"),
        (lambda: metrics.AUC(multi_label=1), ArgumentTypeError, "multi_label is 1"),
        (lambda: metrics.Precision()([1.0, 0.0], [0.5]), ShapeError, "precision: y_true"),
        (lambda: metrics.Precision(class_id=3)(LABELS, SCORES), ShapeError, "class_id is 3"),
        (lambda: metrics.Precision(top_k=4)(LABELS, SCORES), ShapeError, "top_k is 4"),
        (lambda: metrics.AUC()(LABELS, SCORES, np.ones(7)), ShapeError, "sample_weight"),
    ],
)
def test_bad_input(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_functions_of_one_batch_as_tensorflow_js() -> None:
    assert metrics.precision([[0.0, 1.0]], [[1.0, 1.0]]).item() == 0.5
    assert metrics.recall([[1.0, 1.0]], [[0.0, 0.9]]).item() == 0.0
    assert metrics.precision([[1.0]], [[0.0]]).item() == 0.0
