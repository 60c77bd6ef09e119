"""Measures: plain functions of labels and predictions, one value per sample. What losses and metrics are made of.

Written with ops, so they run on every backend, are recorded, and have gradients. They weigh nothing, add nothing up
over samples and keep nothing: that is what the rooms above do.
"""

from lamina.measures.aligning import aligned, class_numbers, classes_last
from lamina.measures.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from lamina.measures.distributions import kl_divergence, poisson
from lamina.measures.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from lamina.measures.margins import categorical_hinge, hinge, squared_hinge
from lamina.measures.overlap import dice, tversky
from lamina.measures.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from lamina.measures.sequences import ctc
from lamina.measures.similarity import circle

__all__ = [
    "aligned", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "categorical_hinge", "circle",
    "class_numbers", "classes_last", "cosine_similarity", "ctc", "dice", "hinge", "huber", "kl_divergence",
    "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip
