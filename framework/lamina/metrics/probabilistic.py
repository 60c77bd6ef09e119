"""Cross entropies as metrics."""

from __future__ import annotations

from typing import Any

from lamina.metrics.metric import MeanMetricWrapper
from lamina.serialization import lookup
from lamina.shapes import as_float, as_int


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of yes-or-no labels.

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
        smoothing = as_float(label_smoothing, "label_smoothing", minimum=0.0)
        fn = lookup("losses", "binary_crossentropy")
        super().__init__(fn, name, dtype, from_logits=bool(from_logits), label_smoothing=smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of one-hot labels.

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
        settings = {
            "from_logits": bool(from_logits),
            "label_smoothing": as_float(label_smoothing, "label_smoothing", minimum=0.0),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(lookup("losses", "categorical_crossentropy"), name, dtype, **settings)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross entropy of class numbers.

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
            "from_logits": bool(from_logits),
            "ignore_class": None if ignore_class is None else as_int(ignore_class, "ignore_class"),
            "axis": as_int(axis, "axis"),
        }
        super().__init__(lookup("losses", "sparse_categorical_crossentropy"), name, dtype, **settings)
