"""The gradient of a convolution for its input, a product of dy for each place in the window, added in at its shift.

Convolving dy with the kernel turned round takes products for the border that dy is framed with; where the image is
small and has no padding of its own, that border is a third of them. Here there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina_arrayapi.kernels.windows import Sizes
from lamina_numpy.parallel import in_parallel, parts, workers
from lamina_numpy.scratch import scratch

_BLOCK_BYTES = 256 * 1024
_FEWEST_CHANNELS = 32
_LEAST_SAVED, _LEAST_SAVED_OF_PAIRS = 1.2, 1.5


def pays(dy: Any, kernel: Any, size: Sizes, in_pairs: bool) -> bool:
    """Whether products without the border are enough fewer, and large enough, to make up for the additions.

    ``in_pairs`` says that the convolution that it is compared with takes fewer products, by pairs of rows.
    """
    positions = np.prod(size) / max(1, np.prod(dy.shape[1:-1]))
    return (
        bool(positions >= (_LEAST_SAVED_OF_PAIRS if in_pairs else _LEAST_SAVED))
        and min(kernel.shape[-2:]) >= _FEWEST_CHANNELS
    )


def input_gradient(dy: Any, kernel: Any, size: Sizes, starts: Sizes, dilations: Sizes, dx: Any) -> None:
    """Fills dx, for strides of 1; ``starts`` is the padding before each axis."""
    filters, channels = dy.shape[-1], kernel.shape[-2]
    flat = np.ascontiguousarray(kernel.swapaxes(-1, -2))
    places = list(_places(kernel.shape[:-2], dy.shape[1:-1], size, starts, dilations))
    one = dy.itemsize * channels * int(np.prod(dy.shape[1:-1]))
    count = max(1, _BLOCK_BYTES // max(1, one))
    blocks = [slice(i, i + count) for i in range(0, len(dy), count)]

    def work(some: Any) -> None:
        product = scratch("shifted", (count, *dy.shape[1:-1], channels), dy.dtype)
        for block in some:
            given, target = dy[block], dx[block]
            found = product[: len(given)]
            target[...] = 0
            for at, here, there in places:
                np.matmul(given.reshape(-1, filters), flat[at], out=found.reshape(-1, channels))
                part = target[here]
                np.add(part, found[there], out=part)

    in_parallel(work, parts(blocks, workers(dy.size * kernel.size // max(1, filters))))


def _places(window: Sizes, output: Sizes, size: Sizes, starts: Sizes, dilations: Sizes) -> Iterator[tuple[Any, ...]]:
    """For each place in the window: it, the part of dx that it meets, and the part of dy that meets it there."""
    for at in itertools.product(*map(range, window)):
        shifts = [a * d - before for a, d, before in zip(at, dilations, starts, strict=True)]
        here = [slice(max(0, s), max(0, min(n, s + o))) for s, n, o in zip(shifts, size, output, strict=True)]
        there = [slice(h.start - s, h.stop - s) for h, s in zip(here, shifts, strict=True)]
        if all(h.stop > h.start for h in here):
            yield at, (slice(None), *here), (slice(None), *there)
