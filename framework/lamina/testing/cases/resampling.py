"""Resizing with the kernels of Keras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.inputs import complex_normal, empty, ints, non_contiguous, normal
from lamina.testing.table import case


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


def _weight(x: float, interpolation: str) -> float:
    x = abs(x)
    if interpolation == "bilinear":
        return max(0.0, 1.0 - x)
    if interpolation == "bicubic":
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1.0
        return -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0 if x < 2 else 0.0
    lobes = int(interpolation[-1])
    return _sinc(x) * _sinc(x / lobes) if x < lobes else 0.0


def _along(x: Any, axis: int, new: int, interpolation: str, antialias: bool) -> Any:
    old = x.shape[axis]
    if interpolation == "nearest":
        return x.take([math.floor((i + 0.5) * old / new) for i in range(new)], axis)
    wide = max(old / new, 1.0) if antialias else 1.0
    rows = [[_weight(((i + 0.5) * old / new - 0.5 - j) / wide, interpolation) for j in range(old)] for i in range(new)]
    matrix = np.array(rows) / np.sum(rows, 1, keepdims=True)
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


def _resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False, data_format: str = "channels_last"
) -> Any:
    axes = (-3, -2) if data_format == "channels_last" else (-2, -1)
    for axis, new in zip(axes, size, strict=True):
        images = _along(images, axis, new, interpolation, antialias)
    return images


for _interpolation in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
    case("resize", [normal(2, 3, 4, 2), (5, 3), _interpolation], reference=_resize)
    case("resize", [normal(2, 7, 4, 2), (3, 4), _interpolation, True], reference=_resize)
    case("resize", [normal(2, 4, 3), (2, 7), _interpolation, False, "channels_first"], reference=_resize)
case("resize", [non_contiguous(2, 3, 4, 2), (4, 4)], reference=_resize)
case("resize", [normal(1, 1, 1, 1), (2, 2)], reference=_resize)
case("resize", [empty(0, 3, 4, 2), (2, 2)], reference=_resize)
case("resize", [ints(2, 2, 1), (3, 3)], reference=lambda x, size: _resize(x.astype(float), size))
case("resize", [normal(2, 2), (2, 2)], raises=ShapeError)
case("resize", [empty(1, 0, 2, 1), (2, 2)], raises=ShapeError)
case("resize", [normal(2, 2, 1), (0, 2)], raises=ArgumentError)
case("resize", [normal(2, 2, 1), (2, 2), "area"], raises=ArgumentError)
case("resize", [normal(2, 2, 1), (2, 2), "nearest", False, "first"], raises=ArgumentError)
case("resize", [complex_normal(2, 2, 1), (3, 3)], raises=DTypeError)
