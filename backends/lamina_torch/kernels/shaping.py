"""Reshape, transpose, join, split, pad, reverse."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("reshape")
def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


@kernels("transpose")
def transpose(x: Any, axes: tuple[int, ...]) -> Any:
    return x.permute(axes)


@kernels("broadcast_to")
def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    return x.expand(shape)


@kernels("concat")
def concat(*tensors: Any, axis: int) -> Any:
    return torch.cat(tensors, axis)


@kernels("split")
def split(x: Any, sizes: tuple[int, ...], axis: int) -> Any:
    return torch.split(x, sizes, axis) if sizes else ()


@kernels("pad")
def pad(x: Any, paddings: tuple[tuple[int, int], ...], constant_value: float) -> Any:
    return torch.constant_pad_nd(x, [n for pair in reversed(paddings) for n in pair], constant_value)


@kernels("flip")
def flip(x: Any, axis: tuple[int, ...]) -> Any:
    return torch.flip(x, axis)
