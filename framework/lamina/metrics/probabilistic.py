"""Distances of probabilities: cross entropies, divergence, Poisson."""

from __future__ import annotations

from typing import Any

from lamina import measures, ops
from lamina.measures import class_numbers
from lamina.measures.settings import entropy_settings, share
from lamina.metrics.reductions import MeanMetricWrapper
from lamina.ops.weighting import all_masks, floating
from lamina.runtime.convert import to_tensor
from lamina.shapes import as_bool, as_int


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of yes-or-no labels.

    Settings as for ``binary_crossentropy``.

    >>> BinaryCrossentropy()([[1.0]], [[0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        smoothing = share(label_smoothing, "label_smoothing")
        settings = {"from_logits": as_bool(from_logits, "from_logits"), "label_smoothing": smoothing}
        super().__init__(measures.binary_crossentropy, name, dtype, **settings)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of one-hot labels.

    Settings as for ``categorical_crossentropy``.

    >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        settings = entropy_settings(from_logits, label_smoothing, axis)
        super().__init__(measures.categorical_crossentropy, name, dtype, **settings)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of class numbers.

    Settings as for ``sparse_categorical_crossentropy``.

    >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).item()
    0.6931471824645996
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        settings = {
            "from_logits": as_bool(from_logits, "from_logits"),
            "ignore_class": None if ignore_class is None else as_int(ignore_class, "ignore_class"),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(measures.sparse_categorical_crossentropy, name, dtype, **settings)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Takes a batch in. Labels of ``ignore_class`` count as 0; if there are weights, not at all. As in Keras."""
        ignored = self.settings["ignore_class"]
        if ignored is not None and sample_weight is not None:
            numbers = class_numbers(self.fn.__name__, to_tensor(y_true), floating(y_pred), self.settings["axis"])
            mask = all_masks([mask, ops.not_equal(numbers, ignored)])
        super().update_state(y_true, y_pred, sample_weight, mask)


class KLDivergence(MeanMetricWrapper):
    """Mean of sum(t ln(t / p)) over the last axis.

    >>> KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]]).round().item()
    1.0
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(measures.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of p - t ln(p), for counts t.

    >>> Poisson()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    2.0
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(measures.poisson, name, dtype)
