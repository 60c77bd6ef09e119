"""Sums, extremes, tests and positions. For torch an empty tuple of axes means all of them, for lamina none."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
Axes = tuple[int, ...]
SMALL = (torch.bool, torch.int8, torch.uint8, torch.int16)


@kernels("sum")
def sum_(x: Any, axis: Axes, keepdims: bool) -> Any:
    dtype = torch.int32 if x.dtype in SMALL else x.dtype
    return torch.sum(x, axis, keepdims, dtype=dtype) if axis else x.to(dtype, copy=True)


@kernels("mean")
def mean(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.mean(x, axis, keepdims) if axis else x.clone()


@kernels("prod")
def prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    y = x.to(torch.int32 if x.dtype is torch.bool else x.dtype, copy=True)
    for a in reversed(axis):
        y = torch.prod(y, a, keepdims, dtype=y.dtype)
    return y


@kernels("max")
def max_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.amax(x, axis, keepdims) if axis else x.clone()


@kernels("min")
def min_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.amin(x, axis, keepdims) if axis else x.clone()


@kernels("all")
def all_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.all(x, axis, keepdims) if axis else x.clone()


@kernels("any")
def any_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.any(x, axis, keepdims) if axis else x.clone()


@kernels("argmax")
def argmax(x: Any, axis: int) -> Any:
    return torch.argmax(_ordered(x), axis).to(torch.int32)


@kernels("argmin")
def argmin(x: Any, axis: int) -> Any:
    return torch.argmin(_ordered(x), axis).to(torch.int32)


def _ordered(x: Any) -> Any:
    """Torch finds no positions in bool."""
    return x.to(torch.uint8) if x.dtype is torch.bool else x


@kernels("variance")
def variance(x: Any, axis: Axes, keepdims: bool) -> Any:
    if not axis or not x.numel():  # torch would take all axes, or warn
        distance = x - x
        return torch.mean(distance, axis, keepdims) if axis else torch.square(distance)
    return torch.var(x, axis, correction=0, keepdim=keepdims)


@kernels("std")
def std(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.sqrt(variance(x, axis, keepdims))


@kernels("logsumexp")
def logsumexp(x: Any, axis: Axes, keepdims: bool) -> Any:
    """The largest element and the logarithm of 1 and the others, so that small ones keep their digits."""
    if not axis or not x.numel():
        return torch.logsumexp(x, axis, keepdims) if axis else x.clone()
    peak = torch.amax(x, axis, True)
    largest = x == peak
    others = torch.exp(x - peak).masked_fill_(largest, 0.0).sum(axis, True)
    total = torch.log1p(others + (largest.sum(axis, True) - 1))
    y = torch.where(torch.isfinite(peak), total + peak, peak)
    return y if keepdims else y.squeeze(axis)
