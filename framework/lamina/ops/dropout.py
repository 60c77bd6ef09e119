"""Dropout: sets elements to 0 at random."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import DTypeError, ShapeError
from lamina.ops import random
from lamina.ops.elementwise import cast, greater_equal, identity, multiply
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float, broadcast_shapes


def dropout(x: TensorLike, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Sets a fraction ``rate`` of the elements to 0 and scales the others by 1 / (1 - rate) (Srivastava et al. 2014).

    ``rate`` is at least 0 and below 1. ``noise_shape`` has 1 where elements share their fate along an axis, None for
    the input's own size. ``seed`` is an int, a SeedGenerator, or None for the default stream. As TensorFlow.js: it
    always drops; the layer does so in training only. Raises DTypeError, ArgumentError, ShapeError.

    >>> dropout([1.0, 2.0], 0.0).tolist()
    [1.0, 2.0]
    """
    x = to_tensor(x)
    if x.dtype not in FLOATING:
        raise DTypeError(f"dropout(x): x has dtype {x.dtype}.", expected=f"x to be one of {', '.join(FLOATING)}.")
    fraction = as_float(rate, "rate", minimum=0.0, below=1.0)
    shape = _noise_shape(x, noise_shape)
    if not fraction:
        return identity(x)
    kept = cast(greater_equal(random.uniform(shape, seed=seed), fraction), x.dtype)
    return multiply(x, multiply(kept, 1.0 / (1.0 - fraction)))


def _noise_shape(x: Tensor, noise_shape: Any) -> tuple[int, ...]:
    if noise_shape is None:
        return x.shape
    given = tuple(noise_shape)
    if len(given) == x.ndim:
        given = tuple(s if n is None else n for s, n in zip(x.shape, given, strict=True))
    if None in given or broadcast_shapes("dropout", ("x", "noise_shape"), (x.shape, given)) != x.shape:
        raise ShapeError(
            f"dropout: x is {x.shape} and noise_shape is {noise_shape}.", expected="1 or None or the size of each axis."
        )
    return given
