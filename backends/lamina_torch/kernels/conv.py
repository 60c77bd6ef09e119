"""Convolution by torch's own, through channels-first views of channels-last memory."""

from __future__ import annotations

import math
from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]
_INPUT, _KERNEL = [True, False, False], [False, True, False]


def channels_first(x: Any) -> Any:
    """An image (batch, axes..., channels) as torch sees it, without moving an element."""
    return x.movedim(-1, 1)


def channels_last(x: Any) -> Any:
    """The reverse of ``channels_first``."""
    return x.movedim(1, -1)


def filters_first(kernel: Any) -> Any:
    """A kernel (axes..., channels, filters) as torch sees it."""
    return kernel.permute(kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))


def with_pads(x: Any, pads: Pads, value: float = 0.0) -> Any:
    """A channels-first image with a border of a constant value."""
    around = [size for pad in reversed(pads) for size in pad]
    return torch.constant_pad_nd(x, around, value) if any(around) else x


def even(pads: Pads) -> Sizes | None:
    """The padding as one number for each axis if both sides have the same, for torch to add by itself."""
    return tuple(a for a, _ in pads) if all(a == b for a, b in pads) else None


def output_size(size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Sizes:
    """How many positions a window has in an image."""
    return tuple(
        max(0, (s + sum(pad) - d * (w - 1) - 1) // stride + 1)
        for s, w, stride, pad, d in zip(size, window, strides, pads, dilations, strict=True)
    )


@kernels("convolution")
def convolution(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Any:
    output = output_size(x.shape[1:-1], kernel.shape[:-2], strides, pads, dilations)
    if not all(output) or not x.numel() or not kernel.numel():
        return x.new_zeros((x.shape[0], *output, kernel.shape[-1]))
    image, padding = channels_first(x), even(pads)
    if padding is None:
        image, padding = with_pads(image, pads), (0,) * len(pads)
    none = (0,) * len(pads)
    y = torch.convolution(image, filters_first(kernel), None, strides, padding, dilations, False, none, groups)
    return channels_last(y)


@kernels("convolution_input_gradient")
def convolution_input_gradient(
    dy: Any, kernel: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int
) -> Any:
    channels = kernel.shape[-2] * groups
    if not dy.numel() or not kernel.numel():
        return dy.new_zeros((dy.shape[0], *size, channels))
    padding = even(pads)
    shape = size if padding else tuple(s + sum(pad) for s, pad in zip(size, pads, strict=True))
    image = dy.new_empty((dy.shape[0], *shape, channels))  # only its shape and layout are looked at
    dx = _backward(dy, image, filters_first(kernel), strides, padding, dilations, groups, _INPUT)[0]
    dx = channels_last(dx)
    if not padding:
        for i, (s, (before, _)) in enumerate(zip(size, pads, strict=True)):
            dx = dx.narrow(i + 1, before, s)
    return dx


@kernels("convolution_kernel_gradient")
def convolution_kernel_gradient(
    x: Any, dy: Any, size: Sizes, strides: Sizes, pads: Pads, dilations: Sizes, groups: int
) -> Any:
    shape = (*size, x.shape[-1] // groups, dy.shape[-1])
    if not dy.numel() or not x.numel() or not math.prod(shape):
        return x.new_zeros(shape)
    padding = even(pads)
    image = x if padding else channels_last(with_pads(channels_first(x), pads))
    kernel = x.new_empty((dy.shape[-1], shape[-2], *size))  # only its shape is looked at, and some want it contiguous
    dk = _backward(dy, image, kernel, strides, padding, dilations, groups, _KERNEL)[1]
    return dk.permute(*range(2, dk.ndim), 1, 0)


def _backward(
    dy: Any, x: Any, kernel: Any, strides: Sizes, padding: Sizes | None, dilations: Sizes, groups: int,
    wanted: list[bool],
) -> Any:  # fmt: skip
    none = (0,) * len(strides)
    return torch.ops.aten.convolution_backward(
        channels_first(dy), channels_first(x), kernel, None,
        strides, padding or none, dilations, False, none, groups, wanted,
    )  # fmt: skip
