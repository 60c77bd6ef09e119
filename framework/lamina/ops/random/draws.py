"""The three draws that backends make; all other random numbers are made of them."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import ArgumentError
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, as_shape

_SEED = {"seed": ("int32",)}


def _drawn(seed: Any, shape: Any, dtype: str) -> Spec:
    return Spec(shape, dtype)


def _settings(seed: Tensor, shape: Any, dtype: Any) -> dict[str, Any]:
    wanted = canonical_dtype(dtype)
    if wanted not in FLOATING:
        raise ArgumentError(f"random numbers of dtype {wanted}.", expected=f"one of {', '.join(FLOATING)}.")
    return {"shape": as_shape(shape), "dtype": wanted}


@op(result=_drawn, dtypes=_SEED, effect="random", public=False)
def random_uniform(seed: TensorLike, shape: Any, dtype: Any = "float32") -> Tensor:
    """Uniform numbers in [0, 1): the top bits of a hash, equal on every backend.

    >>> random_uniform([1, 0], (0,)).tolist()
    []
    """


@op(result=_drawn, dtypes=_SEED, effect="random", public=False)
def random_normal(seed: TensorLike, shape: Any, dtype: Any = "float32") -> Tensor:
    """Standard normal numbers by Box and Muller's transform in float64, equal on every backend.

    Logarithm, sine and cosine are polynomials whose sums and products IEEE 754 fixes to the last bit.

    >>> random_normal([1, 0], (0,)).tolist()
    []
    """


random_uniform.settings(_settings)
random_normal.settings(_settings)


@op(result=lambda seed, shape, low, high: Spec(shape, "int32"), dtypes=_SEED, effect="random", public=False)
def random_integers(seed: TensorLike, shape: Any, low: int, high: int) -> Tensor:
    """Integers from low up to but without high, by multiplying a hash with their number; equal on every backend.

    Each comes as often as the others to within 2^-16 of its share, of 32 bits for up to 2^16 integers and of 64 for
    more.

    >>> random_integers([1, 0], (0,), 0, 10).tolist()
    []
    """


@random_integers.settings
def _(seed: Tensor, shape: Any, low: Any, high: Any) -> dict[str, Any]:
    first, last = as_int(low, "low"), as_int(high, "high")
    if not -(2**31) <= first < last <= 2**31:
        raise ArgumentError(f"randint: low is {first} and high is {last}.", expected="low < high within int32.")
    return {"shape": as_shape(shape), "low": first, "high": last}
