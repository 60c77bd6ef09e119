"""Gathers what a convolution's window meets, tile by tile, so that what follows is matrix products in cache.

A tile is some images, or some rows of one. Two ways: ``columns`` (Cho and Brand 2017, "MEC", arXiv:1706.06873) repeats
the image only along the axes before the last and takes a matrix product per column of the result, whose operand
overlaps with the next one's; ``rows`` repeats it for the whole window and takes one product, which serves gaps and
strides along the last axis, a handful of channels, sequences, and results of few rows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lamina_arrayapi.kernels.windows import Pads, Sizes, output_size, padded
from lamina_numpy.scratch import scratch

COLUMNS_BYTES = 1024 * 1024
ROWS_BYTES = 128 * 1024
_LARGE_IMAGE = 4 * 1024 * 1024
_FEWEST_ROWS = 32
_FEWEST_CHANNELS = 8


class Geometry(NamedTuple):
    """The settings of a convolution and the sizes that follow from them."""

    size: Sizes
    channels: int
    window: Sizes
    strides: Sizes
    pads: Pads
    dilations: Sizes
    output: Sizes

    @classmethod
    def of(cls, x: Any, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Geometry:
        size = x.shape[1:-1]
        around = tuple(s + sum(p) for s, p in zip(size, pads, strict=True))
        output = output_size(around, window, strides, dilations)
        return cls(size, x.shape[-1], window, strides, pads, dilations, output)

    @property
    def depth(self) -> int:
        """How many numbers a window meets."""
        return math.prod(self.window) * self.channels

    @property
    def width(self) -> int:
        """The size of the last axis with its padding."""
        return self.size[-1] + sum(self.pads[-1])


class Tile(NamedTuple):
    """Images from ``first`` to ``last``, and of each the rows from ``top`` to ``bottom`` of the result."""

    first: int
    last: int
    top: int
    bottom: int

    @property
    def place(self) -> Any:
        """The part of the result."""
        return slice(self.first, self.last), slice(self.top, self.bottom)


def by_columns(count: int, geometry: Geometry) -> bool:
    """Whether ``columns`` is the way: every column is read, in runs that are worth a copy, and has enough rows."""
    rows = math.prod(geometry.output[:-1])
    whole = geometry.dilations[-1] == 1 and geometry.strides[-1] == 1
    return len(geometry.output) > 1 and whole and geometry.channels >= _FEWEST_CHANNELS and count * rows >= _FEWEST_ROWS


def tiles(count: int, geometry: Geometry, row_bytes: int, workers: int, columns: bool) -> list[Tile]:
    """Tiles of ``count`` images; ``row_bytes`` are gathered for a row of the result along its first axis."""
    fitting = COLUMNS_BYTES if columns else ROWS_BYTES
    rows = geometry.output[0]
    image = max(1, row_bytes * rows)
    others = max(1, math.prod(geometry.output[1:-1]))
    if image > _LARGE_IMAGE or count < workers:
        height = max(fitting // max(1, row_bytes), -(-_FEWEST_ROWS // others))
        height = max(1, min(height, -(-rows // workers) if count < workers else rows))
        cuts = [(top, min(rows, top + height)) for top in range(0, rows, height)]
        return [Tile(i, i + 1, *cut) for i in range(count) for cut in cuts]
    images = max(fitting // image, -(-_FEWEST_ROWS // max(1, rows * others)), 1)
    images = min(images, -(-count // workers))
    return [Tile(i, min(count, i + images), 0, rows) for i in range(0, count, images)]


class Columns:
    """The ``columns`` way: a buffer for one tile after the other."""

    def __init__(self, x: Any, geometry: Geometry, made: list[Tile]) -> None:
        self.x, self.geometry = x, geometry
        self.before = geometry.window[:-1]
        images = max((t.last - t.first for t in made), default=0)
        height = max((t.bottom - t.top for t in made), default=0)
        lines = (height, *geometry.output[1:-1])
        shape = (images, *lines, geometry.width, *self.before, geometry.channels)
        self.buffer = scratch("columns", shape, x.dtype)
        left, ahead = geometry.pads[-1][0], (slice(None),) * (1 + len(lines))
        self.buffer[(*ahead, slice(left))] = 0
        self.buffer[(*ahead, slice(left + geometry.size[-1], None))] = 0

    def gathered(self, tile: Tile) -> Any:
        """The matrices (column, row, window) of a tile; the window's last axis comes first."""
        count, height = tile.last - tile.first, tile.bottom - tile.top
        buffer = self.buffer[:count, :height]
        for at in itertools.product(*map(range, self.before)):
            self._copy(buffer, tile, at)
        g, item = self.geometry, self.x.itemsize
        step = math.prod(self.before) * g.channels * item
        rows = count * height * math.prod(g.output[1:-1])
        shape = (g.output[-1], rows, g.depth)
        return as_strided(buffer, shape, (g.strides[-1] * step, g.width * step, item), writeable=False)

    def _copy(self, buffer: Any, tile: Tile, at: Sizes) -> None:
        """The part of the image that one place in the window meets, and zeros where that is padding."""
        g = self.geometry
        inner, source = [], []
        for i, place in enumerate(at):
            low, high = (tile.top, tile.bottom) if i == 0 else (0, g.output[i])
            start, stride = place * g.dilations[i] - g.pads[i][0], g.strides[i]
            first = max(low, -(start // stride))
            last = max(first, min(high, (g.size[i] - 1 - start) // stride + 1))
            inner.append(slice(first - low, last - low))
            source.append(slice(start + first * stride, max(0, start + (last - 1) * stride + 1), stride))
        left = g.pads[-1][0]
        across = slice(left, left + g.size[-1])
        if any(s != slice(0, n) for s, n in zip(inner, buffer.shape[1:], strict=False)):
            buffer[(slice(None), *(slice(None) for _ in at), across, *at)] = 0
        if all(s.stop > s.start for s in inner):
            buffer[(slice(None), *inner, across, *at)] = self.x[(slice(tile.first, tile.last), *source)]


def windows(image: Any, g: Geometry) -> Any:
    """A view (n, positions..., window..., channels) of a padded image."""
    s = image.strides
    steps = [a * b for a, b in zip(s[1:-1], g.strides, strict=True)]
    inside = [a * b for a, b in zip(s[1:-1], g.dilations, strict=True)]
    shape = (image.shape[0], *g.output, *g.window, g.channels)
    return as_strided(image, shape, (s[0], *steps, *inside, s[-1]), writeable=False)


class Rows:
    """The ``rows`` way: a buffer for one tile after the other.

    Of one channel there are no runs to copy but along the image, so the matrix lies in memory the other way round.
    """

    def __init__(self, x: Any, geometry: Geometry, made: list[Tile]) -> None:
        self.depth = geometry.depth
        self.view = windows(np.ascontiguousarray(padded(np, x, geometry.pads)), geometry)
        self.turned = geometry.channels == 1
        largest = max(((t.last - t.first) * (t.bottom - t.top) for t in made), default=0)
        self.buffer = scratch("rows", (largest * math.prod(self.view.shape[2:]),), x.dtype)

    def gathered(self, tile: Tile) -> Any:
        """The matrix (position, window) of a tile."""
        part = self.view[tile.place]
        if self.turned:
            count = part.ndim // 2
            part = part.transpose(*range(count, part.ndim), *range(count))
        matrix = self.buffer[: part.size].reshape(part.shape)
        np.copyto(matrix, part)
        return matrix.reshape(self.depth, -1).T if self.turned else matrix.reshape(-1, self.depth)


def each(x: Any, geometry: Geometry, made: list[Tile], columns: bool) -> Iterator[tuple[Tile, Any]]:
    """Each tile with what is gathered for it, in a buffer that the next one takes."""
    gather = (Columns if columns else Rows)(x, geometry, made)
    for tile in made:
        yield tile, gather.gathered(tile)
