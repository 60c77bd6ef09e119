"""What a rule may ask of a recorded loss, metric, activation or initializer, and the proofs that can be run."""

from __future__ import annotations

from typing import Any

import numpy as np
from comparing import assert_near
from predicates import Record, predicate, proof

from lamina import activations, initializers, losses
from lamina.structures import flatten

_SMALLEST = 1e-7


def _pair(record: Record) -> tuple[Any, Any]:
    return np.asarray(record["args"][0], np.float64), np.asarray(record["args"][1], np.float64)


def _gradient(record: Record, of: int) -> Any:
    return next(np.asarray(g["grad"]) for g in record["vjp"]["grads"] if g["wrt"] == [of])


def _weighed(record: Record) -> Any:
    """Which of the results have a weight in the gradient."""
    if "vjp" not in record:
        return np.zeros(np.shape(record["result"]), bool)
    return np.asarray(record["vjp"]["cotangents"][0]["cotangent"]) != 0.0


# -- TensorFlow.js -------------------------------------------------------------------------------------------------


@predicate
def only_zeros_and_ones(record: Record) -> bool:
    """All labels are 0 or 1."""
    return bool(np.isin(record["args"][0], (0, 1)).all())


@proof("losses_metrics")
def hinge_of_signs(record: Record) -> None:
    """lamina's value is that of labels -1 and 1, by the formula in float64."""
    labels, scores = _pair(record)
    shortfall = np.maximum(1.0 - (2.0 * labels - 1.0) * scores, 0.0)
    squared = record["name"] == "squaredHinge"
    found = (losses.squared_hinge if squared else losses.hinge)(*(x.astype(np.float32) for x in (labels, scores)))
    assert_near(found.numpy(), (shortfall**2 if squared else shortfall).mean(-1).astype(np.float32), "hinge of signs")


@predicate
def labels_that_are_no_probabilities(record: Record) -> bool:
    """Labels are below 1e-7 or above 1, and a gradient with respect to them is recorded."""
    labels, _ = _pair(record)
    beyond = (labels < _SMALLEST) | (labels > 1.0)
    return bool(np.any(beyond & (np.abs(_gradient(record, 0)) > _SMALLEST)))


@predicate
def vector_of_length_zero(record: Record) -> bool:
    """All numbers along the last axis are 0."""
    return any(bool((np.abs(x).sum(-1) == 0.0).any()) for x in _pair(record))


@predicate
def several_largest_wrong_scores(record: Record) -> bool:
    """Of the scores of a sample that add to its loss, several that are no label's are the largest."""
    labels, scores = _pair(record)
    wrong = (1.0 - labels) * scores
    several = (wrong == wrong.max(-1, keepdims=True)).sum(-1) > 1
    return bool(np.any(several & (np.asarray(record["result"]) > 0.0) & (np.abs(scores).min(-1) >= 0.0)))


@predicate
def wrong_classes_near_zero(record: Record) -> bool:
    """The true class's prediction is neither 0 nor 1, and that of another is below 1e-7; or they are no numbers.

    Or that of the true class is below 1e-7, that of another is not, and there is a gradient.
    """
    labels, predictions = _pair(record)
    true = np.take_along_axis(predictions, labels.astype(int).reshape(*predictions.shape[:-1], 1), axis=-1)[..., 0]
    between = (true > _SMALLEST) & (true < 1.0 - _SMALLEST)
    small = predictions < _SMALLEST
    steep = (true < _SMALLEST) & _weighed(record) & ((predictions > _SMALLEST) & (predictions < 1.0)).any(-1)
    return bool(np.any(between & small.any(-1)) or np.any(steep) or np.isnan(predictions).any())


@predicate
def equal_where_weighed(record: Record) -> bool:
    """A label is equal to its prediction in a sample whose loss has a weight in the gradient."""
    labels, predictions = _pair(record)
    return bool(np.any((labels == predictions) & np.expand_dims(_weighed(record), -1)))


@predicate
def zero_weighed_by_l1(record: Record) -> bool:
    """A number is 0, and l1 is not, in a penalty with its gradient."""
    return bool(record["config"]["l1"] and np.any(np.asarray(record["args"][0]) == 0.0) and np.any(_weighed(record)))


@predicate
def not_finite(record: Record) -> bool:
    """An argument is infinite, and the gradient there is not a number."""
    x = np.asarray(record["args"][0])
    return bool(np.any(np.isinf(x) & np.isnan(_gradient(record, 0))))


@predicate
def not_a_number(record: Record) -> bool:
    """An argument is not a number."""
    return bool(np.isnan(record["args"][0]).any())


@predicate
def two_axes(record: Record) -> bool:
    """An initializer is asked for a matrix."""
    return len(record["args"][0]) == 2


@proof("losses_metrics")
def slope_at_infinity(record: Record) -> None:
    """The gradient of an activation far out is 0 or 1."""
    from lamina import grad

    function = activations.get(record["name"])
    far = np.asarray([-1e6, 1e6], np.float32)
    slopes = grad(lambda x: function(x).sum())(far).numpy()
    ends = grad(lambda x: function(x).sum())(np.asarray([-np.inf, np.inf], np.float32)).numpy()
    assert_near(ends, slopes, "slopes at infinity")


@predicate
def more_than_one_argument(record: Record) -> bool:
    """An activation has got an argument that no layer can give it."""
    return len(record["args"]) > 1


@predicate
def integers_asked_for(record: Record) -> bool:
    """An initializer is asked for int32."""
    return record["args"][1:] == ["int32"]


@predicate
def measures_precision(record: Record) -> bool:
    """A model is compiled with the metric precision."""
    return "precision" in flatten((record.get("compile") or {}).get("metrics") or [])


# -- Keras ---------------------------------------------------------------------------------------------------------


@predicate
def numbers_and_predictions_of_equal_rank(record: Record) -> bool:
    """Class numbers have an axis of size 1 where the predictions have their classes."""
    return record["y_true"].ndim == record["y_pred"].ndim


@predicate
def not_on_the_simplex(record: Record) -> bool:
    """The recorded result of a sparsemax does not sum to 1."""
    return not np.allclose(record["result"].sum(record["kwargs"].get("axis", -1)), 1.0, atol=1e-4)


@proof("keras_misc")
def nearest_point_of_the_simplex(record: Record) -> None:
    """lamina's result sums to 1, and is what bisection for the level finds."""
    x = np.moveaxis(record["x"].astype(np.float64), record["kwargs"].get("axis", -1), -1)
    low, high = x.max(-1, keepdims=True) - 1.0, x.max(-1, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2.0
        above = np.maximum(x - middle, 0.0).sum(-1, keepdims=True) > 1.0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    wanted = np.moveaxis(np.maximum(x - low, 0.0), -1, record["kwargs"].get("axis", -1))
    assert_near(activations.sparsemax(record["x"], **record["kwargs"]).numpy(), wanted.astype(np.float32), "sparsemax")


@predicate
def gain_left_out(record: Record) -> bool:
    """The config of an identity has no gain, and the recorded values are not those of the default."""
    return "gain" not in record["config"] and record["result"][0, 0] != 1.0


@proof("keras_misc")
def identity_times_its_gain(record: Record) -> None:
    """With the gain that is on the diagonal, lamina gives the recorded values."""
    gain = float(record["result"][0, 0])
    assert_near(initializers.Identity(gain)(record["shape"]).numpy(), record["result"], "identity")
