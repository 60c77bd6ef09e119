"""Weights that come piece by piece: each is decoded when its bytes are there, and nothing is kept after that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina.contract.io import Bytes, WeightSpec
from lamina.errors import UnsafeModelError
from lamina.io.checks import shown
from lamina.io.weights import check_specs, decode_weights, stored_bytes

_LENGTH_BYTES = 4


def decode_weights_stream(
    specs: Sequence[WeightSpec], stream: Iterable[Bytes], where: str = "the weights"
) -> Iterator[tuple[WeightSpec, np.ndarray[Any, Any]]]:
    """The arrays of weight bytes that come in pieces of any length, each with its spec, as of ``decode_weights``.

    Raises UnsafeModelError if specs and bytes do not agree: what was given before that is sound. As TensorFlow.js's
    ``io.decodeWeightsStream``.

    >>> specs = [WeightSpec("a", (2,), "bool"), WeightSpec("b", (), "int32")]
    >>> [array.tolist() for _, array in decode_weights_stream(specs, [bytes([1]), bytes([0, 5, 0]), bytes(2)])]
    [[True, False], 5]
    """
    check_specs(specs, where)
    buffer = _Buffer(stream)
    for spec in specs:
        for count in _lengths(spec, buffer):
            if not buffer.fill(count):
                raise UnsafeModelError(
                    f"{where} end within the weight {shown(spec.name)}.", expected=f"{count} bytes of it or more."
                )
        yield from decode_weights([spec], buffer.take(), where)
    if buffer.fill(1):
        raise UnsafeModelError(f"{where} go on after the last weight.", expected="no more bytes than they take.")


def _lengths(spec: WeightSpec, buffer: _Buffer) -> Iterator[int]:
    """How many bytes a weight has: first at least, then all, for text says its lengths as it goes."""
    least, exact = stored_bytes([spec])
    if exact:
        yield least
        return
    end = 0
    for _ in range(least // _LENGTH_BYTES):
        yield end + _LENGTH_BYTES
        end += _LENGTH_BYTES + buffer.number(end)
        yield end
    buffer.end = end


class _Buffer:
    """Bytes that have come and are not yet used, of which the first ``end`` are those of one weight."""

    def __init__(self, stream: Iterable[Bytes]) -> None:
        self._pieces = iter(stream)
        self._data = bytearray()
        self.end = 0

    def fill(self, count: int) -> bool:
        """Whether there are so many bytes, or come to be."""
        while len(self._data) < count:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._data += memoryview(piece).cast("B")
        self.end = count
        return True

    def number(self, at: int) -> int:
        """The length that stands at a place."""
        return int.from_bytes(self._data[at : at + _LENGTH_BYTES], "little")

    def take(self) -> bytes:
        """The bytes of the weight, which are then gone."""
        found = bytes(self._data[: self.end])
        del self._data[: self.end]
        self.end = 0
        return found
