"""Losses of probabilities: cross entropies."""

from __future__ import annotations

from typing import Any

from lamina import measures, ops
from lamina.errors import ArgumentError
from lamina.losses.loss import LossFunctionWrapper
from lamina.measures import class_numbers
from lamina.measures.settings import entropy_settings
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_float, as_int


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross entropy of yes-or-no labels: see ``binary_crossentropy`` for the settings.

    >>> BinaryCrossentropy()([[1.0]], [[0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = entropy_settings(from_logits, label_smoothing, axis)
        super().__init__(measures.binary_crossentropy, reduction, name, dtype, **settings)


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of one-hot labels: see ``categorical_crossentropy`` for the settings.

    >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = entropy_settings(from_logits, label_smoothing, axis)
        super().__init__(measures.categorical_crossentropy, reduction, name, dtype, **settings)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of class numbers: see ``sparse_categorical_crossentropy`` for the settings.

    >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "from_logits": as_bool(from_logits, "from_logits"),
            "ignore_class": None if ignore_class is None else as_int(ignore_class, "ignore_class"),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(measures.sparse_categorical_crossentropy, reduction, name, dtype, **settings)

    def compute_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        ignored = self.settings["ignore_class"]
        if ignored is None:
            return None
        return ops.not_equal(class_numbers(self.fn.__name__, y_true, y_pred, self.settings["axis"]), ignored)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Cross entropy of class numbers that may be wrong: see ``categorical_generalized_cross_entropy``.

    >>> CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]).item()
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        q = as_float(q, "q")
        if not 0.0 < q < 1.0:
            raise ArgumentError(f"q is {q}.", expected="a number above 0 and below 1.")
        super().__init__(measures.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Cross entropy of yes-or-no labels, the easy ones counting little: see ``binary_focal_crossentropy``.

    >>> BinaryFocalCrossentropy()([[1.0]], [[0.5]]).item()
    0.1732867956161499
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "apply_class_balancing": as_bool(apply_class_balancing, "apply_class_balancing"),
            "alpha": as_float(alpha, "alpha", minimum=0.0),
            "gamma": as_float(gamma, "gamma", minimum=0.0),
            **entropy_settings(from_logits, label_smoothing, axis),
        }
        super().__init__(measures.binary_focal_crossentropy, reduction, name, dtype, **settings)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Cross entropy of one-hot labels, the easy ones counting little: see ``categorical_focal_crossentropy``.

    >>> CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item()
    0.043321698904037476
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        settings = {
            "alpha": as_float(alpha, "alpha", minimum=0.0),
            "gamma": as_float(gamma, "gamma", minimum=0.0),
            **entropy_settings(from_logits, label_smoothing, axis),
        }
        super().__init__(measures.categorical_focal_crossentropy, reduction, name, dtype, **settings)
