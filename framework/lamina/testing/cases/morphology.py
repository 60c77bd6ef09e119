"""Cases of morphology, against loops over every window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.cases.pooling import patches, windows
from lamina.testing.inputs import distinct, empty, ints, non_contiguous, normal
from lamina.testing.table import case


def dilation2d(x: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", dilations: Any = 1) -> Any:
    images = x if x.ndim == 4 else x[None]
    settings = windows(images.shape[1:3], kernel.shape[:2], strides, padding, dilations)
    steps, spread, around = settings["strides"], settings["dilations"], settings["pads"]
    found = {}
    for place, elements in patches(images, **settings):
        starts = [i * s - p for i, s, (p, _) in zip(place[1:-1], steps, around, strict=True)]
        taps = [[(e - s) // d for e, s, d in zip(element[1:-1], starts, spread, strict=True)] for element in elements]
        found[place] = max(
            x + kernel[(*tap, place[-1])] for x, tap in zip((images[e] for e in elements), taps, strict=True)
        )
    y = np.zeros(tuple(max(axis) + 1 for axis in zip(*found, strict=True)))
    for place, value in found.items():
        y[place] = value
    return y if x.ndim == 4 else y[0]


for _strides, _padding, _dilations in itertools.product((1, (2, 1)), ("valid", "same"), (1, (2, 2))):
    case("dilation2d", [distinct(2, 5, 5, 2), normal(2, 3, 2)], strides=_strides, padding=_padding,
         dilations=_dilations, reference=dilation2d, smooth=False)  # fmt: skip
case("dilation2d", [distinct(4, 5, 2), normal(2, 2, 2)], padding=((1, 0), (0, 1)), reference=dilation2d, smooth=False)
case("dilation2d", [distinct(1, 1, 1, 1), normal(1, 1, 1)], reference=dilation2d)
case("dilation2d", [non_contiguous(1, 3, 4, 2), non_contiguous(2, 2, 2)], reference=dilation2d, smooth=False)
case("dilation2d", [empty(0, 4, 4, 1), normal(2, 2, 1)], reference=lambda x, kernel: np.zeros((0, 3, 3, 1)))
case("dilation2d", [normal(1, 2, 2, 1), normal(3, 3, 1)], reference=lambda x, kernel: np.zeros((1, 0, 0, 1)))
case("dilation2d", [normal(4), normal(2, 2, 1)], raises=ShapeError)
case("dilation2d", [normal(1, 4, 4, 1), normal(2, 2)], raises=ShapeError)
case("dilation2d", [normal(1, 4, 4, 1), normal(2, 2, 2)], raises=ShapeError)
case("dilation2d", [normal(1, 4, 4, 1), normal(2, 2, 1)], padding="full", raises=ArgumentError)
case("dilation2d", [normal(1, 4, 4, 1), normal(2, 2, 1)], strides=0, raises=ArgumentError)
case("dilation2d", [ints(1, 4, 4, 1), ints(2, 2, 1)], raises=DTypeError)
