"""Gradients held against central differences along a random direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from lamina import ops
from lamina.autodiff import Tape
from lamina.contract import Backend
from lamina.dtypes import INEXACT
from lamina.runtime.convert import from_numpy
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.testing.inputs import Array

STEP: Final = {"float64": 1e-5, "float32": 1e-2}
"""Half the width of a central difference: near the cube root of the precision, where the error is least."""

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Derivative:
    """The derivative of a function of tensors at a point along a direction, by the tape and by differences.

    Only floating and complex inputs move. The function's results are weighed with fixed random numbers, so that one
    number comes out: ``Re <weights, f(x)>``.
    """

    def __init__(self, function: Function, arrays: Sequence[Array], backend: Backend, precision: str) -> None:
        generator = np.random.default_rng(len(arrays))
        self._function = function
        self._backend = backend
        self._arrays = list(arrays)
        self._moving = [i for i, a in enumerate(arrays) if str(a.dtype) in INEXACT]
        self._directions = {i: _random_like(arrays[i], generator) for i in self._moving}
        self._generator = generator
        self._step = STEP[precision]
        self._weights: list[Array] | None = None

    def by_tape(self, *, spread: bool = False) -> float:
        """<gradient, direction> as the tape has it; an input that nothing connects counts as 0.

        ``spread`` lays the inputs out with gaps between their elements.
        """
        sources = [with_gaps(a, self._backend) for a in self._arrays] if spread else self._tensors(self._arrays)
        _, found = self._gradients(sources)
        return self._along(found)

    def by_differences(self) -> float:
        """The same by (f(x + h u) - f(x - h u)) / 2h."""
        return (self._value(self._step) - self._value(-self._step)) / (2.0 * self._step)

    def second(self) -> Derivative | None:
        """The derivative of <gradient, direction> itself, along another direction; None if it is constant."""
        if not self._moving or not any(g is not None for g in self._gradients(self._tensors(self._arrays))[1]):
            return None
        directions = {i: from_numpy(d, self._backend) for i, d in self._directions.items()}

        def gradient(tensors: Sequence[Tensor]) -> list[Tensor]:
            _, found = self._gradients(list(tensors))
            pairs = zip(self._moving, found, strict=True)
            return [ops.multiply(g, directions[i]) for i, g in pairs if g is not None]

        return Derivative(gradient, self._arrays, self._backend, "float64" if self._step < 1e-3 else "float32")

    def _gradients(self, tensors: list[Tensor]) -> tuple[list[Tensor], list[Tensor | None]]:
        sources = {i: ops.identity(tensors[i]) for i in self._moving}
        tape = Tape(variables=())
        for source in sources.values():
            tape.watch(source)
        with listening(tape):
            outputs = [y for y in self._function([sources.get(i, t) for i, t in enumerate(tensors)]) if _inexact(y)]
        weights = [from_numpy(w, self._backend) for w in self._weights_for(outputs)]
        return outputs, tape.gradients(outputs, weights, list(sources.values()))

    def _value(self, distance: float) -> float:
        moved = [
            (a + distance * self._directions[i]).astype(a.dtype) if i in self._directions else a
            for i, a in enumerate(self._arrays)
        ]
        outputs = [y for y in self._function(self._tensors(moved)) if _inexact(y)]
        pairs = zip(self._weights_for(outputs), outputs, strict=True)
        return sum((_product(w, y.numpy()) for w, y in pairs), 0.0)

    def _along(self, found: Sequence[Tensor | None]) -> float:
        pairs = zip(self._moving, found, strict=True)
        return sum((_product(g.numpy(), self._directions[i]) for i, g in pairs if g is not None), 0.0)

    def _weights_for(self, outputs: Sequence[Tensor]) -> list[Array]:
        if self._weights is None:
            empties = (np.zeros(y.shape, y.dtype) for y in outputs)
            self._weights = [_random_like(empty, self._generator) for empty in empties]
        return self._weights

    def _tensors(self, arrays: Sequence[Array]) -> list[Tensor]:
        return [from_numpy(a, self._backend) for a in arrays]


def with_gaps(array: Array, backend: Backend) -> Tensor:
    """A tensor whose elements have gaps between them: every second of an array twice as long."""
    if not array.ndim or array.dtype.kind == "O":
        return from_numpy(array, backend)
    tensor: Tensor = from_numpy(np.stack([array, np.flip(array)], -1), backend)[..., 0]
    return tensor


def _inexact(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype in INEXACT


def _random_like(array: Array, generator: np.random.Generator) -> Array:
    drawn = generator.uniform(0.5, 1.5, array.shape) * generator.choice([-1.0, 1.0], array.shape)
    if array.dtype.kind == "c":
        drawn = drawn + 1j * generator.uniform(0.5, 1.5, array.shape)
    return np.asarray(drawn).astype(array.dtype)


def _product(a: Array, b: Array) -> float:
    """Re <a, b>, the product under which a complex gradient is the direction of steepest ascent."""
    return float(np.vdot(np.ravel(a), np.ravel(b)).real)
