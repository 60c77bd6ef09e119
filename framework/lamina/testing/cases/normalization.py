"""Cases of normalization, dropout and moving averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.ops.random import uniform
from lamina.testing.inputs import between, empty, ints, non_contiguous, normal, positive, strings
from lamina.testing.table import case


def batch_norm(
    x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, variance_epsilon: float = 1e-3
) -> Any:
    y = (x - mean) / np.sqrt(variance + variance_epsilon) * (1.0 if scale is None else scale)
    return y + (0.0 if offset is None else offset)


for _shape in ((3, 4), (2, 3, 4), (2, 2, 3, 4), (1, 4), (4,)):
    case("batch_norm", [normal(*_shape), normal(4), positive(4)], reference=batch_norm)
    case("batch_norm", [normal(*_shape), normal(4), positive(4), normal(4), normal(4)], reference=batch_norm)
case("batch_norm", [normal(3, 4), normal(4), positive(4), normal(4)], variance_epsilon=0.1, reference=batch_norm)
case("batch_norm", [normal(3, 4), normal(4), positive(4), None, normal(4)], reference=batch_norm)
case("batch_norm", [normal(3, 4), normal(3, 4), positive(3, 4), normal(3, 4), normal(3, 4)], reference=batch_norm)
case("batch_norm", [normal(2, 3, 4), normal(3, 1), positive(3, 1), normal(), normal(4)], reference=batch_norm)
case("batch_norm", [empty(0, 4), normal(4), positive(4)], reference=batch_norm)
case("batch_norm", [non_contiguous(3, 4), normal(4), positive(4)], reference=batch_norm)
case("batch_norm", [normal(3, 4), normal(3), positive(3)], raises=ShapeError)
case("batch_norm", [normal(4), normal(3, 4), positive(3, 4)], raises=ShapeError)
case("batch_norm", [normal(3, 4), normal(3, 4), positive(4)], raises=ShapeError)
case("batch_norm", [normal(3, 4), normal(4), positive(4)], variance_epsilon="small", raises=ArgumentTypeError)
case("batch_norm", [strings(["a"]), normal(1), positive(1)], raises=DTypeError)


def local_response_normalization(
    x: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Any:
    y = np.zeros_like(x, dtype=float)
    for c in range(x.shape[-1]):
        near = np.square(x[..., max(0, c - depth_radius) : c + depth_radius + 1].astype(float)).sum(-1)
        y[..., c] = x[..., c] / (bias + alpha * near) ** beta
    return y


for _settings in ({}, {"depth_radius": 1}, {"depth_radius": 0, "beta": 1.0}):
    case("local_response_normalization", [normal(2, 2, 3, 4)], **_settings, reference=local_response_normalization)
case("local_response_normalization", [normal(2, 3, 8)], depth_radius=2, bias=2.0, alpha=0.5, beta=0.75,
     reference=local_response_normalization)  # fmt: skip
case("local_response_normalization", [normal(1, 1, 1)], reference=local_response_normalization)
case("local_response_normalization", [empty(0, 2, 2, 3)], reference=local_response_normalization)
case("local_response_normalization", [non_contiguous(2, 3, 4)], reference=local_response_normalization)
case("local_response_normalization", [ints(1, 2, 3)], reference=local_response_normalization)
case("local_response_normalization", [normal(2, 3)], raises=ShapeError)
case("local_response_normalization", [normal(2, 3, 4)], depth_radius=0.5, raises=ArgumentTypeError)
case("local_response_normalization", [normal(2, 3, 4)], depth_radius=-1, raises=ArgumentError)
case("local_response_normalization", [strings([[["a"]]])], raises=DTypeError)

case("dropout", [normal(3, 4)], rate=0.0, reference=lambda x, rate: x)


def dropout(x: Any, rate: float, seed: int, noise_shape: Any = None) -> Any:
    shape = x.shape if noise_shape is None else tuple(n or s for n, s in zip(noise_shape, x.shape, strict=True))
    return x * (uniform(shape, seed=seed).numpy() >= rate) / (1.0 - rate)


case("dropout", [normal(3, 4)], rate=0.25, seed=7, reference=dropout)
case("dropout", [normal(3, 4)], rate=0.5, noise_shape=(None, 1), seed=7, reference=dropout)
case("dropout", [non_contiguous(3, 4)], rate=0.5, noise_shape=(1, 4), seed=8, reference=dropout)
case("dropout", [empty(0, 4)], rate=0.5, seed=7, reference=dropout)
case("dropout", [normal(3, 4)], rate=1.0, raises=ArgumentError)
case("dropout", [normal(3, 4)], rate=-0.1, raises=ArgumentError)
case("dropout", [normal(3, 4)], rate="half", raises=ArgumentTypeError)
case("dropout", [normal(3, 4)], rate=0.5, noise_shape=(2, 1), raises=ShapeError)
case("dropout", [normal(3, 4)], rate=0.5, noise_shape=(1, 3, 4), raises=ShapeError)
case("dropout", [ints(3, 4)], rate=0.5, raises=DTypeError)


def moving_average(v: Any, x: Any, decay: Any, step: Any = None, zero_debias: bool = True) -> Any:
    return v + (x - v) * (1.0 - decay) / (1.0 - decay**step if zero_debias else 1.0)


_decay = between(0.2, 0.8)
case("moving_average", [normal(2, 3), normal(2, 3), _decay], step=3, reference=moving_average)
case("moving_average", [normal(2, 3), normal(2, 3), _decay, between(1.0, 4.0)], reference=moving_average)
case("moving_average", [normal(3), normal(3), 0.9], zero_debias=False, reference=moving_average)
case("moving_average", [empty(0), empty(0), 0.9], step=1, reference=moving_average)
case("moving_average", [normal(3), normal(3), 0.9], raises=ArgumentError)
case("moving_average", [normal(3), normal(2), 0.9], step=1, raises=ShapeError)
case("moving_average", [normal(3), ints(3), 0.9], step=1, raises=DTypeError)
