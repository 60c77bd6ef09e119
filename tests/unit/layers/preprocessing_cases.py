"""Cases of layers that prepare data."""

from __future__ import annotations

import numpy as np

from lamina import layers
from unit.layers.image_cases import FIRST, Array, first
from unit.layers.layer_case import Case, normal

IMAGE = normal(2, 6, 5, 3)
TOKENS = np.array([[0, 2, 2], [1, 0, 3]], np.int32)


def linear(x: Array, height: int, width: int) -> Array:
    """Between the centres of pixels, and constant beyond the outermost."""
    for axis, new in ((1, height), (2, width)):
        size = x.shape[axis]
        places = np.clip((np.arange(new) + 0.5) * size / new - 0.5, 0, size - 1)
        x = np.apply_along_axis(lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, x)
    return x


def hot(x: Array) -> Array:
    return np.eye(4, dtype=np.float32)[x]


CASES = [
    Case(layers.Rescaling, {"scale": 0.5, "offset": -1.0}, IMAGE, {}, lambda x: x * 0.5 - 1.0),
    Case(layers.Rescaling, {"scale": [1.0, 2.0, 3.0]}, IMAGE, {}, lambda x: x * np.array([1.0, 2.0, 3.0])),
    Case(layers.Resizing, {"height": 3, "width": 7}, IMAGE, {}, lambda x: linear(x, 3, 7)),
    Case(
        layers.Resizing,
        {"height": 2, "width": 4, "crop_to_aspect_ratio": True},
        IMAGE,
        {},
        lambda x: linear(x[:, 2:4], 2, 4),
    ),
    Case(
        layers.Resizing,
        {"height": 4, "width": 4, "pad_to_aspect_ratio": True, "fill_value": 2.0, **FIRST},
        np.moveaxis(IMAGE, -1, 1).copy(),
        {},
        first(lambda x: linear(np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=2.0), 4, 4)),
    ),
    Case(layers.CenterCrop, {"height": 3, "width": 5}, IMAGE, {}, lambda x: x[:, 1:4]),
    Case(layers.CenterCrop, {"height": 8, "width": 4, **FIRST}, np.moveaxis(IMAGE, -1, 1).copy(), {}, first(
        lambda x: linear(x[:, :, 1:4], 8, 4))),
    Case(layers.RandomWidth, {"factor": (0.0, 0.0), "seed": 1}, IMAGE, {}, lambda x: x),
    Case(
        layers.Discretization,
        {"bin_boundaries": [0.5, 1.0, 2.5], "output_mode": "count"},
        TOKENS,
        {},
        lambda x: hot(np.digitize(x, [0.5, 1.0, 2.5])).sum(-2),
    ),
    Case(layers.CategoryEncoding, {"num_tokens": 4}, TOKENS, {}, lambda x: hot(x).max(-2)),
    Case(layers.CategoryEncoding, {"num_tokens": 4, "output_mode": "one_hot"}, TOKENS, {}, hot),
    Case(layers.CategoryEncoding, {"num_tokens": 4, "output_mode": "count"}, TOKENS, {}, lambda x: hot(x).sum(-2)),
]  # fmt: skip
