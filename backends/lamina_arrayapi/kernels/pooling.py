"""Max pooling by shifted slices; of equal elements the first one wins."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.kernels.conv import Pads, Pair, cropped, output_size, padded, taps

LOWEST = float("-inf")


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    def windows(x: Any, window: Pair, strides: Pair, pads: Pads) -> tuple[Any, Pair, list[Any]]:
        image = padded(xp, x, pads, LOWEST)
        output = output_size(image.shape[1:3], window, strides, (1, 1))
        return image, output, [place for _, _, place in taps(window, output, strides, (1, 1))]

    @kernels("max_pool2d")
    def max_pool2d(x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
        image, _, places = windows(x, window, strides, pads)
        y = image[places[0]]
        for place in places[1:]:
            y = xp.maximum(y, image[place])
        return y

    def winners(x: Any, window: Pair, strides: Pair, pads: Pads) -> tuple[Any, list[tuple[Any, Any]]]:
        """For each slice a mask of the windows whose first largest element lies there."""
        image, _, places = windows(x, window, strides, pads)
        y = max_pool2d(x, window, strides, pads)
        free = xp.ones(y.shape, dtype=xp.bool)
        found = []
        for place in places:
            value = image[place]
            wins = free & ((value == y) | xp.isnan(value))
            free = free & ~wins
            found.append((place, wins))
        return image, found

    @kernels("max_pool2d_gradient")
    def max_pool2d_gradient(dy: Any, x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
        image, found = winners(x, window, strides, pads)
        dx = xp.zeros(image.shape, dtype=dy.dtype)
        for place, wins in found:
            dx[place] += xp.where(wins, dy, xp.zeros((), dtype=dy.dtype))
        return cropped(dx, pads)

    @kernels("max_pool2d_pick")
    def max_pool2d_pick(v: Any, x: Any, window: Pair, strides: Pair, pads: Pads) -> Any:
        _, found = winners(x, window, strides, pads)
        values = padded(xp, v, pads)
        picked = xp.zeros(found[0][1].shape, dtype=v.dtype)
        for place, wins in found:
            picked = xp.where(wins, values[place], picked)
        return picked

    return kernels
