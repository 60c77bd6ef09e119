"""Rectifiers: straight lines above a threshold."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError
from lamina.runtime.tensor import Tensor


def linear(x: Any) -> Tensor:
    """x itself.

    Raises nothing.

    >>> linear([1.0]).tolist()
    [1.0]
    """
    return ops.identity(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Rectifier: x above ``threshold``, negative_slope * (x - threshold) below, at most ``max_value``.

    Raises DTypeError for an x of strings.

    >>> relu([-2.0, 1.0, 9.0], max_value=6.0).tolist()
    [0.0, 1.0, 6.0]
    """
    kept = ops.where(ops.greater(x, threshold), x, 0.0) if threshold else ops.relu(x)
    if max_value is not None:
        kept = ops.clip(kept, 0.0, max_value)
    if not negative_slope:
        return kept
    return ops.add(kept, ops.multiply(ops.minimum(ops.subtract(x, threshold), 0.0), negative_slope))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Leaky rectifier: x above 0, negative_slope * x below (Maas et al. 2013).

    Raises DTypeError for an x of strings.

    >>> leaky_relu([-5.0, 1.0]).tolist()
    [-1.0, 1.0]
    """
    return ops.leaky_relu(x, negative_slope)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha (e^(x / alpha) - 1) below: smooth at 0 for every alpha (Barron 2017, arXiv:1704.07483).

    Raises DTypeError for an x of strings.

    >>> celu([-1e9, 1.0], alpha=2.0).tolist()
    [-2.0, 1.0]
    """
    below = ops.multiply(ops.expm1(ops.divide(ops.minimum(x, 0.0), alpha)), alpha)
    return ops.add(ops.relu(x), below)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x above ``threshold``, ``default_value`` elsewhere.

    Raises DTypeError for an x of strings.

    >>> threshold([1.0, 3.0], 2.0, -7.0).tolist()
    [-7.0, 3.0]
    """
    return ops.where(ops.greater(x, threshold), x, default_value)


def squareplus(x: Any, b: float = 4) -> Tensor:
    """A smooth rectifier without exponentials: (x + sqrt(x^2 + b)) / 2 (Barron 2021, arXiv:2112.11687).

    Raises DTypeError for an x of strings.

    >>> squareplus([0.0]).tolist()
    [1.0]
    """
    return ops.multiply(ops.add(x, ops.sqrt(ops.add(ops.square(x), b))), 0.5)


def sparse_plus(x: Any) -> Tensor:
    """A smooth rectifier that reaches 0: 0 up to -1, (x + 1)^2 / 4 up to 1, then x.

    Raises DTypeError for an x of strings.

    >>> sparse_plus([-2.0, 0.0, 3.0]).tolist()
    [0.0, 0.25, 3.0]
    """
    curve = ops.multiply(ops.square(ops.add(x, 1.0)), 0.25)
    return ops.where(ops.less_equal(x, -1.0), 0.0, ops.where(ops.less(x, 1.0), curve, x))


def glu(x: Any, axis: int = -1) -> Tensor:
    """Gated linear unit: the first half along ``axis``, times the sigmoid of the second (Dauphin et al. 2016).

    arXiv:1612.08083. Raises ArgumentError if the axis has an odd size.

    >>> glu([3.0, 0.0]).tolist()
    [1.5]
    """
    tensor = ops.tensor(x)
    size = tensor.shape[axis]
    if size % 2:
        raise ArgumentError(f"glu: the axis {axis} has size {size}.", expected="an even size.")
    values, gate = ops.split(tensor, 2, axis)
    return ops.multiply(values, ops.sigmoid(gate))
