"""Non-maximum suppression: of boxes that overlap, the best one."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.ops.creation import arange, scalar
from lamina.ops.elementwise import (
    add,
    divide,
    exp,
    greater,
    less,
    logical_and,
    maximum,
    minimum,
    multiply,
    square,
    subtract,
    where,
)
from lamina.ops.indexing import gather
from lamina.ops.reduction import sum as sum_of
from lamina.ops.shaping import expand_dims, pad, unstack
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, host_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_float, as_int

Array = np.ndarray[Any, Any]


class SelectedScores(NamedTuple):
    """The boxes that were chosen, best first, and their scores."""

    selected_indices: Tensor
    selected_scores: Tensor


class PaddedSelection(NamedTuple):
    """The boxes that were chosen, best first, perhaps followed by zeros, and how many there are."""

    selected_indices: Tensor
    valid_outputs: Tensor


def non_max_suppression(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = -math.inf,
) -> Tensor:
    """The best boxes, each only if it overlaps no better one too much: their indices, best first, as int32.

    boxes is (count, 4) with two opposite corners (y1, x1, y2, x2) each, scores is (count,). Boxes with a score above
    ``score_threshold`` are taken by falling scores, equal ones in order, and left out if the intersection over the
    union with a chosen one is at least ``iou_threshold``; at most ``max_output_size`` are chosen. As TensorFlow.js.
    The result's shape depends on values: a step that uses it is not replayed. Raises ShapeError, ArgumentError for
    an ``iou_threshold`` outside 0 to 1.

    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]
    >>> non_max_suppression(boxes, [0.7, 0.9, 0.8], 3).tolist()
    [1, 2]
    """
    indices: Tensor = suppress_boxes(boxes, scores, max_output_size, iou_threshold, score_threshold, 0.0)
    return indices


def non_max_suppression_with_score(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = -math.inf,
    soft_nms_sigma: float = 0.0,
) -> SelectedScores:
    """``non_max_suppression`` with the scores of the chosen boxes, which may fall for overlaps (soft suppression).

    With a ``soft_nms_sigma`` above 0 each chosen box multiplies the scores of the others by
    exp(-iou^2 / (2 * sigma)) (Bodla et al. 2017, arXiv:1704.04503), and boxes whose score falls to
    ``score_threshold`` are left out. The gradient of the scores reaches scores and boxes. Raises as
    ``non_max_suppression``, and ArgumentError for a sigma outside 0 to 1.

    >>> found = non_max_suppression_with_score([[0.0, 0.0, 1.0, 1.0], [0.0, 2.0, 1.0, 3.0]], [0.25, 0.5], 2)
    >>> found.selected_indices.tolist(), found.selected_scores.tolist()
    ([1, 0], [0.5, 0.25])
    """
    indices = suppress_boxes(boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma)
    chosen = gather(scores, indices)
    if soft_nms_sigma > 0:
        chosen = multiply(chosen, _decay(gather(boxes, indices), -0.5 / soft_nms_sigma))
    return SelectedScores(indices, chosen)


def non_max_suppression_padded(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = -math.inf,
    pad_to_max_output_size: bool = False,
) -> PaddedSelection:
    """``non_max_suppression`` with the number of chosen boxes, and with zeros after them if they are asked for.

    ``pad_to_max_output_size`` fills up to ``max_output_size``, or to the number of boxes if that is less.

    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]
    >>> found = non_max_suppression_padded(boxes, [0.7, 0.9, 0.8], 9, pad_to_max_output_size=True)
    >>> found.selected_indices.tolist(), found.valid_outputs.item()
    ([1, 2, 0], 2)
    """
    scores = to_tensor(scores)
    indices = suppress_boxes(boxes, scores, max_output_size, iou_threshold, score_threshold, 0.0)
    count = indices.shape[0]
    if pad_to_max_output_size:
        indices = pad(indices, [(0, min(max_output_size, scores.size) - count)])
    return PaddedSelection(indices, scalar(count, "int32"))


def _chosen(boxes: Any, scores: Any, **settings: Any) -> Spec:
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise ShapeError(
            f"non_max_suppression: boxes is {boxes.shape} and scores is {scores.shape}.",
            expected="boxes to be (count, 4) and scores to be (count,).",
        )
    return Spec((0,), "int32")


@host_op(result=_chosen, dtypes=FLOATING, integers="float32", outputs=("chosen",), public=False)
def suppress_boxes(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float,
    score_threshold: float,
    soft_nms_sigma: float,
) -> Any:
    """The indices that non-maximum suppression chooses.

    >>> suppress_boxes([[0.0, 0.0, 1.0, 1.0]], [0.5], 1, 0.5, 0.0, 0.0).tolist()
    [0]
    """
    low, high = _corners(boxes.astype(np.float64))
    scale = -0.5 / soft_nms_sigma if soft_nms_sigma else 0.0
    left = np.where(scores > score_threshold, scores, -math.inf).astype(np.float64)
    chosen: list[int] = []
    while len(chosen) < min(max_output_size, left.size):
        best = int(np.argmax(left))
        if left[best] == -math.inf:
            break
        chosen.append(best)
        overlap = _overlaps(low, high, best)
        left[(overlap >= iou_threshold)] = -math.inf
        left[best] = -math.inf
        if scale:
            left *= np.exp(scale * overlap * overlap)
            left[left <= score_threshold] = -math.inf
    return np.asarray(chosen, np.int32)


@suppress_boxes.settings
def _(boxes: Tensor, scores: Tensor, **settings: Any) -> dict[str, Any]:
    threshold = settings["score_threshold"]
    if not isinstance(threshold, (int, float)) or math.isnan(threshold):
        raise ArgumentTypeError(f"score_threshold is {threshold!r}.", expected="score_threshold to be a number.")
    return {
        "max_output_size": as_int(settings["max_output_size"], "max_output_size", minimum=0),
        "iou_threshold": _part(settings["iou_threshold"], "iou_threshold"),
        "score_threshold": float(threshold),
        "soft_nms_sigma": _part(settings["soft_nms_sigma"], "soft_nms_sigma"),
    }


def _part(value: Any, name: str) -> float:
    number = as_float(value, name)
    if not 0 <= number <= 1:
        raise ArgumentError(f"{name} is {value!r}.", expected=f"{name} to be between 0 and 1.")
    return number


def _corners(boxes: Array) -> tuple[Array, Array]:
    """The lower and the upper corner (y, x) of each box."""
    return np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])


def _overlaps(low: Array, high: Array, index: int) -> Array:
    """The intersection over the union of one box with each; 0 where one of the two is empty."""
    common = np.prod(np.maximum(np.minimum(high, high[index]) - np.maximum(low, low[index]), 0.0), -1)
    areas = np.prod(high - low, -1)
    sensible = (areas > 0) & (areas[index] > 0)
    return np.where(sensible, common / np.where(sensible, areas + areas[index] - common, 1.0), 0.0)


def _decay(boxes: Tensor, scale: float) -> Tensor:
    """What the boxes before leave of the score of each."""
    places = arange(boxes.shape[0])
    earlier = less(places, expand_dims(places, -1))
    return exp(multiply(sum_of(where(earlier, square(_every_overlap(boxes)), 0.0), axis=-1), scale))


def _every_overlap(boxes: Tensor) -> Tensor:
    """The intersection over the union of each two boxes."""
    y1, x1, y2, x2 = unstack(boxes, axis=-1)
    sides = [(minimum(a, b), maximum(a, b)) for a, b in ((y1, y2), (x1, x2))]
    (low_y, high_y), (low_x, high_x) = sides
    areas = multiply(subtract(high_y, low_y), subtract(high_x, low_x))
    shared = [
        maximum(subtract(minimum(high, expand_dims(high, -1)), maximum(low, expand_dims(low, -1))), 0.0)
        for low, high in sides
    ]
    common = multiply(*shared)
    sensible = logical_and(greater(areas, 0.0), greater(expand_dims(areas, -1), 0.0))
    union = where(sensible, subtract(add(areas, expand_dims(areas, -1)), common), 1.0)
    return where(sensible, divide(common, union), 0.0)
