"""Pooling by shifted slices; of equal elements the first one wins."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.windows import Pads, Sizes, count_of_all, counts, cropped, output_size, padded, taps
from lamina_arrayapi.writing import add


def lowest(xp: Any, dtype: Any) -> Any:
    """What never wins."""
    return xp.iinfo(dtype).min if xp.isdtype(dtype, "integral") else float("-inf")


def elements_counted(
    xp: Any, dtype: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes
) -> Any:
    """How many elements each window has that are not padding: a number, or an array to broadcast with the result."""
    found = counts(size, window, strides, pads, dilations)
    number = count_of_all(found)
    if number is not None:
        return number
    result = xp.ones((1,), dtype=dtype)
    for i, axis in enumerate(found):
        shape = (len(axis),) + (1,) * (len(found) - i)
        result = result * xp.reshape(xp.asarray(axis, dtype=dtype), shape)
    return result


def make(xp: Any) -> KernelTable:
    return KernelTable.merge(_extremes(xp), _averages(xp))


def _extremes(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("window_max")
    def window_max(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
        image = padded(xp, x, pads, lowest(xp, x.dtype))
        output = output_size(image.shape[1:-1], window, strides, dilations)
        y = None
        for _, place in taps(window, output, strides, dilations):
            y = xp.asarray(image[place], copy=True) if y is None else xp.maximum(y, image[place])
        return y

    def winners(
        x: Any, y: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes
    ) -> tuple[Any, list[tuple[Any, Any]]]:
        """For each slice a mask of the windows whose first largest element lies there."""
        image = padded(xp, x, pads, lowest(xp, x.dtype))
        free = xp.ones(y.shape, dtype=xp.bool)
        found = []
        for _, place in taps(window, y.shape[1:-1], strides, dilations):
            value = image[place]
            wins = free & ((value == y) | (value != value))
            free = free & ~wins
            found.append((place, wins))
        return image, found

    @kernels("window_max_gradient")
    def window_max_gradient(
        dy: Any, x: Any, y: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes
    ) -> Any:
        image, found = winners(x, y, window, strides, pads, dilations)
        dx = xp.zeros(image.shape, dtype=dy.dtype)
        for place, wins in found:
            dx = add(xp, dx, place, xp.where(wins, dy, xp.zeros((), dtype=dy.dtype)))
        return cropped(dx, pads)

    @kernels("window_max_pick")
    def window_max_pick(v: Any, x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
        y = window_max(x, window, strides, pads, dilations)
        _, found = winners(x, y, window, strides, pads, dilations)
        values = padded(xp, v, pads)
        picked = xp.zeros(y.shape, dtype=v.dtype)
        for place, wins in found:
            picked = xp.where(wins, values[place], picked)
        return picked

    return kernels


def _averages(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("window_mean")
    def window_mean(x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
        image = padded(xp, x, pads)
        output = output_size(image.shape[1:-1], window, strides, dilations)
        y = xp.zeros((x.shape[0], *output, x.shape[-1]), dtype=x.dtype)
        for _, place in taps(window, output, strides, dilations):
            y += image[place]
        count = elements_counted(xp, x.dtype, x.shape[1:-1], window, strides, pads, dilations)
        return y / count if not isinstance(count, int) or count else y + float("nan")

    @kernels("window_mean_gradient")
    def window_mean_gradient(dy: Any, size: Sizes, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Any:
        count = elements_counted(xp, dy.dtype, size, window, strides, pads, dilations)
        share = dy / (max(count, 1) if isinstance(count, int) else xp.where(count == 0, xp.ones_like(count), count))
        around = tuple(s + sum(pad) for s, pad in zip(size, pads, strict=True))
        dx = xp.zeros((dy.shape[0], *around, dy.shape[-1]), dtype=dy.dtype)
        for _, place in taps(window, dy.shape[1:-1], strides, dilations):
            dx = add(xp, dx, place, share)
        return cropped(dx, pads)

    return kernels
