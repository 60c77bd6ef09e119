"""Convolution by torch's own, through channels-first views of channels-last memory."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
_INPUT, _KERNEL = [True, False, False], [False, True, False]


def channels_first(x: Any) -> Any:
    """An image (batch, height, width, channels) as torch sees it, without moving an element."""
    return x.permute(0, 3, 1, 2)


def channels_last(x: Any) -> Any:
    """The reverse of ``channels_first``."""
    return x.permute(0, 2, 3, 1)


def filters_first(kernel: Any) -> Any:
    """A kernel (height, width, channels, filters) as torch sees it."""
    return kernel.permute(3, 2, 0, 1)


def with_pads(x: Any, pads: Pads, value: float = 0.0) -> Any:
    """A channels-first image with a border of a constant value."""
    (top, bottom), (left, right) = pads
    return torch.constant_pad_nd(x, [left, right, top, bottom], value) if top or bottom or left or right else x


def even(pads: Pads) -> Pair | None:
    """The padding as one number for each axis if both sides have the same, for torch to add by itself."""
    (top, bottom), (left, right) = pads
    return (top, left) if top == bottom and left == right else None


def output_size(size: Pair, window: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Pair:
    """How many positions a window has in an image."""
    rows, columns = (
        max(0, (size[i] + sum(pads[i]) - dilations[i] * (window[i] - 1) - 1) // strides[i] + 1) for i in range(2)
    )
    return rows, columns


@kernels("conv2d")
def conv2d(x: Any, kernel: Any, strides: Pair, pads: Pads, dilations: Pair) -> Any:
    output = output_size(x.shape[1:3], kernel.shape[:2], strides, pads, dilations)
    if not all(output) or not x.numel() or not kernel.numel():
        return x.new_zeros((x.shape[0], *output, kernel.shape[3]))
    image, padding = channels_first(x), even(pads)
    if padding is None:
        image, padding = with_pads(image, pads), (0, 0)
    y = torch.convolution(image, filters_first(kernel), None, strides, padding, dilations, False, (0, 0), 1)
    return channels_last(y)


@kernels("conv2d_input_gradient")
def conv2d_input_gradient(dy: Any, kernel: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Any:
    (top, bottom), (left, right) = pads
    if not dy.numel() or not kernel.numel():
        return dy.new_zeros((dy.shape[0], *size, kernel.shape[2]))
    padding = even(pads)
    shape = size if padding else (size[0] + top + bottom, size[1] + left + right)
    image = dy.new_empty((dy.shape[0], *shape, kernel.shape[2]))  # only its shape and layout are looked at
    dx = _backward(dy, image, kernel, strides, padding or (0, 0), dilations, _INPUT)[0]
    dx = channels_last(dx)
    return dx if padding else dx[:, top : top + size[0], left : left + size[1]]


@kernels("conv2d_kernel_gradient")
def conv2d_kernel_gradient(x: Any, dy: Any, size: Pair, strides: Pair, pads: Pads, dilations: Pair) -> Any:
    kernel = x.new_empty((*size, x.shape[3], dy.shape[3]))
    if not dy.numel() or not x.numel() or not kernel.numel():
        return kernel.zero_()
    padding = even(pads)
    image = x if padding else channels_last(with_pads(channels_first(x), pads))
    dk = _backward(dy, image, kernel, strides, padding or (0, 0), dilations, _KERNEL)[1]
    return dk.permute(2, 3, 1, 0)


def _backward(dy: Any, x: Any, kernel: Any, strides: Pair, padding: Pair, dilations: Pair, wanted: list[bool]) -> Any:
    return torch.ops.aten.convolution_backward(
        channels_first(dy), channels_first(x), filters_first(kernel), None,
        strides, padding, dilations, False, (0, 0), 1, wanted,
    )  # fmt: skip
