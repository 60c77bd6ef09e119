"""F-scores, intersection over union, R2, top-k accuracy: what recorded results do not cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import metrics
from lamina.errors import ArgumentError, ArgumentTypeError, ReplayError, ShapeError

LABELS = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
SCORES = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.1, 0.3], [0.1, 0.8, 0.1]], np.float32)


def test_f1_is_the_harmonic_mean() -> None:
    found = metrics.F1Score()(LABELS, SCORES).numpy()
    np.testing.assert_allclose(found, [2 / 3, 1.0, 0.0], atol=1e-5)
    assert metrics.F1Score(average="macro")(LABELS, SCORES).item() == pytest.approx(5 / 9, abs=1e-5)
    assert metrics.F1Score(average="weighted")(LABELS, SCORES).item() == pytest.approx(2 / 3, abs=1e-5)
    assert metrics.F1Score(average="micro")(LABELS, SCORES).item() == pytest.approx(0.75, abs=1e-5)
    assert metrics.F1Score(average="micro", threshold=0.65)(LABELS, SCORES).item() == pytest.approx(6 / 7, abs=1e-5)


def test_of_zeros_only_none_is_the_highest() -> None:
    assert metrics.F1Score(average="micro")(LABELS, np.zeros((4, 3))).item() == 0.0


def test_state_of_the_datas_shape_is_made_before_recording() -> None:
    for metric in (metrics.F1Score(), metrics.R2Score(), metrics.AUC(multi_label=True)):
        step = lamina.function(lambda t, p, metric=metric: metric.update_state(t, p))
        with pytest.raises(ReplayError):
            step(LABELS, SCORES)
        metric.build((None, 3), (None, 3))
        for _ in range(4):
            step(LABELS, SCORES)
        assert metric.result().shape in ((), (3,))


def test_r2_adjusted_for_independent_variables() -> None:
    true, pred = np.arange(10.0)[:, None], np.arange(10.0)[:, None] + np.tile([0.5, -0.5], 5)[:, None]
    plain = metrics.R2Score()(true, pred).item()
    assert metrics.R2Score(num_regressors=2)(true, pred).item() == pytest.approx(1 - (1 - plain) * 9 / 7, abs=1e-5)
    assert metrics.R2Score(num_regressors=9)(true, pred).item() == pytest.approx(plain)
    assert np.isnan(metrics.R2Score().result().item())


def test_iou_ignores_what_is_no_class() -> None:
    metric = metrics.IoU(3, [0, 1], ignore_class=2)
    metric.update_state([0, 0, 1, 2, 7, 1], [0, 1, 1, 0, 0, -1])
    assert metric.total_confusion_matrix.numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert metric.result().item() == pytest.approx(0.5, abs=1e-5)


def test_iou_with_weights() -> None:
    with pytest.warns(UserWarning, match="rounded down to int32"):
        metrics.MeanIoU(2).update_state([0, 1], [0, 1], [0.5, 1.0])
    whole = metrics.MeanIoU(2)
    whole.update_state([0, 1], [0, 1], np.array([2, 3]))
    assert whole.total_confusion_matrix.numpy().tolist() == [[2, 0], [0, 3]]
    real = metrics.MeanIoU(2, dtype="float32")
    real.update_state([0, 1], [0, 1], [0.5, 1.0])
    assert real.total_confusion_matrix.numpy().tolist() == [[0.5, 0.0], [0.0, 1.0]]


def test_iou_of_images_with_a_weight_for_each() -> None:
    metric = metrics.OneHotMeanIoU(3, dtype="float32")
    labels = np.eye(3, dtype=np.float32)[np.array([[0, 1], [2, 2]])]
    metric.update_state(labels, labels, [1.0, 3.0])
    assert np.diagonal(metric.total_confusion_matrix.numpy()).tolist() == [1.0, 1.0, 6.0]


def test_top_k() -> None:
    scores = np.array([[0.5, 0.5, 0.1], [0.2, 0.3, np.nan]], np.float32)
    assert metrics.sparse_top_k_categorical_accuracy([1, 2], scores, k=1).tolist() == [1.0, 0.0]  # a tie is a hit
    assert metrics.sparse_top_k_categorical_accuracy([5, 0], scores, k=3).tolist() == [0.0, 1.0]
    assert metrics.top_k_categorical_accuracy([[0.0, 0.0, 1.0]], scores[:1], k=7).tolist() == [1.0]
    ids = [[4, 2, 9], [3, 1, 0]]
    assert metrics.sparse_top_k_categorical_accuracy([2, 0], ids, k=2, from_sorted_ids=True).tolist() == [1.0, 0.0]
    labels_last = metrics.SparseTopKCategoricalAccuracy(k=1)
    assert labels_last([[0], [1]], [[0.9, 0.1], [0.8, 0.2]]).item() == 0.5


def test_ignored_labels_as_keras() -> None:
    scores = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)
    plain, weighted = (metrics.SparseCategoricalCrossentropy(ignore_class=0) for _ in range(2))
    assert plain([1, 0], scores).item() == pytest.approx(np.log(2.0) / 2.0)
    assert weighted([1, 0], scores, [1.0, 1.0]).item() == pytest.approx(np.log(2.0))


def test_concordance_falls_with_a_shift() -> None:
    true = np.array([[0.0, 1.0, 2.0]], np.float32)
    assert metrics.ConcordanceCorrelation()(true, true + 1.0).item() < metrics.PearsonCorrelation()(true, true + 1.0)


def test_names_in_logs() -> None:
    names = [metrics.AUC().name, metrics.TruePositives().name, metrics.Precision().name, metrics.F1Score().name]
    assert names == ["auc", "true_positives", "precision", "f1_score"]


def test_add_weight_as_keras() -> None:
    class Seen(metrics.Metric):
        def __init__(self, name: str = "seen", **settings: Any) -> None:
            super().__init__(name=name, **settings)
            self.seen = self.add_weight(name="seen", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.seen.assign(self.seen + float(len(y_true)))

        def result(self) -> Any:
            return self.seen.value

    assert Seen()([1.0, 2.0], [1.0, 2.0]).item() == 2.0


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: metrics.F1Score(average="mean"), ArgumentError, "average is 'mean'"),
        (lambda: metrics.F1Score(threshold=0.0), ArgumentError, "threshold is 0.0"),
        (lambda: metrics.FBetaScore(beta=0.0), ArgumentError, "beta is 0.0"),
        (lambda: metrics.FBetaScore(beta="2"), ArgumentTypeError, "beta is '2'"),
        (lambda: metrics.F1Score()([1.0], [0.5]), ShapeError, r"\(samples, classes\) for both"),
        (lambda: metrics.R2Score(class_aggregation="sum"), ArgumentError, "class_aggregation is 'sum'"),
        (lambda: metrics.R2Score(num_regressors=-1), ArgumentError, "num_regressors is -1"),
        (lambda: metrics.R2Score()([1.0, 2.0], [1.0, 2.0]), ShapeError, r"\(samples, outputs\)"),
        (lambda: metrics.IoU(0, [0]), ArgumentError, "num_classes is 0"),
        (lambda: metrics.IoU(2, [2]), ArgumentError, "numbers from 0 to 1"),
        (lambda: metrics.IoU(2, []), ArgumentError, "target_class_ids is"),
        (lambda: metrics.IoU(2, [0], sparse_y_true="no"), ArgumentTypeError, "sparse_y_true is 'no'"),
        (lambda: metrics.IoU(2, [0])([0, 1], [0]), ShapeError, "as many of each"),
        (lambda: metrics.BinaryIoU(threshold=float("inf")), ArgumentError, "threshold is inf"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), ArgumentError, "k is 0"),
        (lambda: metrics.top_k_categorical_accuracy([[1.0]], [[0.1, 0.2]]), ShapeError, "y_true is"),
        (lambda: metrics.PearsonCorrelation(axis=0.5), ArgumentTypeError, "axis is 0.5"),
        (lambda: metrics.BinaryCrossentropy(label_smoothing=-0.1), ArgumentError, "label_smoothing is -0.1"),
    ],
)
def test_bad_input(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()
