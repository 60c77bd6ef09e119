"""Images: several results come as an object with camel-case names."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


@adapter("image.nonMaxSuppressionWithScore", "image.nonMaxSuppressionWithScoreAsync")
def non_max_suppression_with_score(
    boxes: TensorLike,
    scores: TensorLike,
    count: int,
    iou: float = 0.5,
    score: float = float("-inf"),
    sigma: float = 0.0,
) -> Any:
    found = lamina.image.non_max_suppression_with_score(boxes, scores, count, iou, score, sigma)
    return {"selectedIndices": found.selected_indices, "selectedScores": found.selected_scores}


@adapter("image.nonMaxSuppressionPadded", "image.nonMaxSuppressionPaddedAsync")
def non_max_suppression_padded(
    boxes: TensorLike,
    scores: TensorLike,
    count: int,
    iou: float = 0.5,
    score: float = float("-inf"),
    padded: bool = False,
) -> Any:
    found = lamina.image.non_max_suppression_padded(boxes, scores, count, iou, score, padded)
    return {"selectedIndices": found.selected_indices, "validOutputs": found.valid_outputs}
