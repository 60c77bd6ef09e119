"""Losses of scores, distributions and regions."""

from __future__ import annotations

from typing import Any

from lamina import measures
from lamina.losses.loss import LossFunctionWrapper
from lamina.measures.settings import axes
from lamina.shapes import as_float


class Hinge(LossFunctionWrapper):
    """Mean of max(0, 1 - y_true y_pred) over the last axis, for labels -1 and 1 (or 0 and 1): see ``hinge``.

    >>> Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]).item()
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """Mean of max(0, 1 - y_true y_pred)^2 over the last axis: see ``squared_hinge``.

    >>> SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]).item()
    1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """How far the right score is from leading by 1, for one-hot labels: see ``categorical_hinge``.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]).item()
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.categorical_hinge, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """sum(t ln(t / p)) over the last axis: see ``kl_divergence``.

    >>> KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]]).round().item()
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """Mean of p - t ln(p) over the last axis, for counts t: see ``poisson``.

    >>> Poisson()([[0.0, 0.0]], [[1.0, 3.0]]).item()
    2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.poisson, reduction, name, dtype)


class Dice(LossFunctionWrapper):
    """1 - 2 sum(t p) / (sum(t) + sum(p)): see ``dice``. ``axis`` None adds over the whole batch.

    >>> Dice()([[1.0, 0.0]], [[0.0, 1.0]]).item()
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(measures.dice, reduction, name, dtype, axis=axes(axis))


class Tversky(LossFunctionWrapper):
    """Like ``Dice``, but what was wrongly predicted weighs ``alpha``, what was missed ``beta``: see ``tversky``.

    >>> Tversky(alpha=0.0, beta=1.0)([[1.0, 1.0]], [[0.0, 0.0]]).item()
    1.0
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        alpha, beta = as_float(alpha, "alpha", minimum=0.0), as_float(beta, "beta", minimum=0.0)
        super().__init__(measures.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axes(axis))
