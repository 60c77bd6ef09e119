"""Initializers whose spread depends on how many inputs and outputs a unit has, and the orthogonal one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, ShapeError
from lamina.initializers.initializer import RandomInitializer
from lamina.runtime.tensor import Tensor
from lamina.shapes import Shape, as_entries, as_float, as_int, as_shape, normalize_axis

TRUNCATED_STDDEV: Final = 0.87962566103423978
"""The standard deviation of a standard normal distribution cut off at two: what is divided by to make up for it."""

_MODES: Final = {"fanin": "fan_in", "fanout": "fan_out", "fanavg": "fan_avg"}
_DISTRIBUTIONS: Final = {
    "normal": "truncated_normal",
    "truncatednormal": "truncated_normal",
    "untruncatednormal": "untruncated_normal",
    "uniform": "uniform",
}


def _choice(value: Any, name: str, choices: Mapping[str, str]) -> str:
    """A setting in its one spelling; also takes that of TensorFlow.js."""
    found = choices.get(value.replace("_", "").lower()) if isinstance(value, str) else None
    if found is None:
        raise ArgumentError(f"{name} is {value!r}.", expected=f"one of {', '.join(dict.fromkeys(choices.values()))}.")
    return found


class VarianceScaling(RandomInitializer):
    """Random numbers of variance scale / n, so that signals keep their size through a layer.

    n is the number of inputs of a unit ("fan_in"), of its outputs ("fan_out"), or their mean ("fan_avg");
    ``distribution`` is "truncated_normal" (also "normal"), "untruncated_normal" or "uniform". ``input_axes`` and
    ``output_axes``, given together, say which axes count as inputs and outputs; without them see ``compute_fans``. n is
    chosen by ``mode``.

    >>> VarianceScaling(2.0, "fan_in", "uniform", seed=1)((3, 4)).shape
    (3, 4)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        self.scale: float = as_float(scale, "scale")
        if self.scale <= 0.0:
            raise ArgumentError(f"scale is {self.scale}.", expected="scale to be above 0.")
        self.mode: str = _choice(mode, "mode", _MODES)
        self.distribution: str = _choice(distribution, "distribution", _DISTRIBUTIONS)
        if (input_axes is None) != (output_axes is None):
            raise ArgumentError(
                f"input_axes is {input_axes!r} and output_axes is {output_axes!r}.",
                expected="both of them, or neither.",
            )
        self.input_axes: list[int] | None = _axes(input_axes, "input_axes")
        self.output_axes: list[int] | None = _axes(output_axes, "output_axes")

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        fan_in, fan_out = self._fans(sizes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return ops.random.uniform(sizes, -limit, limit, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return ops.random.normal(sizes, 0.0, math.sqrt(variance), dtype, seed=self.seed)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return ops.random.truncated_normal(sizes, 0.0, stddev, dtype, seed=self.seed)

    def _fans(self, sizes: Shape) -> tuple[float, float]:
        if self.input_axes is None or self.output_axes is None:
            return compute_fans(sizes)
        places = [[normalize_axis(axis, len(sizes)) for axis in axes] for axes in (self.input_axes, self.output_axes)]
        fan_in, fan_out = (float(math.prod(sizes[place] for place in axes)) for axes in places)
        return fan_in, fan_out

    def get_config(self) -> dict[str, Any]:
        fixed = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        return {**super().get_config(), **fixed, **self._axes_config()}

    def _axes_config(self) -> dict[str, Any]:
        return {"input_axes": self.input_axes, "output_axes": self.output_axes}


def _axes(given: Any, name: str) -> list[int] | None:
    return None if given is None else [as_int(axis, f"{name}[{i}]") for i, axis in enumerate(as_entries(given, name))]


def compute_fans(shape: Shape) -> tuple[float, float]:
    """The number of inputs and outputs of a unit whose weight has a shape; the last two axes are in and out.

    Raises ValueError for sizes that are no numbers.

    >>> compute_fans((3, 3, 16, 32))
    (144.0, 288.0)
    """
    if len(shape) < 2:
        fan = float(shape[0]) if shape else 1.0
        return fan, fan
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


class _Scaled(VarianceScaling):
    """A variance scaling whose scale, mode and distribution are fixed by its name."""

    settings: ClassVar[tuple[float, str, str]]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self.settings, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict[str, Any]:
        return {**RandomInitializer.get_config(self), **self._axes_config()}


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    >>> bool((GlorotUniform(seed=1)((3, 3)).abs() <= 1.0).all())
    True
    """

    settings: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010).

    fan_in and fan_out are the sizes of what a kernel joins, as ``compute_fans`` counts them.

    >>> GlorotNormal(seed=1)((3, 3)).shape
    (3, 3)
    """

    settings: ClassVar[tuple[float, str, str]] = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in) (He et al. 2015, arXiv:1502.01852).

    fan_in and fan_out are the sizes of what a kernel joins, as ``compute_fans`` counts them.

    >>> HeUniform(seed=1)((3, 3)).shape
    (3, 3)
    """

    settings: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al. 2015, arXiv:1502.01852).

    fan_in and fan_out are the sizes of what a kernel joins, as ``compute_fans`` counts them.

    >>> HeNormal(seed=1)((3, 3)).shape
    (3, 3)
    """

    settings: ClassVar[tuple[float, str, str]] = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in) (LeCun et al. 1998).

    fan_in and fan_out are the sizes of what a kernel joins, as ``compute_fans`` counts them.

    >>> LecunUniform(seed=1)((3, 3)).shape
    (3, 3)
    """

    settings: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998).

    fan_in and fan_out are the sizes of what a kernel joins, as ``compute_fans`` counts them.

    >>> LecunNormal(seed=1)((3, 3)).shape
    (3, 3)
    """

    settings: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix whose rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2013, arXiv:1312.6120).

    All axes but the last are taken as the rows. Raises ShapeError for a shape of fewer than two axes. ``gain`` is what
    it is multiplied by.

    >>> q = Orthogonal(seed=1)((3, 3))
    >>> bool((ops.abs(q @ q.T - ops.eye(3)) < 1e-5).all())
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain: float = as_float(gain, "gain")

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        if len(sizes) < 2:
            raise ShapeError(f"an orthogonal weight of shape {sizes}.", expected="at least two axes.")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        drawn = ops.random.normal((max(rows, columns), min(rows, columns)), dtype="float64", seed=self.seed)
        q, r = np.linalg.qr(drawn.numpy())
        q = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
        matrix = (q.T if rows < columns else q).reshape(sizes) * self.gain
        return ops.cast(ops.tensor(matrix), canonical_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
