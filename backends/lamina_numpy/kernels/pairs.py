"""Convolutions of three rows by pairs of rows of the result: four products in the place of six.

Of four rows of the image two rows of the result follow (Winograd's F(2, 3) along the first axis; Lavin and Gray 2015,
arXiv:1509.09308). The rows are added and subtracted first, and so are those of the kernel; then a product for each of
four sums, and sums of these. Nothing is gathered: along the other axis a window is a run of memory, and a column of the
result is a product whose operand overlaps with the next one's. The rounding of float32 is about twice as large.

A number that is not finite would reach the other row of its pair; then the caller computes in the plain way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lamina_numpy.gathering import Geometry
from lamina_numpy.parallel import in_parallel, parts, workers
from lamina_numpy.scratch import scratch

_BYTES = 2048 * 1024
"""What the sums and products of a tile take: they stay in the second cache."""

_FEWEST_CHANNELS, _FEWEST_PRODUCTS = 8, 1 << 21
_FEW_ROWS, _MANY_ROWS = 14, 28
"""Pairs of rows that a small kernel needs to be faster, and a large one; a tile has as many at the least."""

_SMALL_KERNEL, _LARGEST_KERNEL = 256 * 1024, 1024 * 1024
"""Bytes of a row of a kernel, which is read for each column of the result, or of its gradient, which is written."""

_GRADIENT_BYTES = 1024 * 1024
"""What the products of some columns take before they are added up."""


def pays(count: int, g: Geometry, filters: int, dtype: Any, of_kernel: bool = False) -> bool:
    """Whether a convolution, or the gradient of its kernel, may go by pairs and is large enough to be faster."""
    height = g.output[0]
    return (
        len(g.output) == 2
        and g.window[0] == 3
        and g.window[1] > 1
        and set(g.strides) == set(g.dilations) == {1}
        and dtype in (np.float32, np.float64)
        and min(g.channels, filters) >= _FEWEST_CHANNELS
        and _row_of_kernel(g, filters, dtype) <= _LARGEST_KERNEL
        and 5 * _pairs(height) <= 3 * height
        and count * _pairs(height) >= _fewest_rows(g, filters, dtype, of_kernel)
        and count * math.prod(g.output) * g.depth * filters >= _FEWEST_PRODUCTS
    )


def _row_of_kernel(g: Geometry, filters: int, dtype: Any) -> int:
    """The bytes of a row of the kernel."""
    return int(g.window[-1] * g.channels * filters * dtype.itemsize)


def _fewest_rows(g: Geometry, filters: int, dtype: Any, of_kernel: bool) -> int:
    return _MANY_ROWS if of_kernel or _row_of_kernel(g, filters, dtype) > _SMALL_KERNEL else _FEW_ROWS


def _pairs(height: int) -> int:
    return (height + 1) // 2


class _Tile(NamedTuple):
    """Images from ``first`` to ``last``, and of each the pairs of rows from ``top`` to ``bottom``."""

    first: int
    last: int
    top: int
    bottom: int

    @property
    def images(self) -> int:
        return self.last - self.first

    @property
    def pairs(self) -> int:
        return self.bottom - self.top

    def rows_of(self, y: Any) -> Any:
        """The part of a result, whose last pair may lack a row."""
        return y[self.first : self.last, 2 * self.top : 2 * self.bottom]


def _tiles(count: int, g: Geometry, filters: int, dtype: Any, of_kernel: bool) -> list[_Tile]:
    pairs = _pairs(g.output[0])
    of_pair = 4 * dtype.itemsize * (g.width * g.channels + g.output[1] * filters)
    fitting = max(_fewest_rows(g, filters, dtype, of_kernel), _BYTES // of_pair)
    if fitting < pairs:
        cuts = range(0, pairs, fitting)
        return [_Tile(i, i + 1, top, min(pairs, top + fitting)) for i in range(count) for top in cuts]
    images = fitting // pairs
    return [_Tile(i, min(count, i + images), 0, pairs) for i in range(0, count, images)]


class _Sums:
    """The four sums of rows of an image, tile by tile, in memory that the next tile takes."""

    def __init__(self, x: Any, g: Geometry, tiles: Sequence[_Tile]) -> None:
        self.x, self.g = x, g
        images, pairs = max(t.images for t in tiles), max(t.pairs for t in tiles)
        self.image = scratch("pairs image", (2, images, pairs + 1, g.width, g.channels), x.dtype)
        self.sums = scratch("pairs sums", (4 * images * pairs * g.width * g.channels,), x.dtype)
        left = g.pads[1][0]
        self.across = slice(left, left + g.size[1])
        self.image[:, :, :, :left] = 0
        self.image[:, :, :, self.across.stop :] = 0

    def of(self, tile: _Tile) -> Any:
        """The matrices (sum, column, row, window) of a tile."""
        g = self.g
        d = self._rows(tile)
        sums = self.sums[: 4 * tile.images * tile.pairs * g.width * g.channels]
        t = sums.reshape(4, tile.images, tile.pairs, g.width, g.channels)
        np.subtract(d[0], d[2], t[0])
        np.add(d[1], d[2], t[1])
        np.subtract(d[2], d[1], t[2])
        np.subtract(d[1], d[3], t[3])
        pixel = g.channels * t.itemsize
        shape = (4, g.output[1], tile.images * tile.pairs, g.window[1] * g.channels)
        return as_strided(t, shape, (t.strides[0], pixel, g.width * pixel, t.itemsize), writeable=False)

    def _rows(self, tile: _Tile) -> list[Any]:
        """Of each pair the first, second, third and fourth row that it meets, with zeros where there is none.

        Every other row of the image lies beside each other, so that the rows of all pairs of an image are one run.
        """
        g, start = self.g, 2 * tile.top - self.g.pads[0][0]
        found = []
        for rows, first in zip(self.image[:, : tile.images, : tile.pairs + 1], (start, start + 1), strict=True):
            low = max(0, -(first // 2))
            high = max(low, min(tile.pairs + 1, (g.size[0] - first + 1) // 2))
            rows[:, :low, self.across] = 0
            rows[:, high:, self.across] = 0
            rows[:, low:high, self.across] = self.x[
                tile.first : tile.last, first + 2 * low : max(0, first + 2 * high - 1) : 2
            ]
            found.append(rows)
        even, odd = found
        return [even[:, :-1], odd[:, :-1], even[:, 1:], odd[:, 1:]]


def convolve(x: Any, kernel: Any, g: Geometry, y: Any) -> bool:
    """The convolution into ``y``; False if something is not finite, so that it has to be computed in another way."""
    filters = y.shape[-1]
    matrices = _summed_kernel(kernel).reshape(4, 1, -1, filters)
    tiles = _tiles(len(x), g, filters, x.dtype, of_kernel=False)

    def work(some: Sequence[_Tile]) -> bool:
        return all(_convolve(tile, matrix, matrices, y) for tile, matrix in _each(x, g, some))

    return all(in_parallel(work, parts(tiles, _threads(len(x), g, filters))))


def _each(x: Any, g: Geometry, tiles: Sequence[_Tile]) -> Iterator[tuple[_Tile, Any]]:
    sums = _Sums(x, g, tiles)
    for tile in tiles:
        yield tile, sums.of(tile)


def _threads(count: int, g: Geometry, filters: int) -> int:
    return workers(count * math.prod(g.output) * g.depth * filters)


def _summed_kernel(kernel: Any) -> Any:
    first, second, third = kernel
    half = kernel.dtype.type(0.5)
    outer, inner = (first + third) * half, second * half
    return np.stack([first, outer + inner, outer - inner, third])


def _convolve(tile: _Tile, matrix: Any, matrices: Any, y: Any) -> bool:
    """One tile; says whether the result is finite."""
    part = tile.rows_of(y)
    columns, filters = part.shape[2:]
    shape = (4, tile.images * tile.pairs, columns, filters)
    products = scratch("pairs products", shape, y.dtype)
    np.matmul(matrix, matrices, out=products.transpose(0, 2, 1, 3))
    m = products.reshape(4, tile.images, tile.pairs, columns, filters)
    np.add(m[0], m[1], m[0])
    np.add(m[0], m[2], part[:, 0::2])
    np.subtract(m[1], m[2], m[1])
    second = part[:, 1::2]
    np.subtract(m[1][:, : second.shape[1]], m[3][:, : second.shape[1]], second)
    flat = part.reshape(-1)
    return math.isfinite(flat.dot(flat))


def kernel_gradient(x: Any, dy: Any, g: Geometry, dk: Any) -> bool:
    """The gradient of the kernel into ``dk``; False as for ``convolve``."""
    filters = dy.shape[-1]
    tiles = _tiles(len(x), g, filters, x.dtype, of_kernel=True)

    def work(some: Sequence[_Tile]) -> Any:
        total = np.zeros((4, g.window[1] * g.channels, filters), x.dtype)
        for tile, matrix in _each(x, g, some):
            _add_products(total, matrix, _summed_rows(dy, tile))
        return total

    first, plus, minus, last = sum(in_parallel(work, parts(tiles, _threads(len(x), g, filters))))
    half = dk.dtype.type(0.5)
    outer, inner = (plus + minus) * half, (plus - minus) * half
    for row, found in zip(dk, (first + outer, inner, outer - last), strict=True):
        row[...] = found.reshape(row.shape)
    return bool(np.isfinite(dk).all())


def _summed_rows(dy: Any, tile: _Tile) -> Any:
    """Of each pair of rows the first, sum, difference and second, as (sum, column, row, filters)."""
    part = tile.rows_of(dy)
    columns, filters = part.shape[2:]
    rows = scratch("pairs products", (4, tile.images, tile.pairs, columns, filters), dy.dtype)
    second = part[:, 1::2]
    rows[0] = part[:, 0::2]
    rows[3][:, : second.shape[1]] = second
    rows[3][:, second.shape[1] :] = 0
    np.add(rows[0], rows[3], rows[1])
    np.subtract(rows[0], rows[3], rows[2])
    return rows.reshape(4, -1, columns, filters).transpose(0, 2, 1, 3)


def _add_products(total: Any, matrix: Any, rows: Any) -> None:
    """Adds the products of each column, some at a time, so that those fit the cache before they are added up."""
    columns = matrix.shape[1]
    count = min(columns, max(1, _GRADIENT_BYTES // total.nbytes))
    many = scratch("pairs gradients", (4, count, *total.shape[1:]), total.dtype)
    for start in range(0, columns, count):
        some = slice(start, min(start + count, columns))
        found = many[:, : some.stop - start]
        np.matmul(matrix[:, some].swapaxes(-1, -2), rows[:, some], out=found)
        total += np.add.reduce(found, 1)
