"""Losses: how wrong predictions are, as a number to make small.

Each is a function with one value per sample (from ``measures``), and a class that weighs and reduces them, as in Keras;
``weighted`` has TensorFlow's own, which do both at once. Computed with ops inside every training step; knows ops,
measures and the registry, nothing of models or metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.losses import weighted
from lamina.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
)
from lamina.losses.loss import Loss, LossFunctionWrapper
from lamina.losses.others import CTC, Circle
from lamina.losses.regression import (
    CosineSimilarity,
    Distance,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from lamina.losses.scores import CategoricalHinge, Dice, Hinge, KLDivergence, Poisson, SquaredHinge, Tversky
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
from lamina.measures import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from lamina.serialization import custom_object_scope, get_object, serialize_as

__all__ = [
    "CTC", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle",
    "CosineSimilarity", "Dice", "Distance", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss",
    "LossFunctionWrapper", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "Reduction", "SparseCategoricalCrossentropy", "SquaredHinge",
    "Tversky", "absolute_difference", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "compute_weighted_loss", "cosine_distance", "cosine_similarity", "ctc",
    "deserialize", "dice", "get", "hinge", "hinge_loss", "huber", "huber_loss", "kl_divergence", "log_cosh",
    "log_loss", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "serialize", "sigmoid_cross_entropy", "softmax_cross_entropy",
    "sparse_categorical_crossentropy", "squared_hinge", "tversky", "weighted",
]  # fmt: skip

ALIASES: Final = {
    "bce": "BinaryCrossentropy",
    "cosineproximity": "CosineSimilarity",
    "kld": "KLDivergence",
    "kullbackleiblerdivergence": "KLDivergence",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, function or loss stands for; None for None.

    A function ``f(y_true, y_pred)`` is wrapped. Names may be spelled as in Keras or TensorFlow.js. Raises
    UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("meanSquaredError").name, get("mse").name
    ('mean_squared_error', 'mean_squared_error')
    """
    found = get_object("losses", identifier, Loss, ALIASES)
    return found if found is None or isinstance(found, Loss) else LossFunctionWrapper(found)


def serialize(loss: Any) -> Any:
    """What stands for a loss in a config: see ``lamina.serialization.serialize_as``.

    Raises SerializationError for what has no name.

    >>> serialize(Huber(2.0))["config"]["delta"], serialize(huber)
    (2.0, 'huber')
    """
    return serialize_as("losses", loss, ALIASES)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a config or name, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize(serialize(Huber(2.0))).settings
    {'delta': 2.0}
    """
    with custom_object_scope(custom_objects or {}):
        return get(name)
