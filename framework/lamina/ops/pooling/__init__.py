"""Pooling: the largest element or the average of each window, along one, two or three axes."""

from lamina.ops.pooling.averages import avg_pool, avg_pool1d, avg_pool3d
from lamina.ops.pooling.extremes import max_pool, max_pool1d, max_pool3d, max_pool_with_argmax, pool

__all__ = [
    "avg_pool", "avg_pool1d", "avg_pool3d", "max_pool", "max_pool1d", "max_pool3d", "max_pool_with_argmax", "pool",
]  # fmt: skip
