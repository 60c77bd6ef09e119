"""Cases of layers on sequences, images and volumes, with references written window by window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lamina import layers
from unit.layers.layer_case import Case, normal

Array = np.ndarray[Any, Any]


def first(function: Any) -> Any:
    """A reference for channels_last applied to channels_first."""
    return lambda x, *weights: np.moveaxis(function(np.moveaxis(x, 1, -1), *weights), -1, 1)


def spread(value: Any, count: int) -> tuple[int, ...]:
    return (value,) * count if isinstance(value, int) else tuple(value)


def padded(x: Array, pads: Any) -> Array:
    return np.pad(x, ((0, 0), *pads, (0, 0)))


def convolved(x: Array, kernel: Array, bias: Any = 0.0, strides: Any = 1, dilation: Any = 1, groups: int = 1) -> Array:
    """Valid convolution along any number of axes, channels last."""
    count = x.ndim - 2
    strides, dilation = spread(strides, count), spread(dilation, count)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    sizes = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:], reach, strides, strict=False)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-1]))
    channels, filters = kernel.shape[-2], kernel.shape[-1] // groups
    for at in np.ndindex(*sizes):
        window = tuple(slice(i * s, i * s + r, d) for i, s, r, d in zip(at, strides, reach, dilation, strict=True))
        patch = x[(slice(None), *window)]
        for g in range(groups):
            part = patch[..., g * channels : (g + 1) * channels].reshape(x.shape[0], -1)
            chosen = slice(g * filters, (g + 1) * filters)
            y[(slice(None), *at, chosen)] = part @ kernel[..., chosen].reshape(-1, filters)
    return y + bias


def transposed(x: Array, kernel: Array, bias: Any, sizes: Any, strides: Any, starts: Any = None) -> Array:
    """Every input element adds the kernel; ``starts`` are cut off in front, and the rest at ``sizes``."""
    count = x.ndim - 2
    strides, starts = spread(strides, count), starts or (0,) * count
    window = kernel.shape[:count]
    axes = zip(x.shape[1:-1], strides, window, sizes, starts, strict=True)
    whole = [max(n * s + k, size + b) for n, s, k, size, b in axes]
    y = np.zeros((x.shape[0], *whole, kernel.shape[-2]))
    for at in np.ndindex(*x.shape[1:-1]):
        places = tuple(slice(i * s, i * s + k) for i, s, k in zip(at, strides, window, strict=True))
        y[(slice(None), *places)] += np.einsum("bc,...fc->b...f", x[(slice(None), *at)], kernel)
    return y[(slice(None), *(slice(b, b + n) for b, n in zip(starts, sizes, strict=True)))] + bias


def by_depth(x: Array, kernel: Array, bias: Any = 0.0, **settings: Any) -> Array:
    channels, multiplier = kernel.shape[-2:]
    grouped = kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier)
    return convolved(x, grouped, bias, groups=channels, **settings)


def separable(x: Array, depthwise: Array, pointwise: Array, bias: Any = 0.0) -> Array:
    return convolved(by_depth(x, depthwise), pointwise, bias)


def pooled(x: Array, reduce: Any, size: Any = 2, strides: Any = None) -> Array:
    count = x.ndim - 2
    size = spread(size, count)
    strides = size if strides is None else spread(strides, count)
    sizes = [(n - w) // s + 1 for n, w, s in zip(x.shape[1:], size, strides, strict=False)]
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]))
    for at in np.ndindex(*sizes):
        window = tuple(slice(i * s, i * s + w) for i, s, w in zip(at, strides, size, strict=True))
        y[(slice(None), *at)] = reduce(x[(slice(None), *window)], tuple(range(1, count + 1)))
    return y


def adapted(x: Array, reduce: Any, sizes: tuple[int, ...]) -> Array:
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]))
    for at in np.ndindex(*sizes):
        window = tuple(slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(at, x.shape[1:], sizes, strict=False))
        y[(slice(None), *at)] = reduce(x[(slice(None), *window)], tuple(range(1, x.ndim - 1)))
    return y


def kernels(*shape: int, bias: int = 0, name: str = "kernel") -> dict[str, tuple[int, ...]]:
    return {name: shape, **({"bias": (bias,)} if bias else {})}


SEQUENCE, IMAGE, VOLUME = normal(2, 7, 4), normal(2, 6, 5, 4), normal(2, 4, 5, 4, 2)
FIRST = {"data_format": "channels_first"}

CONVOLUTIONS = [
    Case(layers.Conv1D, {"filters": 3, "kernel_size": 3}, SEQUENCE, kernels(3, 4, 3, bias=3), convolved),
    Case(
        layers.Conv1D,
        {"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        SEQUENCE,
        kernels(2, 4, 3, bias=3),
        lambda x, k, b: convolved(padded(x, [(2, 0)]), k, b, dilation=2),
    ),
    Case(
        layers.Conv1D,
        {"filters": 6, "kernel_size": 2, "strides": 2, "groups": 2, **FIRST},
        normal(2, 4, 7),
        kernels(2, 2, 6, bias=6),
        first(lambda x, k, b: convolved(x, k, b, strides=2, groups=2)),
    ),
    Case(
        layers.Conv2D,
        {"filters": 6, "kernel_size": (3, 2), "groups": 2, "strides": 2, "dilation_rate": (1, 2)},
        IMAGE,
        kernels(3, 2, 2, 6, bias=6),
        lambda x, k, b: convolved(x, k, b, strides=2, dilation=(1, 2), groups=2),
    ),
    Case(
        layers.Conv2D,
        {"filters": 3, "kernel_size": 3, "activation": "softmax", **FIRST},
        normal(2, 4, 6, 5),
        kernels(3, 3, 4, 3, bias=3),
        lambda x, *w: softmax(first(convolved)(x, *w)),
    ),
    Case(
        layers.Conv3D,
        {"filters": 3, "kernel_size": 2, "padding": "same"},
        VOLUME,
        kernels(2, 2, 2, 2, 3, bias=3),
        lambda x, k, b: convolved(padded(x, [(0, 1)] * 3), k, b),
    ),
    Case(
        layers.Conv3D,
        {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1), "use_bias": False, **FIRST},
        normal(2, 2, 3, 4, 5),
        kernels(2, 2, 2, 2, 2),
        first(lambda x, k: convolved(x, k, strides=(1, 2, 1))),
    ),
    Case(
        layers.Conv3D,
        {"filters": 2, "kernel_size": (1, 2, 1), "strides": (2, 2, 3), "padding": "same"},
        VOLUME,
        kernels(1, 2, 1, 2, 2, bias=2),
        lambda x, k, b: convolved(padded(x, [(0, 0), (0, 1), (0, 0)]), k, b, strides=(2, 2, 3)),
    ),
    Case(
        layers.Conv1DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2},
        SEQUENCE,
        kernels(3, 3, 4, bias=3),
        lambda x, k, b: transposed(x, k, b, (15,), 2),
    ),
    Case(
        layers.Conv1DTranspose,
        {"filters": 3, "kernel_size": 1, "strides": 2, "output_padding": 1, **FIRST},
        normal(2, 4, 5),
        kernels(1, 3, 4, bias=3),
        first(lambda x, k, b: transposed(x, k, b, (10,), 2)),
    ),
    Case(
        layers.Conv2DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        IMAGE,
        kernels(3, 3, 3, 4, bias=3),
        lambda x, k, b: transposed(x, k, b, (12, 10), 2),
    ),
    Case(
        layers.Conv2DTranspose,
        {"filters": 2, "kernel_size": (4, 3), "strides": 2, "padding": "same", "output_padding": 1, **FIRST},
        normal(2, 3, 4, 3),
        kernels(4, 3, 2, 3, bias=2),
        first(lambda x, k, b: transposed(x, k, b, (7, 6), 2, (1, 0))),
    ),
    Case(
        layers.Conv3DTranspose,
        {"filters": 2, "kernel_size": 2, "strides": (1, 3, 2)},
        normal(2, 2, 3, 2, 2),
        kernels(2, 2, 2, 2, 2, bias=2),
        lambda x, k, b: transposed(x, k, b, (3, 9, 4), (1, 3, 2)),
    ),
    Case(
        layers.Conv3DTranspose,
        {"filters": 2, "kernel_size": (1, 4, 2), "strides": (3, 2, 2), "padding": "same"},
        normal(2, 2, 3, 2, 2),
        kernels(1, 4, 2, 2, 2, bias=2),
        lambda x, k, b: transposed(x, k, b, (6, 6, 4), (3, 2, 2), (0, 1, 0)),
    ),
    Case(
        layers.DepthwiseConv1D,
        {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2},
        SEQUENCE,
        kernels(3, 4, 2, bias=8, name="depthwise_kernel"),
        lambda x, k, b: by_depth(x, k, b, dilation=2),
    ),
    Case(
        layers.DepthwiseConv2D,
        {"kernel_size": (3, 2), "strides": 2},
        IMAGE,
        kernels(3, 2, 4, 1, bias=4, name="depthwise_kernel"),
        lambda x, k, b: by_depth(x, k, b, strides=2),
    ),
    Case(
        layers.DepthwiseConv2D,
        {"kernel_size": 3, "depth_multiplier": 2, "depthwise_regularizer": "l2", **FIRST},
        normal(2, 3, 5, 4),
        kernels(3, 3, 3, 2, bias=6, name="depthwise_kernel"),
        first(by_depth),
    ),
    Case(
        layers.SeparableConv1D,
        {"filters": 3, "kernel_size": 2, "padding": "causal"},
        SEQUENCE,
        {"depthwise_kernel": (2, 4, 1), "pointwise_kernel": (1, 4, 3), "bias": (3,)},
        lambda x, *w: separable(padded(x, [(1, 0)]), *w),
    ),
    Case(
        layers.SeparableConv2D,
        {"filters": 3, "kernel_size": 3, "depth_multiplier": 2, "pointwise_constraint": "non_neg", **FIRST},
        normal(2, 2, 5, 4),
        {"depthwise_kernel": (3, 3, 2, 2), "pointwise_kernel": (1, 1, 4, 3), "bias": (3,)},
        first(separable),
    ),
]


def softmax(x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def _poolings() -> list[Case]:
    """For each rank: windows, whole images and given sizes, the largest elements and averages, both data formats."""
    found = []
    images = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
    for (kind, reduce), rank in itertools.product([("Max", np.max), ("Average", np.mean)], images):
        x = images[rank]
        flipped, axes = np.moveaxis(x, -1, 1).copy(), tuple(range(1, rank + 1))
        windows, whole = getattr(layers, f"{kind}Pooling{rank}D"), getattr(layers, f"Global{kind}Pooling{rank}D")
        adaptive, sizes = getattr(layers, f"Adaptive{kind}Pooling{rank}D"), (3, 2, 4)[:rank]

        def plain(x: Array, reduce: Any = reduce) -> Array:
            return pooled(x, reduce)

        def overlapping(x: Array, reduce: Any = reduce) -> Array:
            return pooled(x, reduce, 3, 1)

        def to_sizes(x: Array, reduce: Any = reduce, sizes: Any = sizes) -> Array:
            return adapted(x, reduce, sizes)

        found += [
            Case(windows, {"pool_size": 2}, x, {}, plain),
            Case(windows, {"pool_size": 3, "strides": 1, **FIRST}, flipped, {}, first(overlapping)),
            Case(windows, {"pool_size": 1, "strides": 2, "padding": "same"}, x, {},
                 lambda x, rank=rank: x[(slice(None), *[slice(None, None, 2)] * rank)]),
            Case(whole, {}, x, {}, lambda x, reduce=reduce, axes=axes: reduce(x, axes)),
            Case(whole, {"keepdims": True, **FIRST}, flipped, {}, first(
                lambda x, reduce=reduce, axes=axes: reduce(x, axes, keepdims=True))),
            Case(adaptive, {"output_size": sizes}, x, {}, to_sizes),
            Case(adaptive, {"output_size": sizes, **FIRST}, flipped, {}, first(to_sizes)),
        ]  # fmt: skip
    return found


CASES = [*CONVOLUTIONS, *_poolings()]
