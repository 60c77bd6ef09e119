"""Gates: what runs between two bounds, and what is made of them."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.runtime.tensor import Tensor
from lamina.shapes import normalize_axis


def exponential(x: Any) -> Tensor:
    """e^x.

    Raises DTypeError for an x of strings.

    >>> exponential([0.0]).tolist()
    [1.0]
    """
    return ops.exp(x)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """Gaussian error linear unit, exact; ``approximate`` by a tanh, as ``gelu_new``: see ``lamina.ops.gelu``.

    Raises DTypeError for an x of strings.

    >>> gelu([0.0, 1.0]).tolist()
    [0.0, 0.8413447141647339]
    """
    return ops.gelu_new(x) if approximate else ops.gelu(x)


def hard_sigmoid_tfjs(x: Any) -> Tensor:
    """The piecewise linear sigmoid of TensorFlow.js and Keras 2: min(max(0.2 x + 0.5, 0), 1).

    Keras 3's ``hard_sigmoid`` has the slope 1/6. Models saved by TensorFlow.js get this one when they are loaded, and
    so does who writes its name, "hardSigmoid". Raises DTypeError for an x of strings.

    >>> hard_sigmoid_tfjs([0.0, 1.0, 5.0]).multiply(10.0).round().tolist()
    [5.0, 7.0, 10.0]
    """
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x), also called hard swish (Howard et al. 2019, arXiv:1905.02244).

    Raises DTypeError for an x of strings.

    >>> hard_silu([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """
    return ops.multiply(x, ops.hard_sigmoid(x))


def hard_tanh(x: Any) -> Tensor:
    """x, at least -1 and at most 1.

    Raises DTypeError for an x of strings.

    >>> hard_tanh([-2.0, 0.5, 2.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    return ops.clip(x, -1.0, 1.0)


def sparse_sigmoid(x: Any) -> Tensor:
    """(x + 1) / 2, at least 0 and at most 1.

    Raises DTypeError for an x of strings.

    >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return ops.clip(ops.multiply(ops.add(x, 1.0), 0.5), 0.0, 1.0)


def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x).

    Raises DTypeError for an x of strings.

    >>> tanh_shrink([0.0]).tolist()
    [0.0]
    """
    return ops.subtract(x, ops.tanh(x))


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where |x| exceeds ``threshold``, else 0.

    Raises DTypeError for an x of strings.

    >>> hard_shrink([-1.0, 0.5, 0.75]).tolist()
    [-1.0, 0.0, 0.75]
    """
    return ops.where(ops.greater(ops.abs(x), threshold), x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x brought nearer to 0 by ``threshold``; 0 where |x| does not exceed it.

    Raises DTypeError for an x of strings.

    >>> soft_shrink([-1.0, 0.5, 0.75]).tolist()
    [-0.5, 0.0, 0.25]
    """
    return ops.subtract(x, ops.clip(x, -threshold, threshold))


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The point of the simplex nearest to x along ``axis``: like softmax, but with zeros.

    y = max(x - t, 0) with t such that the sum is 1 (Martins and Astudillo 2016, arXiv:1602.02068). Raises
    OutOfRangeError if there is no such axis.

    >>> sparsemax([1.0, 0.5, -3.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    last = _swapped(ops.tensor(x), axis)
    kept = ops.cast(ops.greater(last, ops.stop_gradient(_level(last))), last.dtype)
    level = ops.divide(
        ops.subtract(ops.sum(ops.multiply(kept, last), axis=-1, keepdims=True), 1.0),
        ops.sum(kept, axis=-1, keepdims=True),
    )
    return _swapped(ops.relu(ops.subtract(last, level)), axis)


def _level(x: Tensor) -> Tensor:
    """What has to be taken off each element so that the rest above 0 sums to 1."""
    size = x.shape[-1]
    falling = ops.top_k(x, size)[0]
    excess = ops.subtract(ops.cumsum(falling, axis=-1), 1.0)
    counts = ops.add(ops.arange(size, dtype=x.dtype), 1.0)
    return ops.max(ops.divide(excess, counts), axis=-1, keepdims=True)


def _swapped(x: Tensor, axis: int) -> Tensor:
    """x with an axis and the last one in each other's place."""
    place, last = normalize_axis(axis, x.ndim), x.ndim - 1
    return x if place == last else ops.transpose(x, [{place: last, last: place}.get(i, i) for i in range(x.ndim)])
