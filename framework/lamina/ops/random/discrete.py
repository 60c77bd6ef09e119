"""Random integers, booleans, and numbers of the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.dtypes import BOOL, INTEGER, canonical_dtype
from lamina.errors import ArgumentError
from lamina.ops.creation import tensor
from lamina.ops.elementwise import cast, less
from lamina.ops.random.draws import random_integers, random_uniform
from lamina.ops.random.seeds import seed_for
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_shape


def randint(shape: Any, minval: int, maxval: int, seed: Any = None, dtype: Any = "int32") -> Tensor:
    """Integers from minval up to but without maxval, each equally likely. ``seed`` as for ``uniform``.

    Raises ArgumentError unless minval < maxval, both within int32 and what ``dtype`` holds.

    >>> bool((randint((9,), 2, 4, seed=1) < 4).all())
    True
    """
    return drawn_integers(seed_for("randint", seed), shape, minval, maxval, dtype)


def drawn_integers(seed: Tensor, shape: Any, minval: int, maxval: int, dtype: Any) -> Tensor:
    """Integers of a stream, in any integer dtype that holds them."""
    wanted = canonical_dtype(dtype)
    if wanted not in INTEGER:
        raise ArgumentError(f"random integers of dtype {wanted}.", expected=f"one of {', '.join(INTEGER)}.")
    limits = np.iinfo(wanted)
    if minval < limits.min or maxval - 1 > limits.max:
        raise ArgumentError(f"minval is {minval} and maxval is {maxval}.", expected=f"a range within {wanted}.")
    drawn = random_integers(seed, shape, minval, maxval)
    return drawn if wanted == "int32" else cast(drawn, wanted)


def bernoulli(shape: Any, probability: float = 0.5, seed: Any = None) -> Tensor:
    """True with a probability, as bool. ``seed`` as for ``uniform``.

    Raises ArgumentError unless the probability lies between 0 and 1.

    >>> bernoulli((2,), 1.0, seed=1).tolist()
    [True, True]
    """
    if not 0.0 <= probability <= 1.0:
        raise ArgumentError(f"bernoulli: probability is {probability}.", expected="a number between 0 and 1.")
    return less(random_uniform(seed_for("bernoulli", seed), shape, "float32"), float(probability))


def rand(shape: Any, function: Callable[[], Any], dtype: Any = "float32") -> Tensor:
    """A tensor whose elements are what a function of the user's returns, called once for each in row-major order.

    The function runs on the host, so a recorded step cannot draw from it anew: use ``uniform`` there.

    Raises ArgumentError if ``dtype`` is not bool, an integer or a floating one.

    >>> numbers = iter([0.5, 0.25])
    >>> rand((2,), lambda: next(numbers)).tolist()
    [0.5, 0.25]
    """
    wanted, sizes = canonical_dtype(dtype), as_shape(shape)
    if wanted in BOOL + INTEGER:
        values = np.array([function() for _ in range(math.prod(sizes))], wanted)
    else:
        values = np.array([function() for _ in range(math.prod(sizes))], np.float64)
    return tensor(values.reshape(sizes), dtype=wanted)
