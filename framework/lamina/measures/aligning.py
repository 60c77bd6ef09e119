"""Labels beside predictions: one dtype, as many axes, and shapes that fit."""

from __future__ import annotations

from typing import Any, Final

from lamina import ops
from lamina.dtypes import INTEGER
from lamina.errors import ShapeError
from lamina.ops.weighting import floating, same_rank
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import normalize_axis

EPSILON: Final = 1e-7
"""How near to 0 and 1 a probability may come before its logarithm is taken, and what quotients are kept finite with."""


def aligned(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Labels and predictions as tensors of the predictions' dtype, with as many axes."""
    prediction = floating(y_pred)
    return same_rank(floating(y_true, prediction.dtype), prediction)


def paired(name: str, y_true: Any, y_pred: Any, *, fix: str | None = None) -> tuple[Tensor, Tensor]:
    """Like ``aligned``. Raises ShapeError unless both have one shape of at least one axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    if y_true.shape != y_pred.shape or not y_pred.shape:
        expected = "equal shapes." if y_true.shape != y_pred.shape else "at least one axis."
        raise ShapeError(f"{name}: y_true is {y_true.shape} and y_pred is {y_pred.shape}.", expected=expected, fix=fix)
    return y_true, y_pred


def classes_last(x: Tensor, axis: int) -> Tensor:
    """x with the axis of the classes moved to the end."""
    place = normalize_axis(axis, x.ndim)
    if place == x.ndim - 1:
        return x
    return ops.transpose(x, (*(i for i in range(x.ndim) if i != place), place))


def class_numbers(name: str, y_true: Any, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Class numbers as integers, in the shape of ``y_pred`` without the axis of the classes.

    They may have that axis with size 1. Raises ShapeError if the shapes do not fit.
    """
    labels = to_tensor(y_true)
    place = normalize_axis(axis, y_pred.ndim)
    wanted = y_pred.shape[:place] + y_pred.shape[place + 1 :]
    if labels.ndim == y_pred.ndim and labels.shape[place] == 1:
        labels = ops.squeeze(labels, place)
    if labels.shape != wanted:
        raise ShapeError(
            f"{name}: y_true is {labels.shape} and y_pred is {y_pred.shape}.",
            expected=f"y_true to be {wanted}, a class number for each prediction.",
            fix=f"use {name.replace('sparse_', '')} for one-hot labels." if name.startswith("sparse_") else None,
        )
    return labels if labels.dtype in INTEGER else ops.cast(labels, "int32")
