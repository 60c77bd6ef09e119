"""Losses of embeddings."""

from __future__ import annotations

from typing import Any

from lamina import measures, ops
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_float


class Circle(LossFunctionWrapper):
    """Circle loss: embeddings of one class are drawn together, those of others pushed apart: see ``circle``.

    ``gamma`` is the scale of the distances, ``margin`` the distance at which a pair is near enough or far enough;
    ``remove_diagonal`` leaves out the distance of a sample to itself. Samples without another of their class do not
    count. As Keras. (Sun et al. 2020, arXiv:2002.10857.)

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
        settings: dict[str, Any] = {
            "gamma": as_float(gamma, "gamma", minimum=0.0),
            "margin": as_float(margin, "margin", minimum=0.0),
            "remove_diagonal": as_bool(remove_diagonal, "remove_diagonal"),
        }
        super().__init__(measures.circle, reduction, name, dtype, **settings)

    def compute_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        return ops.any(measures.of_one_class(y_true), 1) if self.settings["remove_diagonal"] else None
