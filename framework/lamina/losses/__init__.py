"""Losses: how wrong predictions are, as a number to make small.

Each is a function with one value per sample, and a class that weighs and reduces them, as in Keras; ``weighted`` has
TensorFlow's own, which do both at once. Computed with ops inside every
training step; knows ops and the registry, nothing of models or metrics.
"""

from __future__ import annotations

from typing import Any, Final

from lamina.losses import weighted
from lamina.losses.loss import Loss, LossFunctionWrapper
from lamina.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from lamina.losses.regression import MeanAbsoluteError, MeanSquaredError, mean_absolute_error, mean_squared_error
from lamina.losses.weighted import (
    Reduction,
    absolute_difference,
    compute_weighted_loss,
    cosine_distance,
    hinge_loss,
    huber_loss,
    log_loss,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)
from lamina.serialization import get_object

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "LossFunctionWrapper", "MeanAbsoluteError",
    "MeanSquaredError", "Reduction", "SparseCategoricalCrossentropy", "absolute_difference", "binary_crossentropy",
    "categorical_crossentropy", "compute_weighted_loss", "cosine_distance", "get", "hinge_loss", "huber_loss",
    "log_loss", "mean_absolute_error", "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy",
    "sparse_categorical_crossentropy", "weighted",
]  # fmt: skip

ALIASES: Final = {"mse": "MeanSquaredError", "mae": "MeanAbsoluteError"}


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, function or loss stands for; None for None.

    A function ``f(y_true, y_pred)`` is wrapped. Names may be spelled as in Keras or TensorFlow.js. Raises
    UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("meanSquaredError").name, get("mse").name
    ('mean_squared_error', 'mean_squared_error')
    """
    found = get_object("losses", identifier, Loss, ALIASES)
    return found if found is None or isinstance(found, Loss) else LossFunctionWrapper(found)
