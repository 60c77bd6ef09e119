"""One seed for all random numbers of a program."""

from __future__ import annotations

import random
import sys

import numpy as np

from lamina.errors import ArgumentError
from lamina.ops.random import set_seed
from lamina.shapes import as_int


def set_random_seed(seed: int) -> None:
    """Starts all random numbers anew: those of Python, NumPy, lamina, and of PyTorch and CuPy if they are loaded.

    ``seed`` is an integer from 0 to 4294967295. What lamina draws follows from it on every backend alike. Raises
    ArgumentTypeError for what is no integer.

    >>> import lamina
    >>> set_random_seed(7); a = (random.random(), lamina.random.uniform(()).item())
    >>> set_random_seed(7); a == (random.random(), lamina.random.uniform(()).item())
    True
    """
    number = as_int(seed, "seed", minimum=0)
    if number >= 1 << 32:
        raise ArgumentError(f"seed is {number}.", expected="an integer below 4294967296.")
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - it is the global state that users of np.random share
    set_seed(number)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)
    if "cupy" in sys.modules:
        sys.modules["cupy"].random.seed(number)
