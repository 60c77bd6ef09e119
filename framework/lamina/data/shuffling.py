"""Random orders: a function of a key and the number of the pass, so that any pass can be gone through again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lamina.ops import random
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int

_BLOCK: Final = 1024
_FAR: Final = 0x9E3779B1


def shuffle_key(seed: int | None) -> int:
    """The key of a shuffle: the seed, or one that follows from ``lamina.random.set_seed``."""
    if seed is not None:
        return as_int(seed, "seed")
    source = random.default_generator()
    return int(source.next().numpy()[1]) * _FAR ^ source.seed


def pass_key(key: int, number: int) -> int:
    """The key of one pass, from that of all."""
    return (key + number * _FAR) & 0x7FFFFFFF


def seed_pair(key: int, number: int) -> Tensor:
    """The seed of one pass."""
    return to_tensor(np.array([key & 0xFFFFFFFF, number & 0xFFFFFFFF], np.uint32).view(np.int32))


def shuffled(elements: Iterator[Any], buffer_size: int, key: int, number: int) -> Iterator[Any]:
    """The elements in random order, as far as a buffer of so many of them allows."""
    buffer: list[Any] = []
    chances = _chances(key, number)
    for element in elements:
        if len(buffer) < buffer_size:
            buffer.append(element)
            continue
        place = int(next(chances) * buffer_size)
        chosen, buffer[place] = buffer[place], element
        yield chosen
    while buffer:
        place = int(next(chances) * len(buffer))
        buffer[place], buffer[-1] = buffer[-1], buffer[place]
        yield buffer.pop()


def _chances(key: int, number: int) -> Iterator[float]:
    """Uniform numbers from 0 to below 1, drawn in blocks."""
    block = 0
    while True:
        yield from random.uniform((_BLOCK,), dtype="float64", seed=seed_pair(key + block * _FAR, number)).tolist()
        block += 1
