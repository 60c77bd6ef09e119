"""Convolution of each channel by itself: a product and a sum per place in the window, over parts that stay in cache.

No matrix product helps here, for each has one row; so the runs that NumPy's loops get are made as long as a row of the
image is, with the kernel repeated along it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina_arrayapi.kernels.windows import padded, taps
from lamina_numpy.gathering import Geometry, Tile
from lamina_numpy.parallel import in_parallel, parts, workers

_PART_ELEMENTS = 128 * 1024
_COSTLY = 16
"""A product here takes as long as so many in a matrix product."""


def convolve(x: Any, kernel: Any, g: Geometry, y: Any) -> None:
    """y becomes the convolution of x with a kernel (window..., 1, channels * multiplier)."""
    places = list(itertools.product(*map(range, g.window)))
    weights = _repeated(kernel.reshape(len(places), g.channels, -1), g)
    multiplier = len(weights[0]) if places else 0
    apart = y.reshape(*y.shape[:-1], g.channels, multiplier)

    def work(some: list[Tile]) -> None:
        total, product = (np.empty(_largest(some, g), x.dtype) for _ in range(2))
        for tile, views in _views(x, g, some):
            shape = apart[tile.place].shape[:-1]
            t, p = (b[: math.prod(shape)].reshape(shape) for b in (total, product))
            for q in range(multiplier):
                for i, view in enumerate(views):
                    np.multiply(view, weights[i][q][: t.shape[-2]], out=p if i else t)
                    if i:
                        np.add(t, p, out=t)
                apart[tile.place][..., q] = t

    if y.size and x.size and places:
        in_parallel(work, _shares(x, g, y))
    else:
        y[...] = 0


def kernel_gradient(x: Any, dy: Any, g: Geometry, dk: Any) -> None:
    """dk becomes the gradient with respect to a kernel (window..., 1, channels * multiplier)."""
    apart = dy.reshape(*dy.shape[:-1], g.channels, -1)
    multiplier = apart.shape[-1]

    def work(some: list[Tile]) -> Any:
        found = np.zeros((math.prod(g.window), g.channels, multiplier), x.dtype)
        product = np.empty(_largest(some, g), x.dtype)
        ones = np.ones(product.size // g.channels, x.dtype)
        for tile, views in _views(x, g, some):
            for q in range(multiplier):
                given = np.ascontiguousarray(apart[tile.place][..., q])
                p = product[: given.size].reshape(given.shape)
                rows = p.reshape(-1, g.channels)
                for i, view in enumerate(views):
                    np.multiply(view, given, out=p)
                    found[i, :, q] += np.matmul(ones[: len(rows)], rows)
        return found

    dk[...] = sum(in_parallel(work, _shares(x, g, dy))).reshape(dk.shape)


def _repeated(kernel: Any, g: Geometry) -> list[list[Any]]:
    """For each place in the window and each of the multiplier's kernels the weights along the last axis."""
    shape = (g.output[-1], g.channels)
    return [[np.ascontiguousarray(np.broadcast_to(k, shape)) for k in place.T] for place in kernel]


def _views(x: Any, g: Geometry, some: list[Tile]) -> Iterator[tuple[Tile, list[Any]]]:
    """Each tile with the parts of the padded images that its windows meet, a part for each place in the window."""
    image, held = x, (0, 0)
    for tile in some:
        if (tile.first, tile.last) != held:
            held = (tile.first, tile.last)
            image = padded(np, x[tile.first : tile.last], g.pads)
        output = (tile.bottom - tile.top, *g.output[1:])
        start = image[:, tile.top * g.strides[0] :]
        yield tile, [start[place] for _, place in taps(g.window, output, g.strides, g.dilations)]


def _shares(x: Any, g: Geometry, y: Any) -> Any:
    threads = workers(_COSTLY * y.size * math.prod(g.window))
    row = math.prod(g.output[1:]) * g.channels
    rows = max(1, min(g.output[0], _PART_ELEMENTS // max(1, row)))
    images = max(1, _PART_ELEMENTS // max(1, row * g.output[0])) if rows == g.output[0] else 1
    cuts = [(top, min(g.output[0], top + rows)) for top in range(0, g.output[0], rows)]
    count = x.shape[0]
    return parts([Tile(i, min(count, i + images), *cut) for i in range(0, count, images) for cut in cuts], threads)


def _largest(some: list[Tile], g: Geometry) -> int:
    most = max(((t.last - t.first) * (t.bottom - t.top) for t in some), default=0)
    return most * math.prod(g.output[1:]) * g.channels
