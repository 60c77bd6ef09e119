"""Initializers: what a weight holds before training.

Called once, when a layer is built; random ones draw through ``lamina.random``, so they follow its seed. Knows ops and
the registry; knows nothing of layers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.random import SeedGenerator
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct, get_object
from lamina.shapes import Shape, as_float, as_int, as_shape

ALIASES: Final = {
    "uniform": "RandomUniform",
    "normal": "RandomNormal",
    "one": "Ones",
    "zero": "Zeros",
    "eye": "Identity",
}

TRUNCATED_STDDEV: Final = 0.87962566103423978
"""The standard deviation of a standard normal distribution cut off at two: what is divided by to make up for it."""


class Initializer(ABC):
    """Base of initializers: called with a shape and a dtype, gives a tensor.

    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return ops.full(shape, 0.5, dtype)
    >>> Halves()((2,)).tolist()
    [0.5, 0.5]
    """

    @abstractmethod
    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        """The initial value of a weight."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Initializer:
        """The initializer of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


class RandomInitializer(Initializer):
    """Base of initializers that draw random numbers.

    ``seed`` is an int (every call gives the same), a ``SeedGenerator``, or None for the default generator, which
    ``lamina.random.set_seed`` starts.
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and not isinstance(seed, SeedGenerator):
            seed = as_int(seed, "seed")
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed.seed if isinstance(self.seed, SeedGenerator) else self.seed}


class Zeros(Initializer):
    """All 0.

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.zeros(shape, dtype)


class Ones(Initializer):
    """All 1.

    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.ones(shape, dtype)


class Constant(Initializer):
    """One value everywhere: a number, or an array that broadcasts to the shape.

    >>> Constant(0.25)((2,)).tolist()
    [0.25, 0.25]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = as_float(value, "value") if isinstance(value, (bool, str)) else value

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        if isinstance(self.value, (int, float)):
            return ops.full(shape, self.value, dtype)
        return ops.broadcast_to(ops.cast(ops.tensor(self.value), dtype), as_shape(shape))

    def get_config(self) -> dict[str, Any]:
        scalar = isinstance(self.value, (int, float))
        return {"value": self.value if scalar else np.asarray(self.value).tolist()}


class RandomNormal(RandomInitializer):
    """Normal numbers with a mean and a standard deviation.

    >>> RandomNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = as_float(mean, "mean")
        self.stddev = as_float(stddev, "stddev", minimum=0.0)

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.random.normal(shape, self.mean, self.stddev, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal numbers, those beyond two standard deviations from the mean drawn anew.

    >>> bool((TruncatedNormal(seed=1)((100,)).abs() <= 0.1).all())
    True
    """

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.random.truncated_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


class RandomUniform(RandomInitializer):
    """Numbers in [minval, maxval), each equally likely.

    >>> bool((RandomUniform(0.0, 1.0, seed=1)((100,)) < 1.0).all())
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = as_float(minval, "minval")
        self.maxval = as_float(maxval, "maxval", minimum=self.minval)

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.random.uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


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
    ``distribution`` is "truncated_normal" (also "normal"), "untruncated_normal" or "uniform".

    >>> VarianceScaling(2.0, "fan_in", "uniform", seed=1)((3, 4)).shape
    (3, 4)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
    ) -> None:
        super().__init__(seed)
        self.scale = as_float(scale, "scale")
        if self.scale <= 0.0:
            raise ArgumentError(f"scale is {self.scale}.", expected="scale to be above 0.")
        self.mode = _choice(mode, "mode", _MODES)
        self.distribution = _choice(distribution, "distribution", _DISTRIBUTIONS)

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        fan_in, fan_out = compute_fans(sizes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return ops.random.uniform(sizes, -limit, limit, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return ops.random.normal(sizes, 0.0, math.sqrt(variance), dtype, seed=self.seed)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return ops.random.truncated_normal(sizes, 0.0, stddev, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **super().get_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Initializer:
        # Newer Keras writes two settings that say which axes count; None is the rule that is used here.
        return construct(cls, {k: v for k, v in config.items() if not (k in _AXES_SETTINGS and v is None)})


_AXES_SETTINGS: Final = ("input_axes", "output_axes")


def compute_fans(shape: Shape) -> tuple[float, float]:
    """The number of inputs and outputs of a unit whose weight has a shape; the last two axes are in and out.

    >>> compute_fans((3, 3, 16, 32))
    (144.0, 288.0)
    """
    if len(shape) < 2:
        fan = float(shape[0]) if shape else 1.0
        return fan, fan
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


class _Scaled(VarianceScaling):
    """A variance scaling whose settings but the seed are fixed by its name."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None) -> None:
        super().__init__(*self.settings, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return RandomInitializer.get_config(self)


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    >>> bool((GlorotUniform(seed=1)((3, 3)).abs() <= 1.0).all())
    True
    """

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in) (He et al. 2015, arXiv:1502.01852)."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al. 2015, arXiv:1502.01852)."""

    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in) (LeCun et al. 1998)."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998)."""

    settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix whose rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2013, arXiv:1312.6120).

    All axes but the last are taken as the rows. Raises ShapeError for a shape of fewer than two axes.

    >>> q = Orthogonal(seed=1)((3, 3))
    >>> bool((ops.abs(q @ q.T - ops.eye(3)) < 1e-5).all())
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = as_float(gain, "gain")

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
        return {"gain": self.gain, **super().get_config()}


class Identity(Initializer):
    """A matrix of ``gain`` on the diagonal and 0 elsewhere. Raises ShapeError for a shape that has not two axes.

    >>> Identity()((2, 2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = as_float(gain, "gain")

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        if len(sizes) != 2:
            raise ShapeError(f"an identity weight of shape {sizes}.", expected="two axes.")
        return ops.cast(ops.multiply(ops.eye(*sizes), self.gain), canonical_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


def get(identifier: Any) -> Any:
    """The initializer that a name, config, class, function or initializer stands for; None for None.

    Names may be spelled as in Keras or TensorFlow.js. Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("glorotNormal").get_config()
    {'seed': None}
    """
    return get_object("initializers", identifier, Initializer, ALIASES)
