"""Cases of layers that change shapes or pass their input on."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import layers
from unit.layers.image_cases import FIRST, Array, first
from unit.layers.layer_case import Case, normal

SEQUENCE, IMAGE, VOLUME = normal(2, 6, 3), normal(2, 6, 5, 3), normal(2, 4, 5, 6, 2)


def repeated(x: Array, *times: int) -> Array:
    for axis, count in enumerate(times, 1):
        x = np.repeat(x, count, axis)
    return x


def linear(x: Array, times: tuple[int, int]) -> Array:
    """Between the centres of pixels, and constant beyond the outermost."""
    for axis, count in enumerate(times, 1):
        size = x.shape[axis]
        places = np.clip((np.arange(size * count) + 0.5) / count - 0.5, 0, size - 1)
        x = np.apply_along_axis(lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, x)
    return x


def padded(x: Array, *pairs: tuple[int, int]) -> Array:
    return np.pad(x, ((0, 0), *pairs, (0, 0)))


def masked(x: Array, value: float) -> Any:
    return x * np.any(x != value, -1, keepdims=True)


def with_steps_of(value: float) -> Array:
    x = normal(2, 4, 3)
    x[0, 1], x[1, 3] = value, value
    return x


CASES = [
    Case(layers.Permute, {"dims": (3, 1, 2)}, IMAGE, {}, lambda x: x.transpose(0, 3, 1, 2)),
    Case(layers.RepeatVector, {"n": 3}, normal(2, 4), {}, lambda x: np.stack([x] * 3, 1)),
    Case(layers.Identity, {}, SEQUENCE, {}, lambda x: x),
    Case(layers.Lambda, {"function": "relu", "arguments": {"max_value": 0.5}}, SEQUENCE, {}, lambda x: x.clip(0, 0.5)),
    Case(layers.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, SEQUENCE, {}, lambda x: x),
    Case(layers.Masking, {}, with_steps_of(0.0), {}, lambda x: masked(x, 0.0)),
    Case(layers.Masking, {"mask_value": 9.0}, with_steps_of(9.0), {}, lambda x: masked(x, 9.0)),
    Case(layers.Cropping1D, {"cropping": (1, 2)}, SEQUENCE, {}, lambda x: x[:, 1:-2]),
    Case(layers.Cropping2D, {"cropping": ((1, 0), (2, 1))}, IMAGE, {}, lambda x: x[:, 1:, 2:-1]),
    Case(layers.Cropping2D, {"cropping": 1, **FIRST}, normal(2, 3, 6, 5), {}, lambda x: x[:, :, 1:-1, 1:-1]),
    Case(layers.Cropping3D, {"cropping": (1, 0, 2)}, VOLUME, {}, lambda x: x[:, 1:-1, :, 2:-2]),
    Case(
        layers.Cropping3D, {"cropping": 1, **FIRST}, normal(2, 2, 4, 5, 6), {}, lambda x: x[:, :, 1:-1, 1:-1, 1:-1]
    ),
    Case(layers.ZeroPadding1D, {"padding": (2, 1)}, SEQUENCE, {}, lambda x: padded(x, (2, 1))),
    Case(layers.ZeroPadding1D, {"padding": 1, **FIRST}, SEQUENCE, {}, first(lambda x: padded(x, (1, 1)))),
    Case(layers.ZeroPadding2D, {"padding": ((1, 0), (2, 1))}, IMAGE, {}, lambda x: padded(x, (1, 0), (2, 1))),
    Case(layers.ZeroPadding2D, {"padding": (0, 1), **FIRST}, IMAGE, {}, first(lambda x: padded(x, (0, 0), (1, 1)))),
    Case(layers.ZeroPadding3D, {"padding": (1, 0, 2)}, VOLUME, {}, lambda x: padded(x, (1, 1), (0, 0), (2, 2))),
    Case(layers.ZeroPadding3D, {**FIRST}, VOLUME, {}, first(lambda x: padded(x, (1, 1), (1, 1), (1, 1)))),
    Case(layers.UpSampling1D, {"size": 3}, SEQUENCE, {}, lambda x: repeated(x, 3)),
    Case(layers.UpSampling2D, {"size": (2, 3)}, IMAGE, {}, lambda x: repeated(x, 2, 3)),
    Case(layers.UpSampling2D, {**FIRST}, IMAGE, {}, first(lambda x: repeated(x, 2, 2))),
    Case(
        layers.UpSampling2D,
        {"size": (2, 3), "interpolation": "bilinear"},
        IMAGE,
        {},
        lambda x: linear(x, (2, 3)),
    ),
    Case(
        layers.UpSampling2D,
        {"size": (3, 1), "interpolation": "bilinear", **FIRST},
        IMAGE,
        {},
        first(lambda x: linear(x, (3, 1))),
    ),
    Case(layers.UpSampling3D, {"size": (2, 1, 3)}, VOLUME, {}, lambda x: repeated(x, 2, 1, 3)),
    Case(layers.UpSampling3D, {**FIRST}, VOLUME, {}, first(lambda x: repeated(x, 2, 2, 2))),
]  # fmt: skip
