"""Cases of normalizing layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import layers
from unit.layers.layer_case import Case, normal

X = normal(3, 4, 6)
FOUR = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (6,))


def standard(x: Any, axis: Any, epsilon: float = 1e-3) -> Any:
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + epsilon)


def grouped(x: Any, groups: int) -> Any:
    """Normalized in groups of the last axis."""
    parts = x.reshape(*x.shape[:-1], groups, -1)
    return standard(parts, (*range(1, x.ndim - 1), x.ndim)).reshape(x.shape)


def spectral(x: Any, kernel: Any, u: Any, bias: Any) -> Any:
    return x @ kernel + bias


CASES = [
    Case(
        layers.BatchNormalization,
        {"renorm": True, "renorm_clipping": {"rmax": 3.0, "dmax": 5.0}},
        X,
        {**FOUR, **dict.fromkeys(("moving_stddev", "renorm_mean", "renorm_stddev"), (6,))},
        lambda x, g, b, m, v, *_: (x - m) / np.sqrt(v + 1e-3) * g + b,
    ),
    Case(layers.LayerNormalization, {}, X, {"gamma": (6,), "beta": (6,)}, lambda x, g, b: standard(x, -1) * g + b),
    Case(
        layers.LayerNormalization,
        {"axis": [2, 1], "epsilon": 0.1},
        X,
        {"gamma": (4, 6), "beta": (4, 6)},
        lambda x, g, b: standard(x, (1, 2), 0.1) * g + b,
    ),
    Case(
        layers.LayerNormalization,
        {"axis": 1, "center": False, "gamma_regularizer": "l2"},
        X,
        {"gamma": (4,)},
        lambda x, g: standard(x, 1) * g[:, None],
    ),
    Case(
        layers.LayerNormalization,
        {"rms_scaling": True},
        X,
        {"gamma": (6,)},
        lambda x, g: x / np.sqrt(x.var(-1, keepdims=True) + 1e-3) * g,
    ),
    Case(
        layers.GroupNormalization,
        {"groups": 2},
        X,
        {"gamma": (6,), "beta": (6,)},
        lambda x, g, b: grouped(x, 2) * g + b,
    ),
    Case(
        layers.GroupNormalization,
        {"groups": -1, "axis": 1, "scale": False},
        X,
        {"beta": (4,)},
        lambda x, b: standard(x, 2) + b[:, None],
    ),
    Case(
        layers.RMSNormalization,
        {"epsilon": 0.1},
        X,
        {"scale": (6,)},
        lambda x, s: x / np.sqrt((x * x).mean(-1, keepdims=True) + 0.1) * s,
    ),
    Case(
        layers.RMSNormalization,
        {"axis": [1]},
        X,
        {"scale": (4,)},
        lambda x, s: x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6) * s[:, None],
    ),
    Case(layers.UnitNormalization, {"axis": [1, 2]}, X, {}, lambda x: x / np.sqrt((x * x).sum((1, 2), keepdims=True))),
    Case(
        layers.SpectralNormalization,
        {"layer": {"class_name": "Dense", "config": {"name": "d", "units": 2}}},
        normal(3, 4),
        {"d/kernel": (4, 2), "vector_u": (1, 2), "d/bias": (2,)},
        spectral,
    ),
    Case(
        layers.Normalization,
        {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [4.0, 1.0, 4.0, 1.0], "axis": 1},
        X,
        {},
        lambda x: ((x.swapaxes(1, 2) - [1, 2, 3, 4]) / [2, 1, 2, 1]).swapaxes(1, 2),
    ),
    Case(layers.Normalization, {"mean": 1.0, "variance": 4.0, "invert": True}, X, {}, lambda x: 1 + 2 * x),
]
