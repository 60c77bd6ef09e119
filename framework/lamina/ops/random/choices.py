"""Choices: of classes by weight, and of an order."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.dtypes import FLOATING, INTEGER
from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.ops.elementwise import add, cast, log, negative
from lamina.ops.indexing import gather
from lamina.ops.random.draws import random_uniform
from lamina.ops.random.seeds import seed_for
from lamina.ops.reduction import argmax
from lamina.ops.shaping import expand_dims
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int, normalize_axis


def multinomial(logits: TensorLike, num_samples: int, seed: Any = None, normalized: bool = False) -> Tensor:
    """Numbers of classes, drawn with the probabilities softmax(logits): shape (..., num_samples), int32.

    ``logits`` has shape (classes,) or (rows, classes), at least two classes; each row has numbers of its own, as each
    sample has. With ``normalized`` they are the probabilities themselves. By Gumbel's method: the largest of the
    logits, each with a random number of the distribution exp(-exp(-x)) added to it. ``seed`` as for ``uniform``.

    Raises ShapeError for another rank or fewer classes, ArgumentError if num_samples is negative, DTypeError for
    logits that are not floating.

    >>> multinomial([0.0, -1e4], 3, seed=1).tolist()
    [0, 0, 0]
    """
    given = to_tensor(logits)
    _check(given)
    count = as_int(num_samples, "num_samples")
    if count < 0:
        raise ArgumentError(f"multinomial: num_samples is {count}.", expected="a number that is not negative.")
    weights = cast(given, "float64")
    weights = expand_dims(log(weights) if normalized else weights, -2)
    shape = (*given.shape[:-1], count, given.shape[-1])
    u = random_uniform(seed_for("multinomial", seed), shape, "float64")
    gumbel = negative(log(negative(log(add(u, 2.0**-54)))))  # half a step up, so that u is never 0
    return argmax(add(weights, gumbel), axis=-1)


def _check(logits: Tensor) -> None:
    if logits.dtype not in FLOATING + INTEGER:
        raise DTypeError(f"multinomial: logits has dtype {logits.dtype}.", expected="a real dtype.")
    if logits.ndim not in (1, 2) or logits.shape[-1] < 2:
        raise ShapeError(
            f"multinomial: logits is {logits.shape}.", expected="(classes,) or (rows, classes), at least two classes."
        )


def permutation(count: int, seed: Any = None) -> np.ndarray[Any, Any]:
    """The numbers 0 to count - 1 in random order, as a NumPy array: what shuffles training data.

    Equal on every backend. ``seed`` as for ``uniform``.

    >>> sorted(permutation(4, seed=1).tolist())
    [0, 1, 2, 3]
    """
    return _order(seed_for("permutation", seed), count)


def _order(seed: Tensor, count: int) -> np.ndarray[Any, Any]:
    keys = random_uniform(seed, (as_int(count, "count"),), "float64").numpy()
    order: np.ndarray[Any, Any] = np.argsort(keys, kind="stable")
    return order


def shuffle(x: TensorLike, seed: Any = None, axis: int = 0) -> Tensor:
    """The slices of x along an axis in random order, equal on every backend. ``seed`` as for ``uniform``.

    The order is found on the host, so a recorded step cannot hold it.

    >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
    [1, 2, 3]
    """
    given = to_tensor(x)
    along = normalize_axis(axis, given.ndim)
    return gather(given, _order(seed_for("shuffle", seed), given.shape[along]).astype(np.int32), axis=along)
