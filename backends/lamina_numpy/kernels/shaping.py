"""Join and pad into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("concat", out=True)
def concat(*tensors: Any, axis: int, out: Any = None) -> Any:
    return np.concatenate(tensors, axis, out)


@kernels("flip", out=True)
def flip(x: Any, axis: tuple[int, ...], out: Any = None) -> Any:
    if out is None:
        return np.flip(x, axis).copy()  # a view would need its argument's memory after the last use that is known of
    out[...] = np.flip(x, axis)
    return out


@kernels("pad", out=True)
def pad(x: Any, paddings: tuple[tuple[int, int], ...], constant_value: float, out: Any = None) -> Any:
    if out is None:
        out = np.empty(tuple(b + s + a for s, (b, a) in zip(x.shape, paddings, strict=True)), x.dtype)
    out[...] = constant_value
    out[tuple(slice(b, b + s) for s, (b, _) in zip(x.shape, paddings, strict=True))] = x
    return out
