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


def convolved_to_magnitudes(x: Array, real: Array, imag: Array) -> Array:
    """The root of the sum of squares of two convolutions of each channel; frequencies behind channels."""
    frames = np.stack([x[:, i : i + 6] for i in range(0, x.shape[1] - 5, 3)], 1)
    parts = [np.einsum("bftc,tk->bfck", frames, kernel[:, 0]) for kernel in (real, imag)]
    found = np.hypot(*parts)
    return found.reshape(*found.shape[:2], -1)


def transformed(x: Array) -> Array:
    """The magnitudes of frames of 6 samples, 3 apart, by a symmetric window; frequencies behind channels."""
    window = np.hanning(6) / np.sqrt(np.sum(np.hanning(6) ** 2))
    frames = np.stack([x[:, i : i + 6] for i in range(0, x.shape[1] - 5, 3)], 1)
    found = np.abs(np.fft.rfft(frames * window[:, None], 8, axis=2)).swapaxes(2, 3)
    return found.reshape(*found.shape[:2], -1)


def heard(x: Array) -> Array:
    """Frames of 12 samples of 16, 4 apart, in 4 ranges from 20 to 400 Hz, in decibels."""
    window = np.pad(np.hanning(13)[:-1], 2)
    sound = np.pad(x.astype(np.float64), ((0, 0), (8, 8)), "reflect")
    frames = np.stack([sound[:, i : i + 16] for i in range(0, sound.shape[1] - 15, 4)], 1)
    mel = 1127 * np.log(1 + np.linspace(0, 400, 9)[1:, None] / 700)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 400 / 700), 6)
    sides = (mel - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - mel) / np.diff(edges)[1:]
    power = np.abs(np.fft.rfft(frames * window))[..., 1:] ** 2 @ np.maximum(0, np.minimum(*sides))
    return 10 * np.log10(np.maximum(power, 1e-10)).swapaxes(1, 2)


CASES = [
    Case(
        layers.STFTSpectrogram,
        {"mode": "magnitude", "frame_length": 6, "fft_length": 8, "frame_step": 3},
        normal(2, 20, 3),
        {"real_kernel": (6, 1, 5), "imag_kernel": (6, 1, 5)},
        convolved_to_magnitudes,
    ),
    Case(
        layers.MelSpectrogram,
        {"fft_length": 16, "sequence_stride": 4, "sequence_length": 12, "sampling_rate": 800, "num_mel_bins": 4},
        normal(2, 40),
        {},
        heard,
    ),
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
        normal(2, 3, 7, 4),
        {},
        first(lambda x: linear(np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)), constant_values=2.0), 4, 4)),
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
