"""Losses of embeddings and of sequences."""

from __future__ import annotations

from typing import Any

from lamina import measures
from lamina.losses.loss import LossFunctionWrapper
from lamina.shapes import as_bool, as_float


class Circle(LossFunctionWrapper):
    """Circle loss of embeddings of length 1, with class numbers as labels: see ``circle``.

    >>> Circle()([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]).round().item()
    0.0
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        settings = {
            "gamma": as_float(gamma, "gamma", minimum=0.0),
            "margin": as_float(margin, "margin", minimum=0.0),
            "remove_diagonal": as_bool(remove_diagonal, "remove_diagonal"),
        }
        super().__init__(measures.circle, reduction, name, dtype, **settings)


class CTC(LossFunctionWrapper):
    """Probability of label sequences over all alignments, from logits: see ``ctc``.

    >>> CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]]).multiply(1e4).round().item()
    2877.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(measures.ctc, reduction, name, dtype)
