"""Initializers whose distribution the shape does not change."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.initializers.initializer import RandomInitializer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_float


class RandomNormal(RandomInitializer):
    """Normal numbers with a mean and a standard deviation.

    ``mean`` and ``stddev`` are the mean and the standard deviation.

    >>> RandomNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean: float = as_float(mean, "mean")
        self.stddev: float = as_float(stddev, "stddev", minimum=0.0)

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.random.normal(shape, self.mean, self.stddev, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normal numbers, those beyond two standard deviations from the mean drawn anew.

    ``mean`` and ``stddev`` are the mean and the standard deviation.

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
        self.minval: float = as_float(minval, "minval")
        self.maxval: float = as_float(maxval, "maxval", minimum=self.minval)

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.random.uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}
