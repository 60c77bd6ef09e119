"""Normalization, morphology and recurrent cells."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


@adapter("dilation2d")
def dilation2d(x: TensorLike, kernel: TensorLike, strides: Any, padding: Any, dilations: Any = 1) -> Any:
    return lamina.dilation2d(x, kernel, strides, padding, dilations)


@adapter("batchNorm", "batchNorm2d", "batchNorm3d", "batchNorm4d")
def batch_norm(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike = None,
    scale: TensorLike = None,
    epsilon: Any = 1e-3,
) -> Any:
    return lamina.batch_norm(x, mean, variance, offset, scale, epsilon)
