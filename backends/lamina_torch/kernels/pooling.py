"""Pooling by torch's own, which also says where the winners are: the first of equal elements, or a NaN.

Torch pools channels first along two or three axes: a sequence is an image of one row.
"""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def channels_first(x: Any) -> Any:
    """An image (batch, spatial axes, channels) as torch sees it, without moving an element."""
    return x.movedim(-1, 1) if x.ndim > 3 else x.movedim(-1, 1).unsqueeze(2)


def channels_last(x: Any, ndim: int) -> Any:
    """The reverse of ``channels_first``."""
    return (x if x.ndim == ndim else x.squeeze(2)).movedim(1, -1)


def with_pads(x: Any, pads: Pads, value: float = 0) -> Any:
    """A channels-first image with a border of a constant value."""
    around = [size for pad in reversed(pads) for size in pad]
    return torch.constant_pad_nd(x, around, value) if any(around) else x


def cropped(x: Any, pads: Pads) -> Any:
    """A channels-last image without its border."""
    for i, (before, after) in enumerate(pads):
        x = x.narrow(i + 1, before, x.shape[i + 1] - before - after) if before or after else x
    return x


def positions(size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Sizes:
    """How many positions a window has along each axis."""
    return tuple(
        max(0, (s + sum(pad) - d * (w - 1) - 1) // stride + 1)
        for s, w, stride, pad, d in zip(size, window, strides, pads, dilations, strict=True)
    )


def _nothing(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Sizes | None:
    """The shape of a result without elements, which torch refuses; None if there are some."""
    shape = (x.shape[0], *positions(x.shape[1:-1], window, strides, pads, dilations), x.shape[-1])
    return None if all(shape) else shape


def _planes(values: Sizes, of_one_row: int = 1) -> Sizes:
    """A setting of a sequence as that of an image of one row."""
    return values if len(values) > 1 else (of_one_row, *values)


def _lowest(dtype: torch.dtype) -> float:
    return float("-inf") if dtype.is_floating_point else torch.iinfo(dtype).min


def _winners(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> tuple[Any, Any, Any]:
    """The padded image, the maxima and their positions, all channels first. On a device torch pools no integers."""
    values = x.to(torch.float64) if x.device.type != "cpu" and not x.dtype.is_floating_point else x
    image = with_pads(channels_first(values), pads, _lowest(x.dtype))
    aten = torch.ops.aten
    find = aten.max_pool3d_with_indices if len(window) == 3 else aten.max_pool2d_with_indices
    size = _planes(window)
    y, places = find(image, size, _planes(strides), (0,) * len(size), _planes(dilations))
    return image, y, places


@kernels("window_max")
def window_max(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    empty = _nothing(x, window, strides, pads, dilations)
    if empty is not None:
        return x.new_zeros(empty)
    return channels_last(_winners(x, window, strides, pads, dilations)[1].to(x.dtype), x.ndim)


@kernels("window_max_gradient")
def window_max_gradient(dy: Any, x: Any, y: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    if not dy.numel():
        return torch.zeros_like(x)
    image, _, places = _winners(x, window, strides, pads, dilations)
    aten, size = torch.ops.aten, _planes(window)
    give = aten.max_pool3d_with_indices_backward if len(window) == 3 else aten.max_pool2d_with_indices_backward
    none = (0,) * len(size)
    dx = give(channels_first(dy), image, size, _planes(strides), none, _planes(dilations), False, places)
    return cropped(channels_last(dx, x.ndim), pads)


@kernels("window_max_pick")
def window_max_pick(v: Any, x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    empty = _nothing(x, window, strides, pads, dilations)
    if empty is not None:
        return v.new_zeros(empty)
    _, _, places = _winners(x, window, strides, pads, dilations)
    values = with_pads(channels_first(v), pads).flatten(2)
    return channels_last(values.gather(2, places.flatten(2)).view(places.shape), x.ndim)


def _counted(x: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    """How many elements that are not padding each window has, channels last without the batch."""
    total = x.new_ones((1,))
    output = positions(size, window, strides, pads, dilations)
    for i, (count, s, w, stride, d) in enumerate(zip(output, size, window, strides, dilations, strict=True)):
        starts = torch.arange(count, device=x.device) * stride - pads[i][0]
        places = starts[:, None] + torch.arange(w, device=x.device) * d
        inside = ((places >= 0) & (places < s)).sum(1).to(x.dtype)
        total = total * inside.view(count, *(1,) * (len(output) - i))
    return total


def _taps(image: Any, output: Sizes, window: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    """For each place in the window a view of the channels-last elements that it meets."""
    views = [image]
    for i, (count, w, stride, d) in enumerate(zip(output, window, strides, dilations, strict=True)):
        views = [
            v[(slice(None),) * (i + 1) + (slice(a * d, a * d + stride * (count - 1) + 1, stride),)]
            for v in views
            for a in range(w)
        ]
    return views


def _even(window: Sizes, pads: Pads, dilations: Sizes) -> Sizes | None:
    """The padding if torch's average pooling takes it: as much behind as before, and no gaps in the window."""
    fits = all(a == b and 2 * a <= w for (a, b), w in zip(pads, window, strict=True))
    return _planes(tuple(a for a, _ in pads), 0) if fits and set(dilations) == {1} else None


@kernels("window_mean")
def window_mean(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    empty = _nothing(x, window, strides, pads, dilations)
    if empty is not None:
        return x.new_zeros(empty)
    padding = _even(window, pads, dilations)
    if len(window) == 3 and x.dtype in (torch.float16, torch.bfloat16):  # torch has none of these in three dimensions
        return window_mean(x.float(), window, strides, pads, dilations).to(x.dtype)
    if padding is not None:
        pool = torch.ops.aten.avg_pool3d if len(window) == 3 else torch.ops.aten.avg_pool2d
        y = pool(channels_first(x), _planes(window), _planes(strides), padding, False, False)
        return channels_last(y, x.ndim)
    output = positions(x.shape[1:-1], window, strides, pads, dilations)
    image = with_pads(x.movedim(-1, 1), pads).movedim(1, -1)
    total = sum(_taps(image, output, window, strides, dilations))
    return total / _counted(x, x.shape[1:-1], window, strides, pads, dilations)


@kernels("window_mean_gradient")
def window_mean_gradient(dy: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
    padding = _even(window, pads, dilations)
    if padding is not None and dy.numel():
        image = channels_first(dy.new_empty((dy.shape[0], *size, dy.shape[-1])))  # only its shape is looked at
        aten = torch.ops.aten
        give = aten.avg_pool3d_backward if len(window) == 3 else aten.avg_pool2d_backward
        dx = give(channels_first(dy), image, _planes(window), _planes(strides), padding, False, False, None)
        return channels_last(dx, dy.ndim)
    around = [s + sum(pad) for s, pad in zip(size, pads, strict=True)]
    dx = dy.new_zeros((dy.shape[0], *around, dy.shape[-1]))
    if dy.numel():
        share = dy / _counted(dy, size, window, strides, pads, dilations).clamp(min=1)
        for view in _taps(dx, dy.shape[1:-1], window, strides, dilations):
            view += share
    return cropped(dx, pads)
