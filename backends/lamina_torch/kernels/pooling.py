"""Max pooling by torch's own, which also says where the winners are: the first of equal elements, or a NaN."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_torch.kernels.conv import Pads, Pair, channels_first, channels_last, output_size, with_pads

kernels = KernelTable()
LOWEST = float("-inf")


def _winners(x: Any, window: Pair, strides: Pair, pads: Pads) -> tuple[Any, Any, Any]:
    """The padded image, the maxima and their positions, all channels first."""
    image = with_pads(channels_first(x), pads, LOWEST)
    y, places = torch.ops.aten.max_pool2d_with_indices(image, window, strides)
    return image, y, places


def _nothing(x: Any, window: Pair, strides: Pair, pads: Pads) -> tuple[int, ...] | None:
    """The shape of a result without elements, which torch refuses; None if there are some."""
    shape = (x.shape[0], *output_size(x.shape[1:3], window, strides, pads, (1, 1)), x.shape[3])
    return None if all(shape) else shape


@kernels("max_pool2d")
def max_pool2d(x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
    empty = _nothing(x, window, strides, pads)
    return channels_last(_winners(x, window, strides, pads)[1]) if empty is None else x.new_zeros(empty)


@kernels("max_pool2d_gradient")
def max_pool2d_gradient(dy: Any, x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
    if _nothing(x, window, strides, pads) is not None:
        return torch.zeros_like(x)
    image, _, places = _winners(x, window, strides, pads)
    dx = torch.ops.aten.max_pool2d_with_indices_backward(
        channels_first(dy), image, window, strides, (0, 0), (1, 1), False, places
    )
    (top, _), (left, _) = pads
    return channels_last(dx)[:, top : top + x.shape[1], left : left + x.shape[2]]


@kernels("max_pool2d_pick")
def max_pool2d_pick(v: Any, x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
    empty = _nothing(x, window, strides, pads)
    if empty is not None:
        return v.new_zeros(empty)
    _, _, places = _winners(x, window, strides, pads)
    values = with_pads(channels_first(v), pads).flatten(2)
    return channels_last(values.gather(2, places.flatten(2)).view(places.shape))
