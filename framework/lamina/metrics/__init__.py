"""Metrics: what is reported while a model learns, gathered over batches in Variables.

Updated with ops, also inside recorded steps; nothing is read on the host. Knows ops and the registry; finds the loss
functions it averages by name, and knows nothing of models.
"""

from lamina.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from lamina.metrics.metric import Mean, MeanMetricWrapper, Metric, Sum
from lamina.metrics.probabilistic import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from lamina.metrics.regression import MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError
from lamina.metrics.resolving import get, resolve, resolve_accuracy, resolve_crossentropy

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy", "Mean",
    "MeanAbsoluteError", "MeanMetricWrapper", "MeanSquaredError", "Metric", "RootMeanSquaredError",
    "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "Sum", "accuracy", "binary_accuracy",
    "categorical_accuracy", "get", "resolve", "resolve_accuracy", "resolve_crossentropy",
    "sparse_categorical_accuracy",
]  # fmt: skip
