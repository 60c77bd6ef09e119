"""Losses with weights: TensorFlow.js numbers the reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapting import TensorLike, adapter

from lamina.losses import weighted

REDUCTIONS = tuple(weighted.Reduction)
USUAL = 3


@adapter("losses.computeWeightedLoss")
def compute_weighted_loss(losses: TensorLike, weights: TensorLike = None, reduction: int = USUAL) -> Any:
    return weighted.compute_weighted_loss(losses, weights, REDUCTIONS[reduction])


@adapter("losses.cosineDistance")
def cosine_distance(
    labels: TensorLike, predictions: TensorLike, axis: int, weights: TensorLike = None, reduction: int = USUAL
) -> Any:
    return weighted.cosine_distance(labels, predictions, axis, weights, REDUCTIONS[reduction])


def _plain(function: Callable[..., Any]) -> Any:
    def call(labels: TensorLike, predictions: TensorLike, weights: TensorLike = None, reduction: int = USUAL) -> Any:
        return function(labels, predictions, weights, reduction=REDUCTIONS[reduction])

    return call


def _with_setting(function: Callable[..., Any], default: float) -> Any:
    def call(
        labels: TensorLike,
        predictions: TensorLike,
        weights: TensorLike = None,
        setting: float = default,
        reduction: int = USUAL,
    ) -> Any:
        return function(labels, predictions, weights, setting, REDUCTIONS[reduction])

    return call


adapter("losses.absoluteDifference")(_plain(weighted.absolute_difference))
adapter("losses.hingeLoss")(_plain(weighted.hinge_loss))
adapter("losses.meanSquaredError")(_plain(weighted.mean_squared_error))
adapter("losses.huberLoss")(_with_setting(weighted.huber_loss, 1.0))
adapter("losses.logLoss")(_with_setting(weighted.log_loss, 1e-7))
adapter("losses.sigmoidCrossEntropy")(_with_setting(weighted.sigmoid_cross_entropy, 0.0))
adapter("losses.softmaxCrossEntropy")(_with_setting(weighted.softmax_cross_entropy, 0.0))
