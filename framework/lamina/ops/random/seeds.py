"""Seeds: where the streams of random numbers begin, and who counts the draws."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError
from lamina.ops.elementwise import add
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int

_DEFAULT_DRAWS: Final = 2**30
"""Where generators of ``set_seed`` begin to count: a generator that a user makes with the same seed begins at 0."""

_OWN_DRAWS: Final = {
    name: -1 - index
    for index, name in enumerate((
        "uniform", "normal", "standard_normal", "truncated_normal", "gamma", "gamma tries", "gamma boost", "randint",
        "bernoulli", "multinomial", "permutation", "shuffle",
    ))
}  # fmt: skip
"""The draw of each function when the seed is an int: below 0, where no generator counts, and no two the same."""

_FAR_KEYS: Final = 0x5851F42D
"""What is added to the key of a seed that is a tensor for each further stream that a function needs."""


class SeedGenerator:
    """A stream of seeds: each draw takes the next. ``seed`` None takes one from the operating system.

    >>> a, b = SeedGenerator(7), SeedGenerator(7)
    >>> a.next().tolist() == b.next().tolist(), a.next().tolist() == a.next().tolist()
    (True, False)
    """

    def __init__(self, seed: int | None = None, name: str = "seed_generator", *, first: int = 0) -> None:
        self.seed: int = int.from_bytes(os.urandom(4), "little") >> 1 if seed is None else as_int(seed, "seed")
        self.state: Variable = Variable(_pair(self.seed, first), trainable=False, name=f"{name}/state")

    def next(self) -> Tensor:
        """The next seed, shape (2,), int32."""
        seed = self.state.value
        self.state.assign(add(seed, to_tensor(_pair(0, 1), backend=self.state.backend)))
        return seed


def _pair(key: int, draw: int) -> np.ndarray[Any, Any]:
    return np.array([key & 0xFFFFFFFF, draw & 0xFFFFFFFF], np.uint32).view(np.int32)


_DEFAULT: ContextVar[SeedGenerator | None] = ContextVar("lamina_seed_generator", default=None)


def default_generator() -> SeedGenerator:
    """The generator of this thread or task from which draws without a seed take theirs.

    It goes to the active backend, so that this is where the numbers are drawn; its stream goes on.

    >>> default_generator() is default_generator()
    True
    """
    generator = _DEFAULT.get()
    if generator is None:
        generator = SeedGenerator(first=_DEFAULT_DRAWS)
        _DEFAULT.set(generator)
    active = get_backend()
    if generator.state.backend is not active:
        generator.state.to(active)
    return generator


def set_seed(seed: int) -> None:
    """Starts the stream of this thread or task from which draws without a seed take theirs.

    >>> set_seed(1); a = default_generator().next().tolist()
    >>> set_seed(1); a == default_generator().next().tolist()
    True
    """
    _DEFAULT.set(SeedGenerator(as_int(seed, "seed"), first=_DEFAULT_DRAWS))


def seed_for(function: str, seed: Any) -> Tensor:
    """What a function draws with, given what the user gave for a seed.

    Raises ArgumentError if the seed is a tensor that is no pair of int32.
    """
    if seed is None:
        return default_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (Tensor, Variable)):
        return _checked(to_tensor(seed))
    return to_tensor(_pair(as_int(seed, "seed"), _OWN_DRAWS[function]))


def further_seed(function: str, part: str, number: int, seed: Any) -> Tensor:
    """Another seed for a function that needs several streams: ``number`` is 1 for the second, and so on."""
    if isinstance(seed, (Tensor, Variable)):
        return add(to_tensor(seed), to_tensor(_pair(number * _FAR_KEYS, 0)))
    return seed_for(f"{function} {part}", seed)


def _checked(seed: Tensor) -> Tensor:
    if seed.shape != (2,):
        raise ArgumentError(f"seed: a tensor of shape {seed.shape}.", expected="a pair of int32: a key and a draw.")
    return seed
