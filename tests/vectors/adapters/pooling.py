"""Pooling: explicit pads name the batch and the channels too, and two results come as an object."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


def _spatial(padding: Any) -> Any:
    """Explicit pads without those of the batch and the channels."""
    return [tuple(pad) for pad in padding[1:-1]] if isinstance(padding, list) else padding


@adapter("maxPool")
def max_pool(x: TensorLike, size: Any, strides: Any, padding: Any, rounding: Any = None) -> Any:
    return lamina.max_pool(x, size, strides, _spatial(padding), rounding)


@adapter("avgPool")
def avg_pool(x: TensorLike, size: Any, strides: Any, padding: Any, rounding: Any = None) -> Any:
    return lamina.avg_pool(x, size, strides, _spatial(padding), rounding)


@adapter("maxPool3d")
def max_pool3d(x: TensorLike, size: Any, strides: Any, padding: Any, rounding: Any = None) -> Any:
    return lamina.max_pool3d(x, size, strides, _spatial(padding), rounding)


@adapter("avgPool3d")
def avg_pool3d(x: TensorLike, size: Any, strides: Any, padding: Any, rounding: Any = None) -> Any:
    return lamina.avg_pool3d(x, size, strides, _spatial(padding), rounding)


@adapter("pool")
def pool(
    x: TensorLike, size: Any, kind: Any, padding: Any, dilations: Any = 1, strides: Any = 1, rounding: Any = None
) -> Any:
    return lamina.pool(x, size, kind, _spatial(padding), dilations, strides, rounding)


@adapter("maxPoolWithArgmax")
def max_pool_with_argmax(x: TensorLike, size: Any, strides: Any, padding: Any, include_batch: Any = False) -> Any:
    found = lamina.max_pool_with_argmax(x, size, strides, _spatial(padding), include_batch)
    return found._asdict()
